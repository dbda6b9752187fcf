// What a report looks like to who opens it: report.html in a real browser. CWT is the program, and
// CWT_SWEEPS a list of sweeps' folders, separated by colons, of which reports are made.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const cwt = process.env.CWT;
const sweeps = (process.env.CWT_SWEEPS ?? '').split(':').filter(Boolean);
const shots = process.env.CWT_SCREENSHOTS; // a folder, to look at what was tested
assert.ok(cwt && sweeps.length > 0, 'CWT and CWT_SWEEPS are wanted');

const folder = mkdtempSync(join(tmpdir(), 'cwt-browser-'));
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

// The report of a copy of the sweep, beside another one if `other` is given.
function makeReport(sweep, other) {
  const copy = join(folder, `${basename(sweep)}${other ? '-beside' : ''}`);
  cpSync(sweep, copy, { recursive: true });
  execFileSync(cwt, ['report', copy, ...(other ? [other] : [])]);
  return pathToFileURL(join(copy, 'report.html')).href;
}

async function open(url, options, use) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url());
  });
  await page.goto(url);
  await use(page);
  assert.deepEqual(complaints, []);
  assert.deepEqual(requests, [url], 'nothing outside the file is asked for');
  await context.close();
}

const looks = [
  { name: 'telephone', viewport: { width: 360, height: 740 }, colorScheme: 'light' },
  { name: 'telephone-dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
  { name: 'desk', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  { name: 'desk-dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
];

const made = new Map();
const reportOf = (sweep) => {
  if (!made.has(sweep)) made.set(sweep, makeReport(sweep));
  return made.get(sweep);
};

for (const sweep of sweeps) {
  describe(`the report of ${basename(sweep)}`, () => {
    for (const { name, ...options } of looks) {
      test(`does not scroll sideways: ${name}`, async () => {
        await open(reportOf(sweep), options, async (page) => {
          await page.evaluate(() => document.querySelectorAll('details').forEach((d) => (d.open = true)));
          const { inner, scroll } = await page.evaluate(() => ({
            inner: window.innerWidth,
            scroll: document.documentElement.scrollWidth,
          }));
          assert.ok(scroll <= inner, `${scroll} px wide in a window of ${inner}`);
          if (shots) await page.screenshot({ path: join(shots, `${basename(sweep)}-${name}.png`) });
        });
      });
    }

    test('is light in the light and dark in the dark', async () => {
      const luminance = async (colorScheme) => {
        let sum;
        await open(reportOf(sweep), { colorScheme }, async (page) => {
          const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
          sum = colour.match(/\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
        });
        return sum;
      };
      assert.ok((await luminance('light')) > 600);
      assert.ok((await luminance('dark')) < 150);
    });

    test('has every figure, with a text instead and its data as a table', async () => {
      await open(reportOf(sweep), {}, async (page) => {
        const figures = await page.$$eval('figure', (list) =>
          list.map((figure) => ({
            alt: figure.querySelector('img')?.alt ?? '',
            width: figure.querySelector('img')?.naturalWidth ?? 0,
            rows: figure.querySelectorAll('details tbody tr').length,
            ragged: [...figure.querySelectorAll('details table')].filter((table) => {
              const heads = table.querySelectorAll('thead th').length;
              return [...table.querySelectorAll('tbody tr')].some((row) => row.cells.length !== heads);
            }).length,
          })),
        );
        assert.ok(figures.length > 0);
        for (const figure of figures) {
          assert.ok(figure.alt.length > 10, 'a text instead of the picture');
          assert.ok(figure.width > 100, `the picture of "${figure.alt}" is drawn`);
          assert.ok(figure.rows > 0, `"${figure.alt}" has its data`);
          assert.equal(figure.ragged, 0, `the columns of "${figure.alt}" have names`);
        }
      });
    });

    test('has tables whose rows are whole', async () => {
      await open(reportOf(sweep), {}, async (page) => {
        const ragged = await page.$$eval('main > .scroll > table', (tables) =>
          tables.filter((table) => {
            const heads = table.querySelectorAll('thead th').length;
            return heads === 0 || [...table.querySelectorAll('tbody tr')].some((row) => row.cells.length !== heads);
          }).length,
        );
        assert.equal(ragged, 0);
      });
    });

    test('has links that lead somewhere in it', async () => {
      await open(reportOf(sweep), {}, async (page) => {
        const links = await page.$$eval('a[href]', (list) => list.map((a) => a.getAttribute('href')));
        assert.ok(links.length > 3);
        for (const link of links) {
          assert.match(link, /^#./);
          assert.equal(await page.locator(`[id="${link.slice(1)}"]`).count(), 1, link);
        }
      });
    });

    test('says the same without scripts', async () => {
      const texts = [];
      for (const javaScriptEnabled of [true, false])
        await open(reportOf(sweep), { javaScriptEnabled }, async (page) => {
          texts.push(await page.locator('main').innerText());
        });
      assert.equal(texts[0], texts[1]);
      assert.match(texts[0], /^.*\n+(The model holds at|No point is)/);
    });

    test('can be printed', async () => {
      await open(reportOf(sweep), {}, async (page) => {
        const pdf = await page.pdf({ format: 'A4' });
        assert.ok(pdf.length > 20000);
      });
    });
  });
}

test('two sweeps are set beside each other, with intervals', async () => {
  await open(makeReport(sweeps[0], sweeps[0]), {}, async (page) => {
    assert.match(await page.locator('h2').first().innerText(), /^Beside /);
    const changes = await page.$$eval('h3 ~ .scroll td:nth-child(4)', (cells) =>
      cells.map((cell) => cell.innerText),
    );
    assert.ok(changes.some((text) => /^[+-]0\.0 % \(-.+ … \+.+\)$/.test(text)), changes.join('; '));
  });
});

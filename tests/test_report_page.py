"""What a report looks like to who opens it: report.html in Chromium. CWT is the program, CWT_SWEEPS the
folders of sweeps, separated by colons, of which reports are made; CWT_SCREENSHOTS, if it is set, a
folder for pictures of what was tested."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CWT = os.environ["CWT"]
SWEEPS = [Path(path) for path in os.environ["CWT_SWEEPS"].split(":")]
SHOTS = os.environ.get("CWT_SCREENSHOTS")

LOOKS = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")]

RAGGED = """
return [...document.querySelectorAll(arguments[0])].filter((table) => {
  const heads = table.querySelectorAll('thead th').length;
  return heads === 0 || [...table.querySelectorAll('tbody tr')].some((row) => row.cells.length !== heads);
}).length"""

FIGURES = """
return [...document.querySelectorAll('figure')].map((figure) => ({
  alt: figure.querySelector('img')?.alt ?? '',
  width: figure.querySelector('img')?.naturalWidth ?? 0,
  rows: figure.querySelectorAll('details tbody tr').length,
}))"""


def start_browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cwt-page-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.browser = start_browser()
        cls.addClassCleanup(cls.browser.quit)
        cls.urls = {sweep: cls.make(sweep, sweep.name) for sweep in SWEEPS}

    @classmethod
    def make(cls, sweep, name, *others):
        copy = cls.folder / name
        shutil.copytree(sweep, copy)
        subprocess.run([CWT, "report", copy, *others], check=True, stdout=subprocess.DEVNULL)
        return (copy / "report.html").as_uri()

    def ask(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def open(self, url, width=1280, scheme="light", scripts=True):
        """Opens it, and sees that nothing is complained of and nothing else is asked for."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        tell = self.browser.execute_cdp_cmd
        tell("Emulation.setDeviceMetricsOverride", size)
        tell("Emulation.setEmulatedMedia", media)
        tell("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.browser.get_log("performance")
        self.browser.get(url)
        self.assertEqual(self.browser.get_log("browser"), [])
        events = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        self.assertEqual([address for address in asked if not address.startswith("data:")], [url])

    def test_it_does_not_scroll_sideways(self):
        for sweep, url in self.urls.items():
            for width, scheme in LOOKS:
                self.open(url, width, scheme)
                self.ask("document.querySelectorAll('details').forEach((d) => (d.open = true))")
                inner, wide = self.ask("return [window.innerWidth, document.documentElement.scrollWidth]")
                self.assertEqual(inner, width)
                self.assertLessEqual(wide, width)
                if SHOTS:
                    self.browser.save_screenshot(f"{SHOTS}/{sweep.name}-{width}-{scheme}.png")

    def test_it_is_light_in_the_light_and_dark_in_the_dark(self):
        for url in self.urls.values():
            sums = {}
            for scheme in ("light", "dark"):
                self.open(url, scheme=scheme)
                colour = self.ask("return getComputedStyle(document.body).backgroundColor")
                sums[scheme] = sum(int(part) for part in re.findall(r"\d+", colour)[:3])
            self.assertGreater(sums["light"], 600)
            self.assertLess(sums["dark"], 150)

    def test_every_figure_has_a_text_instead_and_its_data_as_a_table(self):
        for url in self.urls.values():
            self.open(url)
            figures = self.ask(FIGURES)
            self.assertGreater(len(figures), 0)
            for figure in figures:
                self.assertGreater(len(figure["alt"]), 10)
                self.assertGreater(figure["width"], 100, figure["alt"])
                self.assertGreater(figure["rows"], 0, figure["alt"])

    def test_tables_are_whole(self):
        for url in self.urls.values():
            self.open(url)
            self.assertGreater(self.ask("return document.querySelectorAll('table').length"), 3)
            self.assertEqual(self.ask(RAGGED, "table"), 0)

    def test_links_lead_somewhere_in_it(self):
        for url in self.urls.values():
            self.open(url)
            links = self.ask("return [...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))")
            self.assertGreater(len(links), 3)
            for link in links:
                self.assertRegex(link, "^#.")
                count = self.ask("return document.querySelectorAll(`[id=\"${arguments[0]}\"]`).length", link[1:])
                self.assertEqual(count, 1, link)

    def test_it_says_the_same_without_scripts(self):
        for url in self.urls.values():
            texts = []
            for scripts in (True, False):
                self.open(url, scripts=scripts)
                texts.append(self.ask("return document.querySelector('main').innerText"))
            self.assertEqual(texts[0], texts[1])
            self.assertRegex(texts[0], r"\A.*\n+(The model holds at|No point is)")

    def test_it_can_be_printed(self):
        for url in self.urls.values():
            self.open(url)
            self.assertGreater(len(self.browser.print_page()), 20000)

    def test_two_sweeps_are_set_beside_each_other_with_intervals(self):
        self.open(self.make(SWEEPS[0], "beside", SWEEPS[0]))
        self.assertRegex(self.ask("return document.querySelector('h2').innerText"), "^Beside ")
        changes = self.ask("return [...document.querySelectorAll('h3 ~ .scroll td:nth-child(4)')].map((c) => c.innerText)")
        self.assertTrue(any(re.match(r"[+-]0\.0 % \(-.+ … \+.+\)$", text) for text in changes), changes)


if __name__ == "__main__":
    unittest.main(verbosity=2)

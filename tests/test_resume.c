#include "loadgen/sweep/store.h"
#include "common/clock.h"
#include "tests/designs.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(resume, .timeout = 110);

enum { LOADS = 2, CONTENDERS = 2, REPETITIONS = 2, TEXT_BYTES = 65536, SEED = 11 };

#define PLAN "[plan]\nname = a plan\n[case a]\narch = loop\ncpu = 1ms\nwall = 1ms\n"

/* In memory where that can be: what is on disk for good takes its time. */
struct place {
	char folder[64];
	char plan[128];
	char out[128];
};

static void write_text(const char *path, const char *text, size_t length)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(text, 1, length, file), length);
	fclose(file);
}

static size_t read_text(const char *path, char text[TEXT_BYTES])
{
	FILE *file = fopen(path, "re");
	size_t length;

	cr_assert_not_null(file, "%s", path);
	length = fread(text, 1, TEXT_BYTES, file);
	fclose(file);
	cr_assert_lt(length, (size_t)TEXT_BYTES);
	return length;
}

static struct place make_place(void)
{
	struct place place;

	snprintf(place.folder, sizeof(place.folder), "%s/cwt-test-resume-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	cr_assert_not_null(mkdtemp(place.folder));
	snprintf(place.plan, sizeof(place.plan), "%s/plan.ini", place.folder);
	snprintf(place.out, sizeof(place.out), "%s/out", place.folder);
	write_text(place.plan, PLAN, strlen(PLAN));
	return place;
}

static void remove_files(const char *path)
{
	DIR *folder = opendir(path);

	for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
	     entry = readdir(folder)) {
		char inside[400];

		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(inside);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}

static void remove_place(const struct place *place)
{
	remove_files(place->out);
	remove_files(place->folder);
}

static const char *inside(const struct place *place, const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", place->out, name);
	return path;
}

static struct plan read_plan; /* of which the store wants the seed, and what is not installed */

static struct store of(const struct place *place)
{
	return (struct store){ .folder = place->out, .plan_path = place->plan, .plan = &read_plan };
}

/* Whole lines and plans */

Test(resume, a_line_that_was_cut_short_is_told_by_its_number)
{
	static const struct {
		const char *text;
		size_t whole;
		int64_t cut_line;
	} table[] = {
		{ "", 0, 0 },       { "a", 0, 1 },      { "a\n", 2, 0 },           { "a\nb", 2, 2 },
		{ "a\nb\n", 4, 0 }, { "a\n\nc", 3, 3 }, { "aa\nbb\ncc\nd", 9, 4 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t cut_line = -1;

		cr_expect_eq(store_whole_lines(table[i].text, strlen(table[i].text), &cut_line),
			     table[i].whole);
		cr_expect_eq(cut_line, table[i].cut_line, "'%s': %lld", table[i].text,
			     (long long)cut_line);
	}
}

Test(resume, plans_are_the_same_but_for_comments_and_blanks)
{
	static const struct {
		const char *text;
		const char *difference; /* NULL: none */
	} table[] = {
		{ PLAN, NULL },
		{ "# other\n\n[plan]\n  name = a plan\n[case a]\n\narch = loop\ncpu = 1ms\n"
		  "wall = 1ms",
		  NULL },
		{ "[plan]\nname = a plan\n[case a]\narch = pool\ncpu = 1ms\nwall = 1ms\n",
		  "given.ini:4 is 'arch = pool'" },
		{ "[plan]\n\nname = a plan\n[case a]\narch = loop\ncpu = 1ms\n", "is 'its end'" },
		{ PLAN "threads = 4\n", "given.ini:7 is 'threads = 4'" },
	};
	struct place place = make_place();
	char given[256];
	char why[STORE_WHY_MAX];

	snprintf(given, sizeof(given), "%s/given.ini", place.folder);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int rc;

		why[0] = '\0';
		write_text(given, table[i].text, strlen(table[i].text));
		rc = store_compare_plans(place.plan, given, why);
		cr_expect_eq(rc, table[i].difference != NULL, "%zu: %s", i, why);
		if (table[i].difference)
			cr_expect_not_null(strstr(why, table[i].difference), "%zu: %s", i, why);
	}
	cr_expect_lt(store_compare_plans("/nonexistent", given, why), 0);
	remove_place(&place);
}

/* A sweep without a machine */

struct sketch {
	struct plan plan;
	struct design design;
	struct ledger ledger;
};

static void begin_sketch(struct sketch *sketch, int64_t seed)
{
	struct plan_timing timing = { .repetitions = REPETITIONS, .repetitions_most = REPETITIONS };

	sketch->plan = designs_plan(LOADS, CONTENDERS, timing);
	cr_assert_eq(design_begin(&sketch->design, &sketch->plan, seed), 0);
	cr_assert_eq(ledger_begin(&sketch->ledger, &sketch->plan), 0);
}

static void end_sketch(struct sketch *sketch)
{
	ledger_end(&sketch->ledger);
	design_end(&sketch->design);
	plan_free(&sketch->plan);
}

/* Go on with what the store has; one repetition's first attempt is always rejected. */
static void measure_rest(const struct store *store)
{
	struct sketch sketch;
	struct design_step step;

	begin_sketch(&sketch, store->seed);
	for (int64_t i = 0; i < store->row_count; i++)
		cr_assert_geq(ledger_add(&sketch.ledger, &store->rows[i]), 0, "row %lld",
			      (long long)i);
	while (design_next(&sketch.design, &sketch.ledger, &step)) {
		bool accepted = step.point != 1 || step.repetition != 1 || step.attempt > 0;
		struct run run = designs_row(&sketch.design, &sketch.ledger, &step, 100, accepted);

		cr_assert_eq(run_write(store->runs, &run), 0);
		cr_assert_geq(ledger_add(&sketch.ledger, &run), 0);
	}
	end_sketch(&sketch);
}

static void expect_complete(const struct place *place, size_t cut)
{
	struct run *runs;
	char path[256];
	char why[STORE_WHY_MAX] = "";
	int64_t count = run_read_all(inside(place, "runs.csv", path), &runs, why, sizeof(why));
	int done[LOADS * CONTENDERS][REPETITIONS] = { 0 };
	int attempts = 0;

	cr_assert_eq(count, LOADS * CONTENDERS * REPETITIONS + 1, "cut at %zu: %lld rows; %s", cut,
		     (long long)count, why);
	for (int64_t i = 0; i < count; i++) {
		int64_t load = runs[i].wall_ns / NS_PER_MS - 1;
		int64_t point = load * CONTENDERS + runs[i].threads - 1;

		cr_assert_eq(runs[i].seed, SEED);
		cr_assert_eq(runs[i].sequence, i);
		attempts += strcmp(runs[i].rejected, "-") != 0;
		done[point][runs[i].repetition] += strcmp(runs[i].rejected, "-") == 0;
	}
	cr_assert_eq(attempts, 1);
	for (size_t i = 0; i < (size_t)LOADS * CONTENDERS; i++)
		for (size_t j = 0; j < REPETITIONS; j++)
			cr_assert_eq(done[i][j], 1, "cut at %zu: point %zu, repetition %zu: %d",
				     cut, i, j, done[i][j]);
	free(runs);
}

static size_t make_whole(const struct place *place, char text[TEXT_BYTES])
{
	struct store store = of(place);
	char why[STORE_WHY_MAX];
	char path[256];

	store.seed = SEED;
	cr_assert_eq(store_open(&store, false, why), 0, "%s", why);
	measure_rest(&store);
	store_close(&store);
	expect_complete(place, 0);
	return read_text(inside(place, "runs.csv", path), text);
}

Test(resume, a_file_that_ends_at_any_byte_is_completed_with_nothing_lost_or_doubled)
{
	static char text[TEXT_BYTES];
	struct place place = make_place();
	size_t length = make_whole(&place, text);

	for (size_t cut = 0; cut <= length; cut++) {
		struct store store = of(&place);
		char why[STORE_WHY_MAX];
		char path[256];
		int64_t line;

		write_text(inside(&place, "runs.csv", path), text, cut);
		cr_assert_eq(store_open(&store, true, why), 0, "cut at %zu: %s", cut, why);
		store_whole_lines(text, cut, &line);
		cr_assert_eq(store.cut_line, line, "cut at %zu", cut);
		measure_rest(&store);
		store_close(&store);
		expect_complete(&place, cut);
	}
	remove_place(&place);
}

/* Killed while the folder was set up: whichever of its files are there. */
Test(resume, a_sweep_that_had_hardly_begun_begins)
{
	static const char *const files[] = { "runs.csv", "sweep.json", "plan.ini", "machine.json" };
	struct place place = make_place();

	for (size_t there = 0; there <= 4; there++) {
		struct store store = of(&place);
		char why[STORE_WHY_MAX];
		char path[256];

		remove_files(place.out);
		store.seed = SEED;
		if (there > 0)
			cr_assert_eq(store_open(&store, false, why), 0, "%s", why);
		store_close(&store);
		for (size_t i = there; i < 4; i++)
			unlink(inside(&place, files[i], path));
		if (there > 0)
			write_text(inside(&place, "runs.csv", path), "", 0);
		store = of(&place);
		store.seed = there < 2 ? SEED : 0; /* it is there from then on */
		cr_assert_eq(store_open(&store, true, why), 0, "%zu: %s", there, why);
		measure_rest(&store);
		store_close(&store);
		expect_complete(&place, there);
	}
	remove_place(&place);
}

Test(resume, what_was_begun_is_not_begun_again_nor_gone_on_with_differently)
{
	static char text[TEXT_BYTES];
	static const struct {
		bool resume;
		int64_t seed;
		int64_t budget_ns;
		const char *plan;    /* NULL: the same */
		const char *missing; /* a file that is not there */
		const char *word;
	} table[] = {
		{ false, 0, 0, NULL, NULL, "--resume" },
		{ true, SEED + 1, 0, NULL, NULL, "has seed 11" },
		{ true, 0, NS_PER_S, NULL, NULL, "begun with none" },
		{ true, 0, 0, "[plan]\nname = other\n", NULL, "name = other" },
		{ true, 0, 0, NULL, "plan.ini", "plan.ini" },
		{ true, 0, 0, NULL, "sweep.json", "older cwt" },
	};
	struct place place = make_place();
	char why[STORE_WHY_MAX];
	char path[256];

	make_whole(&place, text);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct store store = of(&place);
		const char *plan = table[i].plan ? table[i].plan : PLAN;

		write_text(place.plan, plan, strlen(plan));
		if (table[i].missing)
			unlink(inside(&place, table[i].missing, path));
		store.seed = table[i].seed;
		store.budget_ns = table[i].budget_ns;
		cr_expect_neq(store_open(&store, table[i].resume, why), 0, "%s", table[i].word);
		cr_expect_not_null(strstr(why, table[i].word), "%s", why);
		cr_expect_null(strchr(why, '\n'));
		store_close(&store);
		expect_complete(&place, i);
	}
	remove_place(&place);
}

Test(resume, a_row_that_is_no_row_is_told_with_its_line)
{
	static char text[TEXT_BYTES];
	struct place place = make_place();
	size_t length = make_whole(&place, text);
	struct store store = of(&place);
	char *second = memchr(text, '\n', length);
	char why[STORE_WHY_MAX];
	char path[256];

	second[1] = 'x';
	write_text(inside(&place, "runs.csv", path), text, length);
	cr_expect_neq(store_open(&store, true, why), 0);
	cr_expect_not_null(strstr(why, "runs.csv:2:"), "%s", why);
	store_close(&store);
	remove_place(&place);
}

Test(resume, seed_and_budget_are_those_that_it_was_begun_with)
{
	struct place place = make_place();
	struct store store = of(&place);
	char why[STORE_WHY_MAX];

	store.seed = SEED;
	store.budget_ns = 90LL * NS_PER_S;
	cr_assert_eq(store_open(&store, false, why), 0, "%s", why);
	store_close(&store);
	store = of(&place);
	read_plan.seed = SEED + 1;
	cr_assert_eq(store_open(&store, true, why), 0, "%s", why);
	cr_expect_eq(store.seed, SEED);
	cr_expect_eq(store.budget_ns, 90LL * NS_PER_S);
	store_close(&store);
	remove_place(&place);
}

/* A lower one would leave out what is there; a higher one has more measured. */
Test(resume, a_budget_can_be_raised_only)
{
	struct place place = make_place();
	struct store store = of(&place);
	char why[STORE_WHY_MAX];

	store.budget_ns = 90LL * NS_PER_S;
	cr_assert_eq(store_open(&store, false, why), 0, "%s", why);
	store_close(&store);
	store = of(&place);
	store.budget_ns = 89LL * NS_PER_S;
	cr_expect_neq(store_open(&store, true, why), 0);
	cr_expect_not_null(strstr(why, "raised only"), "%s", why);
	store_close(&store);
	for (int i = 0; i < 2; i++) { /* with the higher one, then without any: it is kept */
		store = of(&place);
		store.budget_ns = i == 0 ? 120LL * NS_PER_S : 0;
		cr_assert_eq(store_open(&store, true, why), 0, "%s", why);
		cr_expect_eq(store.budget_ns, 120LL * NS_PER_S);
		store_close(&store);
	}
	remove_place(&place);
}

Test(resume, without_any_other_the_seed_is_the_plans_or_one_of_its_own)
{
	struct place place = make_place();
	struct store store = of(&place);
	char why[STORE_WHY_MAX];

	read_plan.seed = 5;
	cr_assert_eq(store_open(&store, false, why), 0, "%s", why);
	cr_expect_eq(store.seed, 5);
	store_close(&store);
	remove_files(place.out);
	store = of(&place);
	cr_assert_eq(store_open(&store, false, why), 0, "%s", why);
	cr_expect_gt(store.seed, 0);
	store_close(&store);
	remove_place(&place);
}

Test(resume, two_sweeps_do_not_write_to_one_folder)
{
	struct place place = make_place();
	struct store first = of(&place);
	struct store second = of(&place);
	char why[STORE_WHY_MAX];

	cr_assert_eq(store_open(&first, false, why), 0, "%s", why);
	cr_expect_neq(store_open(&second, true, why), 0);
	cr_expect_not_null(strstr(why, "another sweep"), "%s", why);
	store_close(&second);
	store_close(&first);
	cr_expect_eq(store_open(&second, true, why), 0, "%s", why);
	store_close(&second);
	remove_place(&place);
}

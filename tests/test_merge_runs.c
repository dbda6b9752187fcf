#include "tests/merge_reports.h"
#include "tests/outcomes.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(merge_runs, .timeout = 120);

enum { FOLDER_MAX = 64, PATH_SIZE = 128 };

/* What the programs that start from now on read from stdin. */
static void feed(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
}

static void save(const char *path, const char *bytes)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fputs(bytes, file);
	fclose(file);
}

static json_t *json_of(const struct outcome *outcome)
{
	json_t *root = json_loads(outcome->output.bytes, 0, NULL);

	cr_assert_not_null(root, "'%s'; %s", outcome->output.bytes, outcome->errors);
	return root;
}

/* Two runs at the same time; their reports are in paths a and b, what they sum up to in `sum`. */
static void run_two(const char *a, const char *b, double *requests, double *throughput)
{
	static const char *const connections[] = { "2", "3" };
	const char *const paths[] = { a, b };
	static struct scripted server;
	struct program programs[2];
	char address[NET_TEXT_MAX];
	char url[PATH_SIZE];

	scripted_start(&server, &(struct script){ .reply = scripted_good });
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, address));
	for (int i = 0; i < 2; i++)
		program_start(&programs[i], "CWT",
			      WORDS("load", url, "--json", "--connections", connections[i],
				    "--rate", "200", "--duration", "500ms", "--warmup", "200ms",
				    "--ramp", "0", "--calibrate", "0", "--fail-on", "none"));
	for (int i = 0; i < 2; i++) {
		struct outcome outcome = outcome_of(&programs[i]);
		json_t *root = json_of(&outcome);

		*requests += number(root, "requests");
		*throughput += number(root, "throughput_rps");
		save(paths[i], outcome.output.bytes);
		free(outcome.output.bytes);
		json_decref(root);
	}
	scripted_stop(&server);
}

/* Whether the runs overlap, and so are valid, is the machine's business. */
static void expect_merged(const json_t *root, double requests, double throughput, int status)
{
	const char *verdict = text(root, "verdict");

	cr_expect_eq(number(root, "connections"), 5);
	cr_expect_eq(number(root, "rate_rps"), 400);
	cr_expect_eq(number(root, "requests"), requests);
	cr_expect_float_eq(number(root, "throughput_rps"), throughput, 1e-3);
	cr_expect_eq(number_at(root, "merged", "reports"), 2);
	cr_expect_eq(number_at(root, "merged", "targets"), 1);
	cr_expect_eq(status, strcmp(verdict, "valid") == 0 ? 0 : 5, "%d: %s", status, verdict);
}

Test(merge_runs, two_runs_are_merged_and_that_again_with_files_and_figures)
{
	char folder[FOLDER_MAX] = "/tmp/cwt-test-merge-XXXXXX";
	char paths[4][PATH_SIZE];
	double requests = 0;
	double throughput = 0;
	struct outcome outcome;
	struct text log;
	json_t *root;
	int fd;

	cr_assert_not_null(mkdtemp(folder));
	for (int i = 0; i < 4; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%d", folder, i);
	run_two(paths[0], paths[1], &requests, &throughput);
	outcome =
		cwt(WORDS("load", paths[0], "--merge", "--json", "--hdr-log", paths[2], paths[1]));
	root = json_of(&outcome);
	expect_merged(root, requests, throughput, outcome.status);
	json_decref(root);
	fd = open(paths[2], O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	log = client_receive(fd, 0);
	cr_expect_not_null(strstr(log.bytes, "Tag=intended,0.000,"));
	cr_expect_not_null(strstr(log.bytes, "Tag=sent,0.000,"));
	free(log.bytes);
	save(paths[3], outcome.output.bytes);
	free(outcome.output.bytes);

	/* As text, with one more. */
	feed(paths[3]);
	outcome = cwt(WORDS("load", "--merge", "-", paths[0]));
	cr_expect_not_null(strstr(outcome.output.bytes, "from 3 reports of 1 target\n"), "%s",
			   outcome.output.bytes);
	cr_expect_not_null(strstr(outcome.output.bytes, "7 connections, open loop, 600 requests/s"),
			   "%s", outcome.output.bytes);
	free(outcome.output.bytes);
	for (int i = 0; i < 4; i++)
		unlink(paths[i]);
	rmdir(folder);
}

Test(merge_runs, what_cannot_be_merged_is_one_line_and_status_2)
{
	char folder[FOLDER_MAX] = "/tmp/cwt-test-merge-XXXXXX";
	char good[PATH_SIZE];
	char other[PATH_SIZE];
	json_t *report = make_report(&(struct made){ .connections = 1, .step = 9 });
	char *bytes = json_dumps(report, 0);
	const struct {
		const char *content; /* of the other file; NULL: there is none */
		const char *words[5];
		const char *word;
	} table[] = {
		{ "", { "--merge", NULL }, "2 to 256 reports, not 0" },
		{ "", { "--merge", good, NULL }, "2 to 256 reports, not 1" },
		{ "", { "--merge", good, other, NULL }, other },
		{ "{\"schema\": 2", { "--merge", good, other, NULL }, "not JSON" },
		{ "{\"schema\": 1}", { "--merge", good, other, NULL }, "schema 1" },
		{ "{\"requests\": NaN}", { "--merge", good, other, NULL }, "not JSON" },
		{ NULL, { "--merge", good, other, NULL }, "cannot be read" },
		{ bytes, { "--merge", good, other, NULL }, "same report" },
		{ "", { "--merge", "-", good, NULL }, "stdin is not JSON" },
		{ bytes, { "--merge", "-", "-", NULL }, "once" },
		{ bytes, { "--merge", good, other, "--rate=5", NULL }, "--rate" },
		{ bytes, { "--merge", good, other, "--fail-on=luck", NULL }, "luck" },
		{ bytes, { "--merge", good, other, "--plot=/nonexistent/a.svg", NULL }, "a.svg" },
	};

	cr_assert_not_null(mkdtemp(folder));
	snprintf(good, sizeof(good), "%s/good", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	save(good, bytes);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *words[7] = { "load" };
		struct outcome outcome;
		const char *end;

		memcpy(&words[1], table[i].words, sizeof(table[i].words));
		unlink(other);
		if (table[i].content)
			save(other, table[i].content);
		feed(table[i].content ? other : "/dev/null");
		outcome = cwt(words);
		end = strchr(outcome.errors, '\n');
		cr_expect_eq(outcome.status, 2, "row %zu: %d", i, outcome.status);
		cr_expect_str_empty(outcome.output.bytes);
		cr_expect(end && end[1] == '\0', "'%s'", outcome.errors);
		cr_expect_not_null(strstr(outcome.errors, table[i].word), "row %zu: %s", i,
				   outcome.errors);
		free(outcome.output.bytes);
	}
	unlink(good);
	unlink(other);
	rmdir(folder);
	free(bytes);
	json_decref(report);
}

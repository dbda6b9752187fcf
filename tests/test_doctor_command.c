/* `cwt doctor` as a program, and what a sweep leaves of it. */
#include "tests/outcomes.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(doctor_command, .timeout = 60);

enum { PATH_SIZE = 512 };

/* Any verdict is the machine's to give. */
static void expect_verdict(const struct outcome *outcome)
{
	cr_expect(outcome->status == 0 || outcome->status == 3 || outcome->status == 5,
		  "status %d: %s", outcome->status, outcome->errors);
	cr_expect_str_empty(outcome->errors);
}

/* The field that a path such as "limits.tasks" leads to. */
static const json_t *field(const json_t *root, const char *path)
{
	char copy[128];
	char *rest;
	const json_t *value = root;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, ".", &rest); name; name = strtok_r(NULL, ".", &rest))
		value = json_object_get(value, name);
	cr_assert_not_null(value, "no %s", path);
	return value;
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_text_or_null(const json_t *value)
{
	return json_is_string(value) || json_is_null(value);
}

static bool is_number(const json_t *value)
{
	return json_is_number(value);
}

static bool is_number_or_null(const json_t *value)
{
	return json_is_number(value) || json_is_null(value);
}

static bool is_bool(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_list(const json_t *value)
{
	return json_is_array(value);
}

/* docs/doctor.md. */
static const struct {
	const char *path;
	bool (*is)(const json_t *value);
} fields[] = {
	{ "schema", is_number },
	{ "verdict", is_text },
	{ "interrupted", is_bool },
	{ "duration_ns", is_number },
	{ "watched_ns", is_number },
	{ "server_cpus", is_text },
	{ "load_cpus", is_text },
	{ "findings", is_list },
	{ "processors.online", is_text },
	{ "processors.allowed", is_text },
	{ "processors.cores", is_number },
	{ "processors.server_siblings", is_text },
	{ "processors.generator_siblings", is_text },
	{ "machine.virtual", is_bool },
	{ "machine.hypervisor", is_text_or_null },
	{ "machine.clock_source", is_text_or_null },
	{ "machine.governor", is_text_or_null },
	{ "machine.boost", is_number_or_null },
	{ "machine.idle_exit_us", is_number_or_null },
	{ "cross_core.states", is_number },
	{ "cross_core.low_ns", is_number },
	{ "cross_core.high_ns", is_number },
	{ "cross_core.high_share", is_number },
	{ "cross_core.changes", is_number },
	{ "cross_core.samples_ns", is_list },
	{ "speed.operations_per_ns", is_number },
	{ "speed.p05", is_number },
	{ "speed.p95", is_number },
	{ "speed.spread", is_number },
	{ "speed.count", is_number },
	{ "speed.by_second", is_bool },
	{ "clocks.resolution_ns", is_number },
	{ "clocks.read_ns", is_number },
	{ "clocks.read_cpu_ns", is_number },
	{ "clocks.cpu_accounting", is_text_or_null },
	{ "server.steal", is_number_or_null },
	{ "server.others", is_number_or_null },
	{ "server.interrupts_per_s", is_number_or_null },
	{ "server.busiest_interrupt", is_text_or_null },
	{ "server.sleep_late.count", is_number },
	{ "server.sleep_late.p50_ns", is_number },
	{ "server.sleep_late.p99_ns", is_number },
	{ "server.sleep_late.max_ns", is_number },
	{ "generator.steal", is_number_or_null },
	{ "generator.sleep_late.count", is_number },
	{ "busiest", is_list },
	{ "limits.descriptors", is_number_or_null },
	{ "limits.user_processes", is_number_or_null },
	{ "limits.threads_max", is_number_or_null },
	{ "limits.pid_max", is_number_or_null },
	{ "limits.tasks", is_number_or_null },
	{ "limits.max_map_count", is_number_or_null },
	{ "limits.somaxconn", is_number_or_null },
	{ "limits.ports", is_number_or_null },
	{ "limits.tcp_tw_reuse", is_number_or_null },
	{ "limits.perf_event_paranoid", is_number_or_null },
	{ "limits.io_uring_disabled", is_number_or_null },
	{ "limits.io_uring", is_bool },
	{ "limits.transparent_hugepages", is_text_or_null },
	{ "limits.available_bytes", is_number_or_null },
	{ "limits.swap_used_bytes", is_number_or_null },
	{ "limits.swapped_pages", is_number_or_null },
	{ "limits.throttled", is_number_or_null },
	{ "limits.group_pids.limit", is_number_or_null },
	{ "limits.group_pids.used", is_number_or_null },
	{ "limits.group_memory.limit", is_number_or_null },
	{ "limits.group_cpu.limit", is_number_or_null },
};

static int level_of(const char *level)
{
	static const char *const levels[] = { "ok", "note", "warning", "bad" };

	for (int i = 0; i < 4; i++)
		if (strcmp(level, levels[i]) == 0)
			return i;
	cr_assert(false, "no level %s", level);
	return -1;
}

/* The worst level of the findings, of which each has its fields. */
static int worst_of(const json_t *root)
{
	const json_t *list = field(root, "findings");
	size_t index;
	const json_t *finding;
	int worst = 0;

	cr_expect_gt(json_array_size(list), 30);
	json_array_foreach(list, index, finding)
	{
		int level = level_of(json_string_value(field(finding, "level")));

		cr_expect(is_text(field(finding, "check")));
		cr_expect(is_text(field(finding, "finding")));
		cr_expect(is_text(field(finding, "spoils")));
		cr_expect(is_text_or_null(field(finding, "remedy")));
		if (level > worst)
			worst = level;
	}
	return worst;
}

Test(doctor_command, the_answer_in_json_has_the_documented_fields_and_its_status_is_its_verdict)
{
	static const struct {
		const char *verdict;
		int status;
	} verdicts[] = { { "fit", 0 }, { "fit", 0 }, { "noisy", 3 }, { "unfit", 5 } };
	struct outcome outcome = cwt(WORDS("doctor", "--duration", "200ms", "--json"));
	json_t *root = outcome_json(&outcome);
	int worst = worst_of(root);

	expect_verdict(&outcome);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		cr_expect(fields[i].is(field(root, fields[i].path)), "%s", fields[i].path);
	cr_expect_str_eq(json_string_value(field(root, "verdict")), verdicts[worst].verdict);
	cr_expect_eq(outcome.status, verdicts[worst].status);
	cr_expect_eq(json_integer_value(field(root, "duration_ns")), 200000000);
	cr_expect_str_eq(json_string_value(field(root, "server_cpus")), "0");
	cr_expect_str_eq(json_string_value(field(root, "load_cpus")), "1");
	json_decref(root);
}

Test(doctor_command, the_answer_for_people_begins_with_the_verdict)
{
	const char *const *const table[] = {
		WORDS("doctor", "--duration", "100ms"),
		WORDS("doctor", "--duration", "100ms", "--verbose"),
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome outcome = cwt(table[i]);
		const char *start = outcome.status == 0   ? "fit to measure"
				    : outcome.status == 3 ? "measurable, but noisy"
							  : "not fit to measure";

		expect_verdict(&outcome);
		cr_expect_eq(strncmp(outcome.output.bytes, start, strlen(start)), 0, "%s",
			     outcome.output.bytes);
		cr_expect_eq(strstr(outcome.output.bytes, "spoils: memory per connection") != NULL,
			     i == 1, "%s", outcome.output.bytes);
		free(outcome.output.bytes);
	}
}

/* A processor that no machine of tests has. */
Test(doctor_command, processors_that_are_not_there_are_named_and_the_machine_is_unfit)
{
	struct outcome outcome =
		cwt(WORDS("doctor", "--duration", "100ms", "--server-cpus", "1023"));

	cr_expect_eq(outcome.status, 5);
	cr_expect_not_null(strstr(outcome.output.bytes, "no processor 1023"));
	free(outcome.output.bytes);
}

Test(doctor_command, a_signal_ends_the_watching_and_what_was_seen_is_reported)
{
	struct program program;
	struct text output;
	json_t *root;

	program_start(&program, "CWT", WORDS("doctor", "--duration", "1h", "--json"));
	/* It has taken the signal over when it has a place of its own for it. */
	for (;;) {
		char path[64];
		char line[256];
		unsigned long long caught = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/status", (int)program.pid);
		file = fopen(path, "re");
		cr_assert_not_null(file);
		while (fgets(line, sizeof(line), file))
			sscanf(line, "SigCgt: %llx", &caught);
		fclose(file);
		if (caught & 1ULL << (SIGINT - 1))
			break;
		usleep(1000);
	}
	kill(program.pid, SIGINT);
	output = client_receive(program.output, 0);
	cr_expect_eq(program_wait(&program), 130);
	close(program.errors);
	root = json_loads(output.bytes, 0, NULL);
	cr_assert_not_null(root, "%s", output.bytes);
	cr_expect(json_is_true(field(root, "interrupted")));
	cr_expect_lt(json_integer_value(field(root, "watched_ns")),
		     json_integer_value(field(root, "duration_ns")));
	json_decref(root);
	free(output.bytes);
}

Test(doctor_command, a_mistake_in_usage_is_one_line_and_status_2)
{
	static const struct {
		const char *words[8];
		const char *cause;
	} table[] = {
		{ { "doctor", "north" }, "north" },
		{ { "doctor", "--duration", "5" }, "--duration 5" },
		{ { "doctor", "--duration", "1ms" }, "the least is 100ms" },
		{ { "doctor", "--quick", "--duration", "1s" }, "--quick" },
		{ { "doctor", "--server-cpus", "x" }, "--server-cpus x" },
		{ { "doctor", "--json", "--verbose" }, "--verbose" },
		{ { "doctor", "--brush" }, "unknown option --brush" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome outcome = cwt(table[i].words);

		cr_expect_eq(outcome.status, 2, "row %zu: %d", i, outcome.status);
		cr_expect_str_empty(outcome.output.bytes);
		cr_expect_not_null(strstr(outcome.errors, table[i].cause), "%s", outcome.errors);
		cr_expect_eq(strcspn(outcome.errors, "\n") + 1, strlen(outcome.errors));
		free(outcome.output.bytes);
	}
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static char *read_file(const char *folder, const char *name)
{
	static char text[65536];
	char path[PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	cr_assert_not_null(file, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* Three runs, as a sweep leaves them. */
static void write_runs(const char *folder)
{
	char path[PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/runs.csv", folder);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	cr_assert_eq(run_write_header(file), 0);
	for (int i = 0; i < 3; i++) {
		struct run run = lawful_run(10, 5000000, 100000000, 100);

		cr_assert_eq(run_write(file, &run), 0);
	}
	fclose(file);
}

#define FINDING(level, check)                                                                      \
	"{\"check\": \"" check "\", \"level\": \"" level "\", \"finding\": \"" check " found\", "  \
	"\"spoils\": \"the " check "\", \"remedy\": \"mend " check "\"}"

Test(doctor_command, summary_and_report_have_the_findings_that_are_not_ok_the_worst_first)
{
	char folder[] = "/tmp/cwt-doctor-XXXXXX";
	struct outcome outcome;
	json_t *summary;
	const json_t *list;
	char *text;

	cr_assert_not_null(mkdtemp(folder));
	write_runs(folder);
	write_file(folder, "doctor.json",
		   "{\"verdict\": \"noisy\", \"watched_ns\": 3000000000, \"findings\": [" FINDING(
			   "ok", "a") ", " FINDING("note", "b") ", " FINDING("warning", "c") "]}");
	outcome = cwt(WORDS("check", folder));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	summary = json_loads(read_file(folder, "summary.json"), 0, NULL);
	list = field(summary, "doctor.findings");
	cr_expect_str_eq(json_string_value(field(summary, "doctor.verdict")), "noisy");
	cr_assert_eq(json_array_size(list), 2);
	cr_expect_str_eq(json_string_value(field(json_array_get(list, 0), "check")), "c");
	cr_expect_str_eq(json_string_value(field(json_array_get(list, 1), "check")), "b");
	json_decref(summary);

	outcome = cwt(WORDS("report", folder));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	text = strstr(read_file(folder, "report.md"), "## Machine");
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "found it **noisy**"));
	cr_expect_not_null(strstr(text,
				  "- **warning**, c: c found. Spoils the c. Remedy: `mend c`\n"
				  "- **note**, b: b found. Spoils the b."));
	cr_expect_null(strstr(text, "a found"));
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

Test(doctor_command, a_folder_without_the_doctors_answer_is_reported_without_it)
{
	static const char *const texts[] = { NULL, "{", "{}", "[]", "{\"findings\": 1}" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char folder[] = "/tmp/cwt-doctor-XXXXXX";
		struct outcome outcome;

		cr_assert_not_null(mkdtemp(folder));
		write_runs(folder);
		if (texts[i])
			write_file(folder, "doctor.json", texts[i]);
		outcome = cwt(WORDS("check", folder));
		cr_expect_eq(outcome.status, 0, "row %zu: %s", i, outcome.errors);
		free(outcome.output.bytes);
		cr_expect_null(strstr(read_file(folder, "summary.json"), "\"doctor\""), "row %zu",
			       i);
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
}

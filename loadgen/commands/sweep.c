/* cwt sweep: measure a plan's points and append each run to runs.csv. */
#include "common/clock.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/doctor_store.h"
#include "loadgen/model/audit.h"
#include "loadgen/sweep/limits.h"
#include "loadgen/sweep/measure.h"
#include "loadgen/target/machine.h"
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LABEL_MAX = 160, CLOCK_MAX = 32 };

struct sweep {
	struct plan plan;
	const char *plan_path;
	const char *out;
	int64_t doctor_ns; /* for which the machine is looked at first */
	struct measure measure;
	FILE *runs;
	int64_t sequence;
	int64_t total; /* runs that the plan asks for */
	int64_t done;
	int64_t left_ns; /* by the estimate, of the runs not begun */
	char label[LABEL_MAX];
	bool terminal;
};

static const char program[] = "cwt sweep";

static char *format_clock(char text[CLOCK_MAX], int64_t ns)
{
	long long seconds = (ns + NS_PER_S / 2) / NS_PER_S;

	snprintf(text, CLOCK_MAX, "%lld:%02lld", seconds / 60, seconds % 60);
	return text;
}

static void add_label(char label[LABEL_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_label(char label[LABEL_MAX], const char *format, ...)
{
	size_t used = strlen(label);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(label + used, LABEL_MAX - used, format, arguments);
	va_end(arguments);
}

static void set_label(struct sweep *sweep, const struct run *asked)
{
	char *label = sweep->label;
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];

	label[0] = '\0';
	add_label(label, "%s: %s", asked->case_name, asked->arch);
	if (asked->threads > 0)
		add_label(label, " t=%lld", (long long)asked->threads);
	add_label(label, " c=%s w=%s N=%lld", units_format_duration_exact(c, asked->cpu_ns),
		  units_format_duration_exact(w, asked->wall_ns), (long long)asked->connections);
	if (asked->idle > 0)
		add_label(label, " idle=%lld", (long long)asked->idle);
	if (asked->footprint_bytes > 0)
		add_label(label, " footprint=%s", units_format_size(c, asked->footprint_bytes));
	if (asked->requests_per_connection > 0)
		add_label(label, " requests/connection=%lld",
			  (long long)asked->requests_per_connection);
}

static void on_progress(void *context, const struct load_progress *progress)
{
	struct sweep *sweep = context;
	char left[CLOCK_MAX];

	fprintf(stderr, "\r[%lld/%lld] %-62.62s %s left ", (long long)sweep->done + 1,
		(long long)sweep->total, sweep->label,
		format_clock(left, sweep->left_ns + progress->left_ns));
}

static void print_run(const struct sweep *sweep, const struct run *run,
		      const struct audit_failure *failures, int failed)
{
	char left[CLOCK_MAX];

	if (sweep->terminal)
		fprintf(stderr, "\r%100s\r", "");
	printf("[%lld/%lld] %-62s %10.2f/s", (long long)sweep->done, (long long)sweep->total,
	       sweep->label, run->throughput_rps);
	if (failed > 0)
		printf("  invalid: %s: %s", audit_names[failures[0].audit], failures[0].why);
	printf("  (%s left)\n", format_clock(left, sweep->left_ns));
	fflush(stdout);
}

/* Set-up */

static int write_json(const char *out, const char *name, json_t *value)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", out, name);
	rc = json_dump_file(value, path, JSON_INDENT(2));
	json_decref(value);
	return rc == 0 ? 0 : -EIO;
}

static int copy_file(const char *from, const char *out, const char *name)
{
	char path[PATH_MAX];
	char bytes[4096];
	size_t length;
	FILE *in = fopen(from, "re");
	FILE *copy;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", out, name);
	copy = in ? fopen(path, "we") : NULL;
	rc = copy ? 0 : -errno;
	while (rc == 0 && (length = fread(bytes, 1, sizeof(bytes), in)) > 0)
		if (fwrite(bytes, 1, length, copy) != length)
			rc = -EIO;
	if (copy && fclose(copy) != 0)
		rc = -EIO;
	if (in)
		fclose(in);
	return rc;
}

/* The folder, with the plan, the machine and an empty runs.csv in it. */
static int open_out(struct sweep *sweep)
{
	char path[PATH_MAX];
	int rc;

	if (mkdir(sweep->out, 0777) != 0 && errno != EEXIST)
		return options_fail(program, "--out %s: %s", sweep->out, strerror(errno));
	snprintf(path, sizeof(path), "%s/runs.csv", sweep->out);
	sweep->runs = fopen(path, "wxe");
	if (!sweep->runs && errno == EEXIST)
		return options_fail(
			program, "%s is there already: choose another --out, or remove it", path);
	if (!sweep->runs)
		return options_fail(program, "%s: %s", path, strerror(errno));
	rc = run_write_header(sweep->runs);
	if (rc == 0)
		rc = copy_file(sweep->plan_path, sweep->out, "plan.ini");
	if (rc == 0)
		rc = write_json(sweep->out, "machine.json", machine_provenance());
	return rc == 0 ? 0 : options_fail(program, "--out %s: %s", sweep->out, strerror(-rc));
}

static int64_t estimate(struct sweep *sweep)
{
	int64_t ns = 0;

	sweep->total = 0;
	for (size_t i = 0; i < sweep->plan.count; i++) {
		const struct plan_point *point = &sweep->plan.points[i];

		ns += point->timing.repetitions * measure_estimate(point) +
		      measure_estimate_metering(point);
		sweep->total += point->timing.repetitions;
	}
	return ns;
}

static int check_limits(const struct sweep *sweep)
{
	char text[256];
	cpu_set_t both;

	CPU_AND(&both, &sweep->plan.server_cpus, &sweep->plan.load_cpus);
	if (CPU_COUNT(&both) > 0)
		return options_fail(program,
				    "%s: server-cpus and load-cpus must be different processors: "
				    "the server would share its time with the generator",
				    sweep->plan_path);
	for (size_t i = 0; i < sweep->plan.count; i++) {
		const struct plan_point *point = &sweep->plan.points[i];

		if (limits_refusal(&point->asked, text, sizeof(text)))
			return options_fail(program, "[case %s]: %s", point->asked.case_name, text);
	}
	return 0;
}

static void print_points(struct sweep *sweep)
{
	char clock[CLOCK_MAX];
	int64_t ns = estimate(sweep);

	for (size_t i = 0; i < sweep->plan.count; i++) {
		const struct plan_point *point = &sweep->plan.points[i];

		set_label(sweep, &point->asked);
		printf("%-66s %lld x %s\n", sweep->label, (long long)point->timing.repetitions,
		       format_clock(clock, measure_estimate(point)));
	}
	printf("%zu points, %lld runs, about %s min\n", sweep->plan.count, (long long)sweep->total,
	       format_clock(clock, ns));
}

/* Measuring */

/* One repetition, and again while an audit rejects it. Rejected runs are kept in the file. */
static int measure_point(struct sweep *sweep, const struct plan_point *point, int64_t repetition)
{
	struct audit_failure failures[AUDITS];
	int failed = 1;
	int rc = 0;

	set_label(sweep, &point->asked);
	sweep->left_ns -= measure_estimate(point);
	if (repetition == 0)
		sweep->left_ns -= measure_estimate_metering(point);
	for (int64_t attempt = 0; rc == 0 && failed > 0 && attempt < sweep->plan.tries; attempt++) {
		struct run run = point->asked;

		run.repetition = repetition;
		run.sequence = sweep->sequence++;
		rc = measure_run(&sweep->measure, point, &run);
		if (rc == -EINTR)
			break;
		if (rc != 0)
			return options_fail(program, "%s: %s", sweep->label, sweep->measure.why);
		rc = run_write(sweep->runs, &run);
		if (rc != 0)
			return options_fail(program, "%s/runs.csv: %s", sweep->out, strerror(-rc));
		failed = audit_run(&run, failures);
		if (failed == 0 || attempt + 1 == sweep->plan.tries)
			sweep->done++;
		print_run(sweep, &run, failures, failed);
	}
	return rc;
}

/* Repetitions are the outer loop, each the other way round than the last: A B B A. */
static int measure_all(struct sweep *sweep)
{
	int64_t most = 0;
	int rc = 0;

	for (size_t i = 0; i < sweep->plan.count; i++)
		if (sweep->plan.points[i].timing.repetitions > most)
			most = sweep->plan.points[i].timing.repetitions;
	for (int64_t repetition = 0; repetition < most; repetition++) {
		for (size_t i = 0; rc == 0 && i < sweep->plan.count; i++) {
			size_t index = repetition % 2 == 0 ? i : sweep->plan.count - 1 - i;
			const struct plan_point *point = &sweep->plan.points[index];

			if (repetition < point->timing.repetitions)
				rc = measure_point(sweep, point, repetition);
		}
	}
	return rc;
}

static int run_sweep(struct sweep *sweep)
{
	char programs[PATH_MAX] = "";
	char log[PATH_MAX];
	char clock[CLOCK_MAX];
	int64_t start = clock_now_ns();
	int rc = check_limits(sweep);

	if (rc == 0)
		rc = open_out(sweep);
	if (rc != 0)
		return rc;
	if (readlink("/proc/self/exe", programs, sizeof(programs) - 1) < 0)
		return options_fail(program, "/proc/self/exe: %s", strerror(errno));
	snprintf(log, sizeof(log), "%s/server.log", sweep->out);
	sweep->left_ns = estimate(sweep);
	sweep->measure = (struct measure){
		.plan = &sweep->plan,
		.programs = dirname(programs),
		.log = log,
		.stop = &command_stopped,
		.on_progress = sweep->terminal ? on_progress : NULL,
		.context = sweep,
	};
	command_catch_stop();
	rc = doctor_store(sweep->out, &sweep->plan.server_cpus, &sweep->plan.load_cpus,
			  sweep->doctor_ns, &command_stopped);
	if (rc != 0)
		return options_fail(program, "%s/doctor.json: %s", sweep->out, strerror(-rc));
	rc = measure_begin(&sweep->measure);
	if (rc != 0)
		rc = options_fail(program, "%s", sweep->measure.why);
	else
		rc = measure_all(sweep);
	measure_end(&sweep->measure);
	if (rc == -EINTR) {
		fprintf(stderr, "\n%s: interrupted: the %lld runs in %s/runs.csv are valid\n",
			program, (long long)sweep->done, sweep->out);
		return CWT_INTERRUPTED;
	}
	if (rc == 0)
		printf("%lld runs in %s: %s/runs.csv\n", (long long)sweep->done,
		       format_clock(clock, clock_now_ns() - start), sweep->out);
	return rc;
}

int command_sweep(int argc, char **argv)
{
	struct sweep sweep = { .terminal = isatty(STDERR_FILENO) != 0,
			       .doctor_ns = 3LL * NS_PER_S };
	char why[PLAN_WHY_MAX];
	bool dry_run = false;
	struct option_spec specs[] = {
		{ "out", OPTION_TEXT, &sweep.out, "DIR",
		  "a folder for runs.csv, machine.json, doctor.json, plan.ini and server.log" },
		{ "doctor", OPTION_DURATION, &sweep.doctor_ns, "TIME",
		  "look at the machine first, as cwt doctor does, for so long; 0: do not" },
		{ "dry-run", OPTION_FLAG, &dry_run, NULL,
		  "list the points and the time they take" },
	};
	struct option_table table = {
		.program = program,
		.usage = "PLAN.ini --out DIR",
		.about = "Measures the points of a plan: each server is started on its own "
			 "processors,\n"
			 "driven, metered from outside and stopped. Each run is a row of "
			 "DIR/runs.csv.",
		.notes = "Ctrl-C ends it; the runs until then stay valid.\n"
			 "Exit status: 0 all measured, 1 a server or the machine failed, 2 usage, "
			 "130 interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int operands;
	int rc;

	switch (options_parse(&table, argc, argv, &operands)) {
	case OPTIONS_HELP:
		return CWT_OK;
	case OPTIONS_USAGE:
		return CWT_USAGE;
	case OPTIONS_OK:
		break;
	}
	if (operands + 1 != argc)
		return options_complain(&table, operands == argc ? "which plan? such as "
								   "scripts/plans/quick.ini"
								 : "one plan at a time");
	if (!dry_run && !sweep.out)
		return options_complain(&table, "where to? --out DIR");
	sweep.plan_path = argv[operands];
	rc = plan_read(sweep.plan_path, &sweep.plan, why);
	if (rc != 0)
		rc = options_fail(program, "%s", why) + 1;
	else if (dry_run)
		print_points(&sweep);
	else
		rc = run_sweep(&sweep);
	if (sweep.runs)
		fclose(sweep.runs);
	plan_free(&sweep.plan);
	return rc < 0 ? CWT_BROKEN : rc;
}

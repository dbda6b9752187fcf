#include "tests/sweeps.h"
#include "common/clock.h"
#include "common/random.h"
#include "loadgen/sweep/run.h"
#include "tests/programs.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 2,
	PATH_BYTES = 256,
	KILL_LEAST_NS = 20 * NS_PER_MS,
	KILL_MOST_NS = 400 * NS_PER_MS, /* 12 windows of 50 ms take longer */
};

/* Nothing is metered beforehand where there is no work. */
static const char plan_text[] =
	"[plan]\nrepetitions = 4\nrepetitions-most = 4\nwindow = 50ms\nwarmup = 0\ntries = 2\n"
	"[case tiny]\nwait = none\narch = loop, pool\ncpu = 0\nwall = 0\nconnections = 2\n"
	"threads = 2\n"
	"[case other]\nwait = none\narch = loop\ncpu = 0\nwall = 0\nconnections = 3\n";

int sweeps_are_possible(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(0, &set) &&
	       CPU_ISSET(1, &set);
}

static void pass(int64_t ns)
{
	struct timespec left = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	while (nanosleep(&left, &left) != 0)
		;
}

/* Sweep until it ends, or is killed after so long (0: never). Returns whether it ended. */
static bool sweep(const char *plan, const char *out, int64_t kill_after_ns)
{
	const char *const words[] = { "sweep", plan, "--out", out, "--resume", NULL };
	struct program program;
	char errors[PROGRAM_ERRORS_MAX];
	int status;

	program_start(&program, "CWT", words);
	if (kill_after_ns > 0) {
		pass(kill_after_ns);
		kill(program.pid, SIGKILL);
	}
	free(client_receive(program.output, 0).bytes);
	status = program_wait(&program);
	if (status == -1 && kill_after_ns > 0)
		return false;
	cr_assert_eq(status, 0, "%d: %s", status, program_errors(&program, errors));
	return true;
}

/* Attempts are numbered from 0, and all but the last one were rejected. */
static void expect_repetition(const struct run *runs, int64_t count, const struct run *first,
			      int64_t repetition)
{
	int64_t attempts = 0;
	bool accepted = false;

	for (int64_t i = 0; i < count; i++) {
		if (!run_same_point(&runs[i], first) || runs[i].repetition != repetition)
			continue;
		cr_expect_eq(runs[i].attempt, attempts++);
		cr_expect_not(accepted, "measured again though it was accepted");
		accepted = strcmp(runs[i].rejected, "-") == 0;
	}
	cr_expect(accepted || attempts == TRIES, "%s N=%lld, repetition %lld: %lld attempts",
		  first->arch, (long long)first->connections, (long long)repetition,
		  (long long)attempts);
}

static void expect_complete(const char *out)
{
	struct run *runs;
	char path[PATH_BYTES];
	char why[512] = "";
	int64_t count;
	int points = 0;

	snprintf(path, sizeof(path), "%s/runs.csv", out);
	count = run_read_all(path, &runs, why, sizeof(why));
	cr_assert_geq(count, SWEEPS_POINTS * SWEEPS_REPETITIONS, "%lld rows; %s", (long long)count,
		      why);
	for (int64_t i = 0; i < count; i++) {
		bool known = false;

		cr_expect_eq(runs[i].sequence, i);
		cr_expect_eq(runs[i].seed, runs[0].seed);
		cr_expect_lt(runs[i].repetition, SWEEPS_REPETITIONS);
		for (int64_t j = 0; j < i; j++)
			known = known || run_same_point(&runs[j], &runs[i]);
		for (int64_t j = 0; !known && j < SWEEPS_REPETITIONS; j++)
			expect_repetition(runs, count, &runs[i], j);
		points += !known;
	}
	cr_expect_eq(points, SWEEPS_POINTS);
	free(runs);
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);

	for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
	     entry = readdir(folder)) {
		char inside[PATH_BYTES + 300];

		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(inside);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}

int sweeps_kill(int kills, uint64_t seed)
{
	char folder[] = "/tmp/cwt-test-sweeps-XXXXXX";
	char plan[64];
	char out[64];
	struct random random = { seed };
	FILE *file;
	int killed = 0;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(plan, sizeof(plan), "%s/plan.ini", folder);
	snprintf(out, sizeof(out), "%s/out", folder);
	file = fopen(plan, "we");
	cr_assert_not_null(file);
	fputs(plan_text, file);
	fclose(file);
	for (int i = 0; i < kills; i++) {
		double part = random_uniform(&random);
		int64_t span_ns = KILL_MOST_NS - KILL_LEAST_NS;

		killed += !sweep(plan, out, KILL_LEAST_NS + (int64_t)(part * (double)span_ns));
	}
	cr_expect(sweep(plan, out, 0));
	expect_complete(out);
	remove_folder(out);
	remove_folder(folder);
	return killed;
}

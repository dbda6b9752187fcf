#include "loadgen/commands/doctor_store.h"
#include "loadgen/commands/commands.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void show_progress(int64_t left_ns)
{
	char left[COMMAND_CLOCK_MAX];

	fprintf(stderr, "\rlooking at the machine: %s left ", command_format_clock(left, left_ns));
}

struct facts *doctor_look_shown(struct doctor_look look)
{
	bool terminal = isatty(STDERR_FILENO) != 0;
	struct facts *facts;

	look.on_progress = terminal ? show_progress : NULL;
	facts = doctor_look(&look);
	if (terminal)
		fprintf(stderr, "\r%40s\r", "");
	return facts;
}

/* "machine: noisy: cross-core, steal (DIR/doctor.json)" */
static void print_summary(const struct doctor_finding findings[DOCTOR_CHECKS],
			  enum doctor_level worst, const char *path)
{
	const char *separator = ": ";

	if (worst < DOCTOR_WARNING)
		return;
	printf("machine: %s", doctor_verdict(worst));
	for (int level = DOCTOR_BAD; level >= DOCTOR_WARNING; level--)
		for (int i = 0; i < DOCTOR_CHECKS; i++)
			if ((int)findings[i].level == level) {
				printf("%s%s", separator, findings[i].check->name);
				separator = ", ";
			}
	printf(" (%s; cwt doctor says more)\n", path);
}

static int write_answer(const char *path, const struct facts *facts)
{
	struct doctor_finding findings[DOCTOR_CHECKS];
	enum doctor_level worst = doctor_judge(facts, findings);
	json_t *answer = doctor_json(facts, findings);
	int rc = json_dump_file(answer, path, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

	json_decref(answer);
	if (rc == 0)
		print_summary(findings, worst, path);
	return rc == 0 ? 0 : -EIO;
}

int doctor_store(const char *directory, const cpu_set_t *server, const cpu_set_t *load,
		 int64_t duration_ns, const atomic_bool *stop)
{
	const struct doctor_look look = {
		.server = *server,
		.load = *load,
		.duration_ns = duration_ns,
		.stop = stop,
	};
	char path[PATH_MAX];
	struct facts *facts;
	int rc;

	if (duration_ns == 0)
		return 0;
	facts = doctor_look_shown(look);
	if (!facts)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/doctor.json", directory);
	rc = facts->watch.interrupted ? 0 : write_answer(path, facts);
	free(facts);
	return rc;
}

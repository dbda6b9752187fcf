/*
 * Is this machine fit to measure on? Facts are gathered (facts.h), and each check makes a finding
 * of them: how bad it is, what it would spoil, and the command that mends it. After the checks of
 * the system's limits that twemproxy's and tcpkali's users know, and of pyperf's `system show`.
 */
#pragma once
#include "loadgen/doctor/facts.h"
#include <jansson.h>
#include <stdatomic.h>

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_NOTE,    /* to know when reading figures; no reason not to measure */
	DOCTOR_WARNING, /* some figures will be noisy, or some plans refused */
	DOCTOR_BAD,     /* nothing that is measured here can be believed, or not even begun */
	DOCTOR_LEVELS,
};

extern const char *const doctor_level_names[DOCTOR_LEVELS];

enum { DOCTOR_TEXT_MAX = 320 };

struct doctor_finding {
	const struct doctor_check *check;
	enum doctor_level level;
	char what[DOCTOR_TEXT_MAX];
	/* Shell commands, as root, for the shell that starts cwt; "" where none would help. */
	char remedy[DOCTOR_TEXT_MAX];
};

/* A row of the table in checks.c. */
struct doctor_check {
	const char *name;
	const char *spoils; /* what suffers, if it is not as it should be */
	void (*judge)(const struct facts *facts, struct doctor_finding *finding);
};

enum { DOCTOR_CHECKS = 34 };

extern const struct doctor_check doctor_checks[DOCTOR_CHECKS];

/* Judge by each check, in the table's order. Returns the worst level. */
enum doctor_level doctor_judge(const struct facts *facts,
			       struct doctor_finding findings[DOCTOR_CHECKS]);

struct doctor_look {
	cpu_set_t server; /* processors of the server, and of generator and backend */
	cpu_set_t load;
	int64_t duration_ns;
	const atomic_bool *stop;              /* ends it early; NULL: nothing does */
	void (*on_progress)(int64_t left_ns); /* or NULL */
};

/*
 * Look at this machine for so long. Returns the facts, which the caller frees with free(); NULL
 * without memory.
 */
struct facts *doctor_look(const struct doctor_look *look);

enum doctor_level doctor_worst(const struct doctor_finding findings[DOCTOR_CHECKS]);

/* Facts and findings as a JSON object, as docs/doctor.md has it: a new reference. */
json_t *doctor_json(const struct facts *facts, const struct doctor_finding findings[DOCTOR_CHECKS]);

/* The same in one word: "fit", "noisy" or "unfit". */
const char *doctor_verdict(enum doctor_level worst);

/* For people, to stdout, the worst first; with `verbose`, all that was seen. */
void doctor_print(const struct facts *facts, const struct doctor_finding findings[DOCTOR_CHECKS],
		  bool verbose);

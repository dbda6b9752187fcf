/*
 * The audits of docs/model.md: laws that a run must obey before its figure is believed. A run that
 * fails one is invalid, and counts neither for nor against the model. Where no work is asked for,
 * the generator may be the limit, and the utilisation law is for points with a prediction.
 *
 * The laws of Little and of utilisation hold exactly for constant times, and on average for
 * exponential ones: their tolerance then grows with the standard error that so many requests leave.
 */
#pragma once
#include "loadgen/sweep/run.h"
#include <stdbool.h>

enum audit {
	AUDIT_COMPLETENESS, /* every reply checked, and right */
	AUDIT_GENERATOR,    /* the generator had time to spare */
	AUDIT_LISTEN_QUEUE, /* no connection was dropped by the kernel */
	AUDIT_MACHINE,      /* nobody else ran, and the machine stayed as it was */
	AUDIT_LITTLE,       /* N = X·R */
	AUDIT_UTILISATION,  /* U = X·c */
	AUDITS,
};

enum { AUDIT_TEXT_MAX = 200 };

/* A generator that is busier than this share of a core is the limit. */
#define AUDIT_CLIENT_BUSY_MOST 0.85

struct audit_failure {
	enum audit audit;
	char why[AUDIT_TEXT_MAX];
	const char *remedy;
};

extern const char *const audit_names[AUDITS];
extern const char *const audit_words[AUDITS]; /* the same in one word, as in runs.csv */

/*
 * How far a figure may be off: 3 % of it; 6 % where c is below 1 ms, because there the error of o
 * shows (docs/model.md).
 */
double audit_tolerance(const struct run *run);

/* c_cal, the CPU time that a request of this architecture is expected to cost: work and o. */
double audit_cpu_cal_s(const struct run *run);

/* The audits that the run fails, in failures[]. Returns their number. */
int audit_run(const struct run *run, struct audit_failure failures[AUDITS]);

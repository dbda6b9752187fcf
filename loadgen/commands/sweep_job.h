/* What the files of cwt sweep share: the sweep, and what it says of itself. */
#pragma once
#include "loadgen/model/audit.h"
#include "loadgen/sweep/budget.h"
#include "loadgen/sweep/label.h"
#include "loadgen/sweep/measure.h"
#include "loadgen/sweep/store.h"

/* How fast it gets on, against the estimate. */
struct sweep_pace {
	int64_t began_ns;     /* this process */
	int64_t estimated_ns; /* of the repetitions that it has done */
	int64_t before_ns;    /* by the estimate, of those that were done before it began */
	double factor;        /* how much longer than estimated they take: tries, and the machine */
};

struct sweep {
	struct plan plan;
	const char *plan_path;
	bool resume;
	int64_t doctor_ns; /* for which the machine is looked at first */
	bool terminal;     /* stderr is one */
	struct store store;
	struct design design;
	struct ledger ledger;
	struct estimate estimate;
	struct measure measure;
	struct sweep_pace pace;
	char label[LABEL_MAX]; /* of the point that is measured */
	int64_t left_ns;       /* when it is done */
	int64_t total;         /* repetitions, as far as it can tell */
};

extern const char sweep_program[];

/* Measuring (sweep_measure.c) */

/* All that the design asks for and the budget allows. Returns an exit status. */
int sweep_measure(struct sweep *sweep);

/* The pace, when the estimate is what it knows. */
void sweep_begin_pace(struct sweep *sweep);

/* What the sweep has taken, in this process and in those before it. */
double sweep_spent_ns(const struct sweep *sweep);

/* Progress (sweep_progress.c) */

/* Lists the points with the time that each takes, and the sum. */
void sweep_print_plan(const struct sweep *sweep);

/* How much there is to do, with what seed, and what a budget leaves out of it. */
void sweep_print_beginning(const struct sweep *sweep);

/* On the terminal, while a repetition goes on. */
void sweep_show_progress(void *context, const struct load_progress *progress);

void sweep_print_run(struct sweep *sweep, const struct run *run,
		     const struct audit_failure failures[AUDITS], int failed);

/* How many runs in what time, and which points are known less well than the plan asks. */
void sweep_print_end(const struct sweep *sweep, bool out_of_time);

/* Describe the point in sweep->label, and say how much will be left behind it. */
void sweep_begin_point(struct sweep *sweep, size_t point, int64_t repetition);

/*
 * Why a point is not where the model has it, from what was counted there. Each cause is one thing
 * that was counted, put into the model in place of what the model assumed; what that does to X is
 * what the cause explains. A cause is named if it explains at least half of the residual, two if
 * neither does alone. What nothing counted explains is said to be so.
 *
 * A request's time is CPU time, time in the processors' queue, and neither: all three are counted
 * by the kernel or follow from what is (operational laws, Denning & Buzen 1978). CPU time beyond
 * what was metered is put down to context switches where there are enough of them, at no more each
 * than a switch is known to cost (Li, Ding & Shen, ExpCS 2007: some µs, with what it evicts), and
 * to caches otherwise.
 */
#pragma once
#include "loadgen/model/verdict.h"

enum cause {
	CAUSE_UNEXPLAINED,
	/* Between the published model and the calibrated prediction. */
	CAUSE_CONNECTIONS, /* too few to use what the server has */
	CAUSE_OWN_COST,    /* c_cal is not c */
	CAUSE_LATE_WAIT,   /* w_cal is not w: timer, backend, network */
	CAUSE_QUEUEING,    /* requests meet at the processor: the knee is soft */
	/* Between that and the measurement. */
	CAUSE_ACCEPT,   /* connections not accepted or served */
	CAUSE_MEMORY,   /* the machine ran out of it */
	CAUSE_CLIENT,   /* the generator could not keep up */
	CAUSE_SWITCHES, /* CPU time beyond c_cal, in context switches */
	CAUSE_CACHE,    /* CPU time beyond c_cal that switches do not account for */
	CAUSE_CHEAPER,  /* CPU time below c_cal: less was needed than metered beforehand */
	CAUSE_DELAYED,  /* ready threads waited longer for a processor than the model's queue */
	CAUSE_ASLEEP,   /* waits took longer, or shorter, under load than alone */
	CAUSE_IDLE,     /* processors idle where the model has them busy */
	CAUSES,
};

/* Short, for a table's cell. */
extern const char *const cause_names[CAUSES];

enum { CAUSE_WHY_MAX = 480 };

/* Which of the two predictions is in question. */
enum cause_of {
	CAUSE_OF_NOMINAL,    /* min(k/c, t/w) as published */
	CAUSE_OF_CALIBRATED, /* what the verdict is about */
};

struct explanation {
	enum cause cause;
	enum cause also;  /* CAUSE_UNEXPLAINED: none */
	double residual;  /* X over the prediction, less 1 */
	double explained; /* of that, by the causes named */
	char why[CAUSE_WHY_MAX];
};

/*
 * Of a point with a prediction. Of an invalid one, what kept it from being judged; where nothing
 * beyond the audit tells, CAUSE_UNEXPLAINED with the audit's sentence.
 */
struct explanation cause_find(const struct point *point, enum cause_of of);

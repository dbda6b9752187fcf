/*
 * What the model makes of a measured curve: which bound binds at a t, what is lost past t*, what
 * rules of thumb would have said, and why t has shifted against a baseline.
 */
#pragma once
#include "loadgen/tune/curve.h"

/* What was measured besides X. Times in s, of a request. */
struct explain_input {
	double cpu_alone_s; /* CPU of a request that comes alone */
	double wall_s;      /* w: latency of a request that comes alone */
	double cores;       /* k */
	double cpu_s;       /* c: CPU of a request at the plateau; 0: not known */
	double busy;        /* processors that the server used at the plateau */
};

enum explain_bound {
	EXPLAIN_THREADS, /* t/w: more threads would do more */
	EXPLAIN_CPU,     /* k/c: the processors are busy */
	EXPLAIN_LOCK,    /* one processor's worth of several: a lock, such as an interpreter's */
	EXPLAIN_OTHER,   /* neither: what it waits for gives no more */
};

extern const char *const explain_bounds[]; /* a word for each, for scripts */

/* The Universal Scalability Law, X(t) = l·t/(1 + s(t - 1) + p·t(t - 1)) (Gunther). */
struct usl {
	double rate;       /* l: X of one thread */
	double contention; /* s: the share that is serial */
	double coherence;  /* p: the cost of each pair */
	double peak;       /* t of the highest X, sqrt((1 - s)/p); INFINITY if p is 0 */
};

/*
 * Fit it to the points of at least `from`, by least squares over t/X, which is a polynomial of t:
 * (1 - s)/l + (s - p)/l·t + p/l·t^2, with no negative p. Returns 0, or -ENODATA for fewer than
 * three points.
 */
int usl_fit(const struct curve *curve, double from, struct usl *usl);

/* A rule of thumb for t, and what it would have cost. */
struct explain_rule {
	const char *name;
	int64_t t;
	double loss; /* share of the plateau; 0 if none */
};

enum { EXPLAIN_RULES = 2 };

/*
 * Where X is well below what even requests at random would leave, threads are in each other's way.
 * Those in step wait for each other (convoys, docs/does-the-model-hold.md), which differs between
 * starts and with time.
 */
struct explain_sag {
	int64_t t;           /* where most is missing; 0: nowhere */
	double rps;          /* X there */
	double random_rps;   /* the closed network's, of w and of the plateau as its one station */
	int64_t together_t;  /* that is recommended */
	double together_rps; /* X there if all wait for all */
};

struct explanation {
	double t_star;            /* k·w/c */
	enum explain_bound bound; /* of the plateau */
	double gain;              /* requests/s that one more thread would bring at t */
	bool has_usl;
	struct usl usl; /* of what is past t */
	struct explain_sag sag;
	double past_loss; /* share of the plateau that is lost at the highest t measured */
	int64_t past_t;   /* which is that */
	struct explain_rule rules[EXPLAIN_RULES]; /* 2k + 1; Goetz: k(1 + wait/cpu) */
};

/*
 * Look for the point between half the crossing and the plateau's end where most is missing: 3 %,
 * and the runs' scatter, at the least, of what the closed network has. together_rps is the
 * pessimistic bound of operational analysis (Lazowska et al.), t/(w + (t - 1)/plateau).
 */
struct explain_sag explain_sag(const struct curve *curve, const struct curve_answer *answer,
			       double wall_s);

void explain(const struct curve *curve, const struct curve_answer *answer,
	     const struct explain_input *input, struct explanation *explanation);

/* What a baseline knew of the same server. Zeros are not known. */
struct baseline {
	int64_t t;
	double low;
	double high;
	double cpu_s;
	double wall_s;
	double cores;
	double plateau;
};

enum shift_cause { SHIFT_NONE, SHIFT_CPU, SHIFT_WALL, SHIFT_CORES, SHIFT_UNKNOWN };

extern const char *const shift_causes[]; /* a word for each */

struct shift {
	bool has_baseline;
	enum shift_cause cause;
	double cpu; /* now over then; 0: not known */
	double wall;
	double cores;
	double t; /* of the crossing */
};

/*
 * Which of c, w and k has shifted t: ln t* = ln k + ln w - ln c, and the term that changed most in
 * the direction that t has, if it has by more than `least`. SHIFT_UNKNOWN: t has, and none of them.
 */
struct shift explain_shift(const struct baseline *then, const struct baseline *now, double least);

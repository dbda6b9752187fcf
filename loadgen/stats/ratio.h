/*
 * The ratio NEW/BASE of a figure that was measured several times on each side, and how well it is
 * known. Estimated is ln(NEW/BASE), by the difference of the means of the logarithms. Nobody
 * promises that both sides scatter alike, so its interval is Student's with Welch's degrees of
 * freedom (1947); that is too narrow where a side has far fewer values than the other, so the one
 * with a common scatter is taken where it is the wider of the two. With as many on each side it
 * never is.
 *
 * Kalibera and Jones (Rigorous Benchmarking in Reasonable Time, ISMM 2013) take Fieller's interval
 * (1954) of the ratio of means. It is exact where both sides are normal and scatter alike, but may
 * be unbounded or miss a side, and BASE/NEW has another than 1/(NEW/BASE). On logarithms neither
 * happens, and where the scatter is below 10 % the two are the same to within a twentieth of their
 * width (tests/test_ratio.c). A bootstrap is no choice for so few: with three values its percentile
 * interval holds the true ratio 4 times in 5 only, since none of its resamples leaves the range of
 * what was seen (likewise there). What is asked of an interval is that it holds the truth 95 times
 * in 100 with 3, 5 and 10 values; this one does, or a little more often.
 *
 * Hierarchy, as Kalibera and Jones have it: what varies at the highest level is what counts. If a
 * side has several sweeps, each value given here is the mean of one; what scatters within them is
 * in how these scatter.
 */
#pragma once
#include <stddef.h>

struct ratio {
	double log;            /* of NEW/BASE */
	double error;          /* its standard error */
	double freedom;        /* degrees of freedom of the error; 0: nothing is known of it */
	double common_error;   /* likewise, if both sides scatter alike */
	double common_freedom; /* 0: it is the same */
	double resolution;     /* by how much else `log` may be off, however often it is measured */
};

/*
 * From values that are independent of each other. With a single value on one side, its scatter is
 * taken to be that of the other; with one on each, freedom is 0. Returns 0, or -EINVAL if there is
 * none on a side, or one is not a number above 0. result->resolution is 0, and the caller's to set.
 */
int ratio_of_means(const double *base, size_t bases, const double *newer, size_t newers,
		   struct ratio *result);

/* From pairs that have in common what else would scatter. Errors as above. */
int ratio_of_pairs(const double *base, const double *newer, size_t pairs, struct ratio *result);

/* Half of the interval of `log` at that confidence, such as 0.95; INFINITY if freedom is 0. */
double ratio_half(const struct ratio *ratio, double confidence);

/*
 * The p-value of "the true `log` is at most `edge`", and of "at least": small if it surely is not.
 * It is below (1 - confidence)/2 just if the whole interval at that confidence lies beyond the
 * edge. 1 if freedom is 0.
 */
double ratio_p_above(const struct ratio *ratio, double edge);
double ratio_p_below(const struct ratio *ratio, double edge);

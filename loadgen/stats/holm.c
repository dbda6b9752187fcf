#include "loadgen/stats/holm.h"
#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

int holm_adjust(const double *p, size_t count, double *adjusted)
{
	size_t *order = calloc(count + 1, sizeof(*order));
	double least = 0;

	if (!order)
		return -ENOMEM;
	gsl_sort_index(order, p, 1, count);
	for (size_t i = 0; i < count; i++) {
		/* Whatever is larger than one that was not found is not found either. */
		least = fmax(least, fmin(1, (double)(count - i) * p[order[i]]));
		adjusted[order[i]] = least;
	}
	free(order);
	return 0;
}

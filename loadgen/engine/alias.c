#include "loadgen/engine/alias.h"
#include <errno.h>
#include <stdlib.h>

/*
 * `share` is what of each choice is left to be put somewhere, in columns. One that is less than a
 * column is put into its own, which is filled up with one that is more.
 */
static void pair(struct alias_column *columns, double *share, int *stack, int count)
{
	int small = 0;
	int large = count; /* small ones grow from the stack's start, large ones from its end */

	for (int i = 0; i < count; i++) {
		/* What stays with itself, for no column is left to share: the height is no matter.
		 */
		columns[i] = (struct alias_column){ UINT64_MAX, i };
		stack[share[i] < 1 ? small++ : --large] = i;
	}
	while (small > 0 && large < count) {
		int less = stack[--small];
		int more = stack[large];

		columns[less] = (struct alias_column){ (uint64_t)(share[less] * 0x1p64), more };
		share[more] -= 1 - share[less];
		if (share[more] < 1) {
			large++;
			stack[small++] = more;
		}
	}
}

int alias_fill(struct alias_column *columns, const double *weights, int count)
{
	double *share = calloc((size_t)count, sizeof(*share));
	int *stack = calloc((size_t)count, sizeof(*stack));
	double sum = 0;
	int rc = -ENOMEM;

	if (!share || !stack)
		goto out;
	for (int i = 0; i < count; i++)
		sum += weights[i];
	for (int i = 0; i < count; i++)
		share[i] = weights[i] / sum * count;
	pair(columns, share, stack, count);
	rc = 0;
out:
	free(stack);
	free(share);
	return rc;
}

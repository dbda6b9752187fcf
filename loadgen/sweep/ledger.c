#include "loadgen/sweep/ledger.h"
#include "loadgen/sweep/figure.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ledger_begin(struct ledger *ledger, const struct plan *plan)
{
	int64_t most = 1;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->points[i].timing.repetitions_most > most)
			most = plan->points[i].timing.repetitions_most;
	*ledger = (struct ledger){
		.plan = plan,
		.points = calloc(plan->count + 1, sizeof(*ledger->points)),
		.figures = calloc((size_t)most, sizeof(*ledger->figures)),
	};
	return ledger->points && ledger->figures ? 0 : -ENOMEM;
}

void ledger_end(struct ledger *ledger)
{
	for (size_t i = 0; ledger->points && i < ledger->plan->count; i++)
		free(ledger->points[i].repetitions);
	free(ledger->points);
	free(ledger->figures);
	ledger->points = NULL;
	ledger->figures = NULL;
}

static int64_t find_point(const struct plan *plan, const struct run *run)
{
	for (size_t i = 0; i < plan->count; i++)
		if (run_same_point(&plan->points[i].asked, run))
			return (int64_t)i;
	return -ENOENT;
}

/* Room up to that repetition; what is new is not begun. */
static int make_room(struct ledger_point *point, int64_t repetition)
{
	int64_t room = point->room > 0 ? point->room : 1;
	struct ledger_repetition *more;

	while (room <= repetition)
		room *= 2;
	if (room == point->room)
		return 0;
	more = realloc(point->repetitions, (size_t)room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + point->room, 0, (size_t)(room - point->room) * sizeof(*more));
	point->repetitions = more;
	point->room = room;
	return 0;
}

static void accept(struct ledger_repetition *repetition, const struct run *run, enum plan_y figure)
{
	double windows[FIGURE_WINDOWS_MAX];

	repetition->accepted = true;
	repetition->figure = figure_of(run, figure);
	repetition->windows = interval_of(windows, figure_windows(run, windows));
}

int64_t ledger_add(struct ledger *ledger, const struct run *run)
{
	int64_t index = find_point(ledger->plan, run);
	struct ledger_repetition *repetition;
	struct ledger_point *point;

	if (index < 0)
		return index;
	if (run->repetition < 0 ||
	    run->repetition >= ledger->plan->points[index].timing.repetitions_most)
		return -ERANGE;
	if (ledger_is_done(ledger, (size_t)index, run->repetition))
		return -EEXIST;
	point = &ledger->points[index];
	if (make_room(point, run->repetition) != 0)
		return -ENOMEM;
	repetition = &point->repetitions[run->repetition];
	repetition->block = run->block;
	repetition->attempts++;
	if (strcmp(run->rejected, "-") == 0)
		accept(repetition, run, ledger->plan->figure);
	ledger->done += ledger_is_done(ledger, (size_t)index, run->repetition);
	if (run->sequence >= ledger->sequence)
		ledger->sequence = run->sequence + 1;
	if (run->block >= ledger->block)
		ledger->block = run->block + 1;
	return index;
}

const struct ledger_repetition *ledger_find(const struct ledger *ledger, size_t point,
					    int64_t repetition)
{
	const struct ledger_point *known = &ledger->points[point];

	if (repetition >= known->room || known->repetitions[repetition].attempts == 0)
		return NULL;
	return &known->repetitions[repetition];
}

bool ledger_is_done(const struct ledger *ledger, size_t point, int64_t repetition)
{
	const struct ledger_repetition *known = ledger_find(ledger, point, repetition);

	return known && (known->accepted || known->attempts >= ledger->plan->tries);
}

struct interval ledger_interval(const struct ledger *ledger, size_t point, int64_t before)
{
	const struct ledger_repetition *last = NULL;
	size_t count = 0;
	bool repeated = false;

	for (int64_t i = 0; i < before && i < ledger->points[point].room; i++) {
		const struct ledger_repetition *known = ledger_find(ledger, point, i);

		repeated = repeated || (known && i > 0);
		if (!known || !known->accepted)
			continue;
		ledger->figures[count++] = known->figure;
		last = known;
	}
	if (count == 1 && !repeated && ledger->plan->figure == PLAN_Y_THROUGHPUT)
		return last->windows;
	return interval_of(ledger->figures, count);
}

bool ledger_is_precise(const struct ledger *ledger, size_t point, int64_t before)
{
	struct interval interval = ledger_interval(ledger, point, before);

	return interval.count >= 2 &&
	       interval.half <= ledger->plan->precision * fabs(interval.mean);
}

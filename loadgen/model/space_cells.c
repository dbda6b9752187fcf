#include "loadgen/model/space_cells.h"
#include <math.h>

struct cell {
	enum space_times times;
	bool is_limited;
	long c;
	long ratio;
	long t; /* decades; 0 of what has no t */
};

static struct cell cell_of(const struct point *point)
{
	const struct run *run = &point->first;
	bool is_limited = archs_is_limited(run->arch);

	return (struct cell){
		.times = space_times_of(run),
		.is_limited = is_limited,
		.c = lround(log10((double)run->cpu_ns)),
		.ratio = lround(log10((double)run->wall_ns / (double)run->cpu_ns)),
		.t = is_limited ? lround(log10(fmax(1, point->population))) : 0,
	};
}

static bool is_same_cell(const struct point *a, const struct point *b)
{
	struct cell one = cell_of(a);
	struct cell two = cell_of(b);

	return one.times == two.times && one.is_limited == two.is_limited && one.c == two.c &&
	       one.ratio == two.ratio && one.t == two.t;
}

/* What is counted of points: all that have a prediction, or those that were judged. */
typedef bool is_counted(const struct point *);

static bool is_predicted(const struct point *point)
{
	return run_is_predicted(&point->first);
}

static bool is_first_of_cell(const struct point *points, int64_t index, is_counted *counted)
{
	for (int64_t i = 0; i < index; i++)
		if (counted(&points[i]) && is_same_cell(&points[i], &points[index]))
			return false;
	return true;
}

static int64_t count_cells(const struct point *points, int64_t count, is_counted *counted)
{
	int64_t cells = 0;

	for (int64_t i = 0; i < count; i++)
		cells += counted(&points[i]) && is_first_of_cell(points, i, counted);
	return cells;
}

static bool is_near(const struct point *point, enum space_ruler ruler)
{
	return fabs(space_residual(point, ruler)) <= SPACE_NEAR;
}

/* The share of near points in the cell of points[index]. */
static double near_in_cell(const struct point *points, int64_t count, int64_t index,
			   enum space_ruler ruler)
{
	double near = 0;
	double all = 0;

	for (int64_t i = index; i < count; i++) {
		if (!verdict_is_judged(&points[i]) || !is_same_cell(&points[i], &points[index]))
			continue;
		near += is_near(&points[i], ruler);
		all++;
	}
	return near / all;
}

static void find_fit(const struct point *points, int64_t count, int times, enum space_ruler ruler,
		     struct space_fit *fit)
{
	for (int64_t i = 0; i < count; i++) {
		if (!verdict_is_judged(&points[i]) ||
		    (times < SPACE_TIMES && (int)space_times_of(&points[i].first) != times))
			continue;
		fit->points++;
		fit->of_points += is_near(&points[i], ruler);
		if (!is_first_of_cell(points, i, verdict_is_judged))
			continue;
		fit->cells++;
		fit->of_space += near_in_cell(points, count, i, ruler);
	}
	if (fit->points == 0)
		return;
	fit->of_points /= (double)fit->points;
	fit->of_space /= (double)fit->cells;
}

void space_find_cells(const struct point *points, int64_t count, struct space *space)
{
	space->cells = count_cells(points, count, is_predicted);
	space->judged_cells = count_cells(points, count, verdict_is_judged);
	for (int times = 0; times <= SPACE_TIMES; times++)
		for (int ruler = 0; ruler < SPACE_RULERS; ruler++)
			find_fit(points, count, times, (enum space_ruler)ruler,
				 &space->fits[times][ruler]);
}

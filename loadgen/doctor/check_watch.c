/* What was measured: the way between the processors, their speed, and how time passes. */
#include "common/clock.h"
#include "loadgen/doctor/checks.h"
#include "loadgen/doctor/series.h"
#include <math.h>
#include <string.h>

static bool say_if_unmeasured(const struct facts *facts, struct doctor_finding *finding)
{
	if (facts->watch.was_bound)
		return false;
	checks_say(finding, DOCTOR_NOTE, "not measured: the processors cannot be used");
	return true;
}

/* Whoever is interrupted half way keeps the line for longer. */
static bool is_disturbed(const struct facts *facts)
{
	return fmax(facts->load.others[FACTS_SERVER], facts->load.others[FACTS_LOAD]) > 0.1;
}

void check_cross_core(const struct facts *facts, struct doctor_finding *finding)
{
	enum { FAR_NS = 150 };
	const struct facts_watch *watch = &facts->watch;
	const struct states *states = &watch->states;
	double seconds = (double)watch->ns / NS_PER_S;

	if (say_if_unmeasured(facts, finding))
		return;
	if (watch->ping_pong_ns.count == 0)
		checks_say(
			finding, DOCTOR_WARNING,
			"a cache line did not get from one processor to the other and back: they "
			"do not run at the same time");
	else if (states->two)
		checks_say(
			finding, DOCTOR_WARNING,
			"two states: a cache line takes %.0f ns, and %.0f for %.0f %% of the time; "
			"%zu change%s in %.3g s%s",
			states->low, states->high, 100 * states->high_share, states->changes,
			states->changes == 1 ? "" : "s", seconds,
			is_disturbed(facts) ? "; the other load may feign that" : "");
	else
		checks_say(
			finding, states->low >= FAR_NS ? DOCTOR_NOTE : DOCTOR_OK,
			"a cache line takes %.0f ns between the processors%s; one state in %.3g s",
			states->low, states->low >= FAR_NS ? ", which is far" : "", seconds);
}

void check_speed(const struct facts *facts, struct doctor_finding *finding)
{
	static const double bounds[] = { 0.03, 0.10, 0.30 };
	struct series_spread spread;
	enum doctor_level level = DOCTOR_OK;

	if (say_if_unmeasured(facts, finding))
		return;
	spread = series_spread_by_second(&facts->watch.speed);
	while (level < DOCTOR_BAD && spread.half > bounds[level])
		level++;
	checks_say(finding, level,
		   "a fixed work takes ±%.1f %% from %s to the next (5 to 95 %% of %zu)",
		   100 * spread.half, spread.by_second ? "one second" : "one moment", spread.count);
}

/* Of the two sides, the worse. */
static int64_t worst_late_ns(const struct facts *facts, double quantile)
{
	int64_t server = histogram_quantile(&facts->watch.late_ns[FACTS_SERVER], quantile);
	int64_t load = histogram_quantile(&facts->watch.late_ns[FACTS_LOAD], quantile);

	return server > load ? server : load;
}

void check_sleep(const struct facts *facts, struct doctor_finding *finding)
{
	enum { NOTE_NS = 200 * NS_PER_US, WARNING_NS = NS_PER_MS, BAD_NS = 10 * NS_PER_MS };
	int64_t p50_ns = worst_late_ns(facts, 0.5);
	int64_t p99_ns = worst_late_ns(facts, 0.99);
	char half[UNITS_TEXT_MAX];
	char tail[UNITS_TEXT_MAX];

	if (say_if_unmeasured(facts, finding))
		return;
	checks_say(finding,
		   p99_ns > BAD_NS       ? DOCTOR_BAD
		   : p99_ns > WARNING_NS ? DOCTOR_WARNING
		   : p50_ns > NOTE_NS    ? DOCTOR_NOTE
					 : DOCTOR_OK,
		   "a sleep ends %s late (p50), %s (p99)",
		   units_format_duration(half, (double)p50_ns),
		   units_format_duration(tail, (double)p99_ns));
}

void check_resolution(const struct facts *facts, struct doctor_finding *finding)
{
	char text[UNITS_TEXT_MAX];

	if (say_if_unmeasured(facts, finding))
		return;
	checks_say(finding, facts->watch.resolution_ns > NS_PER_US ? DOCTOR_WARNING : DOCTOR_OK,
		   "timers have a resolution of %s%s",
		   units_format_duration(text, (double)facts->watch.resolution_ns),
		   facts->watch.resolution_ns > NS_PER_US ? ": that of the tick" : "");
}

void check_clock_cost(const struct facts *facts, struct doctor_finding *finding)
{
	enum { CLOCK_MOST_NS = 200, CPU_CLOCK_MOST_NS = 2000 };
	const struct facts_watch *watch = &facts->watch;
	enum doctor_level level = watch->clock_ns > CLOCK_MOST_NS           ? DOCTOR_WARNING
				  : watch->cpu_clock_ns > CPU_CLOCK_MOST_NS ? DOCTOR_NOTE
									    : DOCTOR_OK;

	if (say_if_unmeasured(facts, finding))
		return;
	checks_say(finding, level,
		   "reading the clock takes %.0f ns%s, a thread's CPU clock %.0f ns%s",
		   watch->clock_ns, level == DOCTOR_WARNING ? ": it is a system call" : "",
		   watch->cpu_clock_ns, level == DOCTOR_NOTE ? ": c below 0.1 ms is coarse" : "");
}

void check_accounting(const struct facts *facts, struct doctor_finding *finding)
{
	if (say_if_unmeasured(facts, finding))
		return;
	if (facts->watch.ticks > 0)
		checks_say(finding, DOCTOR_NOTE,
			   "the kernel guesses user and system time by the tick: wrong for short "
			   "work");
	else
		checks_say(finding, DOCTOR_OK, "user and system time are exact");
}

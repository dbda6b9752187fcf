#include "loadgen/model/cause_effects.h"
#include "common/units.h"
#include "loadgen/model/model.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define SWITCHES_LEAST   1.0   /* a request */
#define SWITCH_COST_MOST 10e-6 /* with what it evicts; more is not the switch's */
#define MEMORY_LEAST     0.05  /* of MemAvailable before the server's start */
#define LAG_LEAST        0.5   /* of the time that a request took longer */

/* The ruler, of other figures than those metered. */
static double ruler(const struct cause_question *question, double n, double c, double w)
{
	w = fmax(w, c);
	return question->is_curve ? model_closed_network(n, c, w, question->k)
				  : model_nominal(n, c, w, question->k);
}

/* A time in seconds as a text. */
struct text {
	char bytes[UNITS_TEXT_MAX];
};

static struct text text_of(double seconds)
{
	struct text text;

	units_format_duration(text.bytes, seconds * 1e9);
	return text;
}

/* And a number of requests a second. */
static struct text rate_of(double rps)
{
	struct text text;

	snprintf(text.bytes, sizeof(text.bytes), rps < 1000 ? "%.4g/s" : "%.0f/s", rps);
	return text;
}

static void tell(struct cause_effect *effect, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct cause_effect *effect, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(effect->why, sizeof(effect->why), format, arguments);
	va_end(arguments);
}

double cause_change(double to, double from)
{
	return from > 0 ? to / from - 1 : 0;
}

/* Between the published model and the calibrated prediction */

static void effect_of_connections(const struct cause_question *question,
				  struct cause_effect *effect)
{
	const struct point *point = question->point;
	double c = (double)point->first.cpu_ns / 1e9;
	double w = (double)point->first.wall_ns / 1e9;

	effect->share = cause_change(model_nominal(point->population, c, w, question->k),
				     point->nominal_rps);
	tell(effect, "%.0f requests at once are all there is to do", point->population);
}

static void effect_of_own_cost(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double n = point->population;
	double c = (double)point->first.cpu_ns / 1e9;
	double w = (double)point->first.wall_ns / 1e9;
	double cal = point->cpu_cal_s;

	effect->share = cause_change(model_nominal(n, cal, fmax(w, cal), question->k),
				     model_nominal(n, c, w, question->k));
	tell(effect,
	     "a request takes %s of CPU, metered beforehand, where c is %s: its own cost is %s, "
	     "with %.1f context switches, and loop's %s",
	     text_of(cal).bytes, text_of(c).bytes,
	     text_of((double)point->first.overhead_ns / 1e9).bytes, point->switches,
	     text_of((double)point->first.overhead_ref_ns / 1e9).bytes);
}

static void effect_of_late_wait(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double n = point->population;
	double w = fmax((double)point->first.wall_ns / 1e9, point->cpu_cal_s);

	effect->share = cause_change(point->calibrated_rps,
				     model_nominal(n, point->cpu_cal_s, w, question->k));
	tell(effect, "one request alone takes %s, where w is %s", text_of(point->wall_cal_s).bytes,
	     text_of((double)point->first.wall_ns / 1e9).bytes);
}

/* Constant times need not queue; how far they did is at most as far as X is below the bound. */
static void effect_of_queueing(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double most = cause_change(point->curve_rps, point->calibrated_rps);
	double seen = fmin(0, cause_change(point->measured.mean, point->calibrated_rps));

	effect->share = run_is_exponential(&point->first) ? most : fmax(most, seen);
	tell(effect, "the closed network has %s where the bound is %s",
	     rate_of(point->curve_rps).bytes, rate_of(point->calibrated_rps).bytes);
}

/* Between that and the measurement */

static void effect_of_accept(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double n = point->population;
	double served = point->first.connections > 0
				? (double)point->first.connections - point->counts.never_served
				: n;

	if (point->counts.dropped > 0) {
		effect->share = question->residual;
		tell(effect, "the listen queue dropped %.0f connections", point->counts.dropped);
		return;
	}
	effect->share = cause_change(
		ruler(question, fmax(1, fmin(n, served)), point->cpu_cal_s, point->wall_cal_s),
		question->ruler_rps);
	tell(effect, "%.0f of %lld connections were never served", point->counts.never_served,
	     (long long)point->first.connections);
}

static void effect_of_memory(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point_counts *counts = &question->point->counts;

	if (counts->available_before_bytes <= 0 ||
	    counts->available_after_bytes > MEMORY_LEAST * counts->available_before_bytes)
		return;
	effect->share = question->residual;
	tell(effect, "MemAvailable fell from %.0f to %.0f MB", counts->available_before_bytes / 1e6,
	     counts->available_after_bytes / 1e6);
}

/* How much longer than by the ruler a request took, by Little's law. */
static double longer_s(const struct cause_question *question)
{
	const struct point *point = question->point;

	return point->measured.mean > 0 ? point->population / point->measured.mean -
						  point->population / question->ruler_rps
					: 0;
}

/* Whether the generator may have had the reply for much of that time. */
static bool is_of_client(const struct cause_question *question)
{
	double longer = longer_s(question);

	return longer > 0 && question->point->counts.lag_p99_s > LAG_LEAST * longer;
}

static void effect_of_client(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point_counts *counts = &question->point->counts;

	if (verdict_is_client_bound(question->point)) {
		effect->share = question->residual;
		tell(effect, "the generator's core was %.0f %% busy", 100 * counts->client_busy);
	} else if (is_of_client(question)) {
		effect->share = question->residual;
		tell(effect,
		     "replies waited up to %s (p99) for the generator, and a request took %s "
		     "longer",
		     text_of(counts->lag_p99_s).bytes, text_of(longer_s(question)).bytes);
	}
}

/*
 * The CPU time of a request beyond what it takes alone makes it longer as well: alone it has to
 * wake the core, and that is in w_cal already.
 */
static double wall_under_load_s(const struct point *point)
{
	double alone = fmax(point->cpu_cal_s, point->counts.cpu_alone_s);

	return point->wall_cal_s + fmax(0, point->server_cpu_s - alone);
}

static double ruler_with_cpu(const struct cause_question *question)
{
	const struct point *point = question->point;

	return ruler(question, point->population, point->server_cpu_s, wall_under_load_s(point));
}

static double cpu_of_switch_s(const struct point *point)
{
	return (point->server_cpu_s - point->cpu_cal_s) / point->switches;
}

static bool is_of_switches(const struct point *point)
{
	return point->switches >= SWITCHES_LEAST && cpu_of_switch_s(point) <= SWITCH_COST_MOST;
}

static void effect_of_cpu(const struct cause_question *question, struct cause_effect *effect)
{
	if (question->point->server_cpu_s > 0)
		effect->share = cause_change(ruler_with_cpu(question), question->ruler_rps);
}

static void effect_of_switches(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;

	if (point->server_cpu_s <= point->cpu_cal_s || !is_of_switches(point))
		return;
	effect_of_cpu(question, effect);
	tell(effect,
	     "%.1f context switches a request, which took %s of CPU where %s were metered: %s "
	     "a switch",
	     point->switches, text_of(point->server_cpu_s).bytes, text_of(point->cpu_cal_s).bytes,
	     text_of(cpu_of_switch_s(point)).bytes);
}

static void effect_of_cache(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;

	if (point->server_cpu_s <= point->cpu_cal_s || is_of_switches(point))
		return;
	effect_of_cpu(question, effect);
	tell(effect,
	     "a request took %s of CPU where %s were metered, more than its %.1f context "
	     "switches can be; the server had %.0f MB",
	     text_of(point->server_cpu_s).bytes, text_of(point->cpu_cal_s).bytes, point->switches,
	     point->rss_bytes / 1e6);
}

static void effect_of_cheaper(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;

	if (point->server_cpu_s >= point->cpu_cal_s)
		return;
	effect_of_cpu(question, effect);
	tell(effect, "a request took %s of CPU, where %s were metered beforehand",
	     text_of(point->server_cpu_s).bytes, text_of(point->cpu_cal_s).bytes);
}

/*
 * The kernel's counts of a thread's waiting are those of a request where each connection has its
 * thread; elsewhere requests wait in queues that it does not know.
 */
static bool has_thread_each(const struct point *point)
{
	const struct arch_traits *traits = archs_find(point->first.arch);

	return traits && traits->limit == RECIPE_LIMIT_CONNECTIONS && point->counts.run_delay_s > 0;
}

static bool is_cpu_bound(const struct point *point)
{
	return point->load >= 1 && !point->knee;
}

static void effect_of_delay(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double wall = wall_under_load_s(point);
	double cycle = point->population / ruler_with_cpu(question);
	double queue = fmax(0, cycle - wall);
	double beyond = point->counts.run_delay_s - queue;

	/* Where the processors are the limit, their queue follows from X, and not X from it. */
	if (!has_thread_each(point) || is_cpu_bound(point) || beyond <= 0)
		return;
	effect->share = cause_change(cycle, cycle + beyond);
	tell(effect,
	     "a request was ready for %s without a processor, where the model has it wait %s",
	     text_of(point->counts.run_delay_s).bytes, text_of(queue).bytes);
}

static void effect_of_sleep(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double alone = fmax(point->cpu_cal_s, point->counts.cpu_alone_s);
	double cpu = fmax(point->server_cpu_s, point->cpu_cal_s);
	double asleep = point->counts.mean_s - point->server_cpu_s - point->counts.run_delay_s;
	double before = fmax(0, point->wall_cal_s - alone);
	double wall = wall_under_load_s(point);

	if (!has_thread_each(point) || is_of_client(question))
		return;
	effect->share =
		cause_change(ruler(question, point->population, cpu, wall + asleep - before),
			     ruler(question, point->population, cpu, wall));
	tell(effect,
	     "of a request's %s, %s were neither on a processor nor in its queue, and alone "
	     "%s",
	     text_of(point->counts.mean_s).bytes, text_of(asleep).bytes, text_of(before).bytes);
}

static void effect_of_idle(const struct cause_question *question, struct cause_effect *effect)
{
	const struct point *point = question->point;
	double expected = fmin(1, ruler_with_cpu(question) * point->server_cpu_s / question->k);

	if (point->load < 1 && !point->knee)
		return; /* they are to be idle there */
	effect->share = fmin(0, cause_change(point->counts.busy, expected));
	tell(effect,
	     "the server's processors were busy for %.0f %% of the time, where the model has "
	     "%.0f %%",
	     100 * point->counts.busy, 100 * expected);
}

/* The table */

const struct cause_rule cause_rules[CAUSE_RULES] = {
	{ CAUSE_CONNECTIONS, STAGE_PREDICTION, effect_of_connections },
	{ CAUSE_OWN_COST, STAGE_PREDICTION, effect_of_own_cost },
	{ CAUSE_LATE_WAIT, STAGE_PREDICTION, effect_of_late_wait },
	{ CAUSE_QUEUEING, STAGE_PREDICTION, effect_of_queueing },
	{ CAUSE_MEMORY, STAGE_FIRST, effect_of_memory },
	{ CAUSE_ACCEPT, STAGE_FIRST, effect_of_accept },
	{ CAUSE_SWITCHES, STAGE_COUNTED, effect_of_switches },
	{ CAUSE_CACHE, STAGE_COUNTED, effect_of_cache },
	{ CAUSE_CHEAPER, STAGE_COUNTED, effect_of_cheaper },
	{ CAUSE_DELAYED, STAGE_COUNTED, effect_of_delay },
	{ CAUSE_ASLEEP, STAGE_COUNTED, effect_of_sleep },
	{ CAUSE_CLIENT, STAGE_SYMPTOM, effect_of_client },
	{ CAUSE_IDLE, STAGE_SYMPTOM, effect_of_idle },
};

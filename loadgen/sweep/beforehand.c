#include "loadgen/sweep/beforehand.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/sweep/archs.h"
#include "loadgen/sweep/drive.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WARMUP_NS = 100 * NS_PER_MS,
	WINDOW_NS = 400 * NS_PER_MS,
	FIRST_NS = 20 * NS_PER_MS,      /* of a processor, at the most */
	KNOWN_WORK_NS = 50 * NS_PER_US, /* while o is metered: see docs/architecture.md */
	TURN_PART_NS = KNOWN_WORK_NS + 20 * NS_PER_US, /* what a request takes then, some */
	SHORT_WALL_NS = 10 * NS_PER_MS,
	WAITING_LEAST = 8, /* connections, where some of them may wait and the server is busy */
};

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int give_up(struct measure *measure, int rc, const char *why)
{
	snprintf(measure->why, sizeof(measure->why), "metering beforehand: %.560s", why);
	return rc;
}

/* Start, drive, stop; the figures go into metered. */
static int meter_once(struct measure *measure, struct metered *metered, struct load_config *config)
{
	struct load_result *result = malloc(sizeof(*result));
	struct drive drive = { .measure = measure, .asked = &metered->asked };
	int rc = result ? drive_start(&drive) : give_up(measure, -ENOMEM, "out of memory");

	if (rc == 0) {
		rc = drive_run(&drive, config, result);
		if (rc == 0 && (result->requests == 0 || result->error_count > 0))
			rc = -EPROTO;
		drive_stop(&drive);
		if (rc != 0 && rc != -EINTR)
			give_up(measure, rc, drive.ended[0] ? drive.ended : strerror(-rc));
	}
	if (rc == 0) {
		metered->latency_ns = (int64_t)histogram_mean(&result->latency);
		metered->cpu_ns =
			(drive.cpu_end_ns - drive.cpu_start_ns) / (int64_t)result->requests;
	}
	free(result);
	return rc;
}

/* What was metered for the same `asked`, with any_overhead whatever its o_ref was; or NULL. */
static const struct metered *find_metered(const struct metered_list *list, const struct run *asked,
					  bool any_overhead)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct run *known = &list->items[i].asked;

		if (run_same_point(known, asked) &&
		    (any_overhead || known->overhead_ref_ns == asked->overhead_ref_ns))
			return &list->items[i];
	}
	return NULL;
}

/* Room for one more, which the list has when it is counted; NULL if there is no memory. */
static struct metered *make_room(struct metered_list *list)
{
	size_t room = list->room > 0 ? 2 * list->room : 16;
	struct metered *more;

	if (list->count < list->room)
		return &list->items[list->count];
	more = realloc(list->items, room * sizeof(*more));
	if (!more)
		return NULL;
	list->items = more;
	list->room = room;
	return &list->items[list->count];
}

/*
 * The figures for `asked`, metered now unless the list has them. NULL with *rc set on failure. They
 * stay where they are until the next call.
 */
static const struct metered *meter(struct measure *measure, struct metered_list *list,
				   const struct run *asked, struct load_config *config,
				   bool any_overhead, int *rc)
{
	const struct metered *known = find_metered(list, asked, any_overhead);
	struct metered *fresh;

	*rc = 0;
	if (known)
		return known;
	fresh = make_room(list);
	if (!fresh) {
		*rc = give_up(measure, -ENOMEM, "out of memory");
		return NULL;
	}
	*fresh = (struct metered){ .asked = *asked };
	*rc = meter_once(measure, fresh, config);
	if (*rc != 0)
		return NULL;
	list->count++;
	return fresh;
}

/*
 * o is of the block: it follows the machine's state, and contenders are to be held against what was
 * metered in the same one. Where c is small it is of the run, and of each further try.
 */
static void forget_overheads(struct metered_list *list, const struct run *run)
{
	const struct run *known = list->count > 0 ? &list->items[0].asked : NULL;

	if (known && (known->block != run->block ||
		      (run->cpu_ns < RUN_SMALL_CPU_NS && known->sequence != run->sequence)))
		list->count = 0;
}

/*
 * A turn of all connections; of threads three, which the scheduler takes until as many of them have
 * their work before them as behind them. Before that the CPU of what is replied to is not that of
 * what is worked on: o of 10,000 threads scattered by 6 us so, and does by 0.5.
 */
static int64_t settling_ns(const struct run *asked)
{
	return (asked->threads > 0 ? 3 : 1) * asked->connections * TURN_PART_NS;
}

/* Of another's processes the first request of each loads what they do not share. */
static int64_t first_requests_ns(const struct run *asked)
{
	const struct arch_traits *traits = archs_find(asked->arch);

	return traits && traits->recipe && traits->processes ? asked->connections * FIRST_NS : 0;
}

static int64_t overhead_warmup_ns(const struct run *asked)
{
	return most(WARMUP_NS, settling_ns(asked)) + first_requests_ns(asked) +
	       2 * drive_quick_ramp_ns(asked->connections);
}

static int64_t overhead_window_ns(const struct run *asked)
{
	return most(WINDOW_NS, 2 * settling_ns(asked));
}

int64_t beforehand_wait_ns(const struct run *run)
{
	int64_t wait_ns = run->wall_ns - run->cpu_ns;
	int64_t busy_ns = run->connections * TURN_PART_NS / run->cores * 3 / 5;

	if (run->connections < WAITING_LEAST * run->cores)
		return 0;
	return wait_ns < busy_ns ? wait_ns : busy_ns;
}

/* Another's proxy does what a proxy does, and no work besides: all that it costs is its own. */
static bool does_work(const struct run *run, const char *arch)
{
	const struct arch_traits *traits = archs_find(arch);

	return !traits || !traits->recipe || strcmp(run->service, "proxy") != 0;
}

/*
 * The cost o of an architecture for this service, this N and this wait: CPU per request beyond a
 * known work.
 */
static int meter_overhead(struct measure *measure, const struct run *run, const char *arch,
			  int64_t threads, int64_t *value_ns)
{
	int64_t known_ns = does_work(run, arch) ? KNOWN_WORK_NS : 0;
	struct run asked = {
		.threads = threads,
		.connections = run->connections,
		.cpu_ns = known_ns,
		.wall_ns = known_ns + beforehand_wait_ns(run),
		.block = run->block,
		.sequence = run->sequence,
	};
	struct load_config config = {
		.connections = run->connections,
		.ramp_ns = drive_quick_ramp_ns(run->connections),
		.window_ns = overhead_window_ns(&asked),
	};
	const struct metered *metered;
	int rc;

	snprintf(asked.arch, sizeof(asked.arch), "%s", arch);
	snprintf(asked.service, sizeof(asked.service), "%s", run->service);
	snprintf(asked.wait, sizeof(asked.wait), "%s", run->wait);
	snprintf(asked.work, sizeof(asked.work), "clock");
	snprintf(asked.distribution, sizeof(asked.distribution), "constant");
	config.warmup_ns = overhead_warmup_ns(&asked);
	metered = meter(measure, &measure->overheads, &asked, &config, false, &rc);
	if (!metered)
		return rc;
	*value_ns = metered->cpu_ns - known_ns;
	if (*value_ns > 0)
		return 0;
	snprintf(measure->why, sizeof(measure->why),
		 "metering beforehand: %s seems to cost less than its work: the machine is too "
		 "disturbed to tell",
		 arch);
	return -EIO;
}

static int64_t wall_window_ns(int64_t wall_ns)
{
	return wall_ns > 2LL * NS_PER_S ? wall_ns + wall_ns / 20
					: most(500LL * NS_PER_MS, 5 * wall_ns);
}

/*
 * What is metered alone: how o_ref differs with N changes the work by a part that w does not
 * notice.
 *
 * Of an exponential point the constant twin is metered. Its means are the same, as nothing queues
 * where there is one connection. They are known from five requests, where the mean of five
 * exponential times would be off by 45 %: for the 0.2 % that constant times are good for it would
 * take 250,000 requests, one after the other.
 */
static struct run ask_alone(const struct run *run)
{
	struct run asked = {
		.threads = run->threads > 0,
		.connections = 1,
		.cpu_ns = run->cpu_ns,
		.wall_ns = run->wall_ns,
		.overhead_ref_ns = run->overhead_ref_ns,
		.footprint_bytes = run->footprint_bytes,
	};

	snprintf(asked.arch, sizeof(asked.arch), "%s", run->arch);
	snprintf(asked.service, sizeof(asked.service), "%s", run->service);
	snprintf(asked.wait, sizeof(asked.wait), "%s", run->wait);
	snprintf(asked.work, sizeof(asked.work), "%s", run->work);
	snprintf(asked.distribution, sizeof(asked.distribution), "constant");
	return asked;
}

bool beforehand_is_short(const struct run *asked)
{
	return asked->wall_ns <= SHORT_WALL_NS;
}

/*
 * One connection alone: its latency is w_cal, and its CPU that of a request to an idle server. It
 * is of the sweep; of the run where w is short, as how late a wait is follows the machine's state:
 * 0.1 ms took 147 us in one state, and 176 in another.
 */
static int meter_alone(struct measure *measure, struct run *run)
{
	struct run asked = ask_alone(run);
	struct load_config config = {
		.connections = 1,
		.window_ns = wall_window_ns(run->wall_ns),
	};
	struct metered of_run = { .asked = asked };
	const struct metered *metered = &of_run;
	int rc;

	if (beforehand_is_short(run))
		rc = meter_once(measure, &of_run, &config);
	else
		metered = meter(measure, &measure->alone, &asked, &config, true, &rc);
	if (rc != 0)
		return rc;
	run->wall_cal_ns = metered->latency_ns;
	run->cpu_alone_ns = metered->cpu_ns;
	return 0;
}

int beforehand_recall(struct measure *measure, const struct run *run)
{
	struct run asked = ask_alone(run);
	struct metered *known;

	if (run->wall_cal_ns == 0 || beforehand_is_short(run) ||
	    find_metered(&measure->alone, &asked, true))
		return 0;
	known = make_room(&measure->alone);
	if (!known)
		return -ENOMEM;
	*known = (struct metered){
		.asked = asked,
		.cpu_ns = run->cpu_alone_ns,
		.latency_ns = run->wall_cal_ns,
	};
	measure->alone.count++;
	return 0;
}

/* c is all that a request costs: the work is what o_ref leaves of it. */
static int set_work(struct measure *measure, struct run *run)
{
	char c[UNITS_TEXT_MAX];
	char o[UNITS_TEXT_MAX];

	run->work_ns = does_work(run, run->arch) ? run->cpu_ns - run->overhead_ref_ns : 0;
	if (run->work_ns >= 0)
		return 0;
	snprintf(measure->why, sizeof(measure->why),
		 "cpu = %s is below what a request costs here before any work, %s",
		 units_format_duration(c, (double)run->cpu_ns),
		 units_format_duration(o, (double)run->overhead_ref_ns));
	return -EDOM;
}

int beforehand_meter(struct measure *measure, struct run *run)
{
	int rc;

	if (run->cpu_ns == 0 || strcmp(run->work, "ops") == 0) {
		run->work_ns = run->cpu_ns;
		return 0;
	}
	forget_overheads(&measure->overheads, run);
	rc = meter_overhead(measure, run, "loop", 0, &run->overhead_ref_ns);
	if (rc == 0)
		rc = set_work(measure, run);
	if (rc != 0 || !run_is_predicted(run))
		return rc;
	rc = meter_overhead(measure, run, run->arch, run->threads, &run->overhead_ns);
	return rc == 0 ? meter_alone(measure, run) : rc;
}

/* One metering of o, of an architecture or, with no threads, of the reference. */
static int64_t estimate_overhead(const struct run *run, int64_t threads)
{
	struct run asked = { .threads = threads, .connections = run->connections };

	snprintf(asked.arch, sizeof(asked.arch), "%s", threads > 0 ? run->arch : "loop");
	return drive_estimate_ns(&asked) + drive_quick_ramp_ns(asked.connections) +
	       overhead_warmup_ns(&asked) + overhead_window_ns(&asked);
}

int64_t beforehand_estimate_reference(const struct run *asked)
{
	return asked->cpu_ns == 0 || strcmp(asked->work, "ops") == 0 ? 0
								     : estimate_overhead(asked, 0);
}

int64_t beforehand_estimate_overhead(const struct run *asked)
{
	return run_is_predicted(asked) && strcmp(asked->arch, "loop") != 0
		       ? estimate_overhead(asked, asked->threads)
		       : 0;
}

int64_t beforehand_estimate_alone(const struct run *asked)
{
	struct run alone = { .connections = 1 };

	return run_is_predicted(asked) ? drive_estimate_ns(&alone) + wall_window_ns(asked->wall_ns)
				       : 0;
}

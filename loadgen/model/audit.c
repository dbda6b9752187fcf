#include "loadgen/model/audit.h"
#include "loadgen/stats/states.h"
#include "common/units.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

const char *const audit_names[AUDITS] = {
	"completeness", "generator", "listen queue", "machine", "Little's law", "utilisation law",
};

const char *const audit_words[AUDITS] = {
	"completeness", "generator", "listen-queue", "machine", "little", "utilisation",
};

#define LITTLE_TOLERANCE  0.02
#define LAG_SHARE_OF_WALL 0.01
#define LAG_LEAST_NS      1e6
#define STEAL_MOST        0.01
#define OTHERS_MOST       0.01
#define OTHERS_ERROR_NS   20e6 /* two ticks: the kernel shows idle time in those */
#define PACKET_NS         400 /* of interrupts that a request's packets bring, and are nobody's time */
#define WAKE_UP_NS        5e3   /* of interrupts that wake an idle processor, likewise */
#define ENDED_NS          8e3   /* of what the kernel clears away behind a thread or a process */
#define IDLE_LEAST_NS     20e3  /* of sleep before that */
#define UTILISATION_ERROR 0.002 /* of a core: 6 ms in 3 s */
#define CHANCE            3.5   /* standard errors: once in 1,000 healthy runs for both laws */

static void fail(struct audit_failure failures[AUDITS], int *count, enum audit audit,
		 const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

static void fail(struct audit_failure failures[AUDITS], int *count, enum audit audit,
		 const char *remedy, const char *format, ...)
{
	struct audit_failure *failure = &failures[*count];
	va_list arguments;

	if (*count > 0 && failures[*count - 1].audit == audit)
		return; /* the first reason is enough */
	failure->audit = audit;
	failure->remedy = remedy;
	va_start(arguments, format);
	vsnprintf(failure->why, sizeof(failure->why), format, arguments);
	va_end(arguments);
	(*count)++;
}

double audit_tolerance(const struct run *run)
{
	return run->cpu_ns < RUN_SMALL_CPU_NS ? 0.06 : 0.03;
}

double audit_cpu_cal_s(const struct run *run)
{
	return (double)(run->work_ns + run->overhead_ns) / 1e9;
}

/*
 * What random times add to the laws' tolerances. The laws hold for a whole request; what a window
 * cuts off at its edges, and how many seconds n draws come to, is chance.
 *
 * Little: the latencies of the requests that end in the window sum up to N windows, and the ages of
 * the N requests in hand at its start, less those at its end. An age is as random as the latency,
 * of standard deviation R or less, which n/X = window and N = X·R make sqrt(2N)/n of the sum.
 */
static double little_chance(const struct run *run, double served)
{
	return run_is_exponential(run) ? CHANCE * sqrt(2 * served) / (double)run->requests : 0;
}

/*
 * Utilisation: the mean of n works is off by 1/sqrt(n). And works are spent for requests that are
 * still waiting at the window's end, less those that were at its start: each count varies by
 * sqrt(N) or less, as it is a Poisson number of which no more than N are possible.
 */
static double utilisation_chance(const struct run *run)
{
	double n = (double)run->requests;

	if (!run_is_exponential(run))
		return 0;
	return CHANCE * sqrt(1 / n + 2 * (double)run->connections / (n * n));
}

static void audit_completeness(const struct run *run, struct audit_failure failures[AUDITS],
			       int *count)
{
	int64_t errors = run->error_connect + run->error_reset + run->error_closed +
			 run->error_timeout + run->error_status + run->error_malformed +
			 run->error_changed;

	if (errors > 0)
		fail(failures, count, AUDIT_COMPLETENESS,
		     "see the server's lines in server.log, and try the point with cwt load",
		     "%lld errors (connect %lld, reset %lld, closed %lld, timeout %lld, status "
		     "%lld, "
		     "malformed %lld, changed %lld)",
		     (long long)errors, (long long)run->error_connect, (long long)run->error_reset,
		     (long long)run->error_closed, (long long)run->error_timeout,
		     (long long)run->error_status, (long long)run->error_malformed,
		     (long long)run->error_changed);
	if (run->idle_lost > 0)
		fail(failures, count, AUDIT_COMPLETENESS,
		     "see the server's lines in server.log, and take fewer idle connections",
		     "%lld of %lld idle connections were lost", (long long)run->idle_lost,
		     (long long)run->idle);
	if (run->requests == 0)
		fail(failures, count, AUDIT_COMPLETENESS, "take a longer window",
		     "no request ended in the window");
}

static void audit_generator(const struct run *run, struct audit_failure failures[AUDITS],
			    int *count)
{
	double busy = (double)run->client_cpu_ns / (double)run->window_ns;
	double lag = (double)run->client_lag_p99_ns;
	char text[UNITS_TEXT_MAX];

	if (run->cpu_ns == 0)
		return; /* it is the limit then, and what a request costs stays true */
	if (busy > AUDIT_CLIENT_BUSY_MOST)
		fail(failures, count, AUDIT_GENERATOR,
		     "give the generator more processors, or take a "
		     "larger c",
		     "its core was %.0f %% busy", 100 * busy);
	if (lag > LAG_LEAST_NS && lag > LAG_SHARE_OF_WALL * (double)run->wall_ns)
		fail(failures, count, AUDIT_GENERATOR,
		     "keep other work off the generator's processors",
		     "replies waited up to %s (p99) for it", units_format_duration(text, lag));
}

/*
 * Time on the server's processors that is nobody's: interrupts for packets, those that wake an idle
 * processor, and what is left to do when a thread has ended. Who is never idle needs no waking,
 * however often its threads switch.
 */
static double unowned_ns(const struct run *run)
{
	double busy = (double)run->server_cpu_ns / (double)run->window_ns / (double)run->cores;
	double idle_ns = fmax(0, 1 - busy) * (double)run->run_ns;
	double wake_ups = fmin((double)run->voluntary_switches, idle_ns / IDLE_LEAST_NS);
	double ended = run->tasks_changed ? (double)run->connects : 0;

	return OTHERS_ERROR_NS + WAKE_UP_NS * wake_ups + PACKET_NS * (double)run->all_requests +
	       ENDED_NS * ended;
}

static void audit_machine(const struct run *run, struct audit_failure failures[AUDITS], int *count)
{
	double run_ns = (double)run->run_ns;
	double before = (double)run->ping_pong_before_ns;
	double after = (double)run->ping_pong_after_ns;

	if ((double)run->steal_ns > STEAL_MOST * run_ns)
		fail(failures, count, AUDIT_MACHINE, "use a machine with processors of its own",
		     "the hypervisor took %.1f %% of the server's processors",
		     100 * (double)run->steal_ns / run_ns);
	if ((double)run->others_cpu_ns > OTHERS_MOST * run_ns + unowned_ns(run))
		fail(failures, count, AUDIT_MACHINE,
		     "stop other programs, or keep them off with taskset",
		     "something other than the server kept its processors busy for %.1f %% of the "
		     "time",
		     100 * (double)run->others_cpu_ns / run_ns);
	/* Spun work does not pass between cores: only where o is a good part of c does it matter.
	 */
	if (run->cpu_ns < RUN_SMALL_CPU_NS && before > 0 && after > 0 &&
	    fmax(before, after) > STATES_RATIO * fmin(before, after))
		fail(failures, count, AUDIT_MACHINE, "repeat the run",
		     "the way between the cores changed from %.0f to %.0f ns", before, after);
}

/*
 * A request to a saturated server costs c_cal. One to a server that mostly sleeps costs more, as
 * the core has to be woken for it: up to what it costs when it comes alone.
 */
static void audit_utilisation(const struct run *run, struct audit_failure failures[AUDITS],
			      int *count)
{
	double tolerance = audit_tolerance(run) + utilisation_chance(run);
	double used = (double)run->server_cpu_ns / (double)run->window_ns;
	double least = run->throughput_rps * audit_cpu_cal_s(run);
	double most = fmax(least, run->throughput_rps * (double)run->cpu_alone_ns / 1e9);

	if (used < least * (1 - tolerance) - UTILISATION_ERROR ||
	    used > most * (1 + tolerance) + UTILISATION_ERROR)
		fail(failures, count, AUDIT_UTILISATION,
		     "repeat the run; if it stays, o was metered in another state of the machine",
		     "the server used %.4f cores, X·c says %.4f...%.4f", used, least, most);
}

static void audit_little(const struct run *run, struct audit_failure failures[AUDITS], int *count)
{
	double served = (double)(run->connections - run->never_served);
	double held = run->throughput_rps * run->mean_ns / 1e9;
	double tolerance = LITTLE_TOLERANCE + little_chance(run, served);

	if (fabs(held - served) > tolerance * served)
		fail(failures, count, AUDIT_LITTLE, "take a longer window and warm-up",
		     "X·R is %.2f, but %.0f connections were served", held, served);
}

int audit_run(const struct run *run, struct audit_failure failures[AUDITS])
{
	int count = 0;

	audit_completeness(run, failures, &count);
	audit_generator(run, failures, &count);
	if (run->listen_overflows > 0 || run->listen_drops > 0)
		fail(failures, &count, AUDIT_LISTEN_QUEUE,
		     "ramp more slowly, or raise sysctl net.core.somaxconn",
		     "ListenOverflows rose by %lld, ListenDrops by %lld",
		     (long long)run->listen_overflows, (long long)run->listen_drops);
	audit_machine(run, failures, &count);
	if (run->requests > 0) {
		/* Unfair servers show there; what they cost is true all the same. */
		if (run_is_predicted(run)) {
			audit_little(run, failures, &count);
			audit_utilisation(run, failures, &count);
		}
	}
	return count;
}

#include "loadgen/target/meter.h"
#include "common/clock.h"
#include "loadgen/target/machine.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPIN_NS = 60 * NS_PER_MS, TICK_NS = 10 * NS_PER_MS, SHARED_BYTES = 32 << 20 };

TestSuite(meter, .timeout = 60);

/* A process that does `run` and says with a byte on `line` when it is as it is to be metered. */
struct tree {
	pid_t pid;
	int line[2];  /* from it */
	int order[2]; /* to it: a byte each time that it is to go on */
};

static struct tree tree;

static void await_order(void)
{
	char byte;

	if (read(tree.order[0], &byte, 1) != 1)
		_exit(1);
}

static void say_ready(void)
{
	if (write(tree.line[1], "r", 1) != 1)
		_exit(1);
}

static void await_ready(void)
{
	char byte;

	cr_assert_eq(read(tree.line[0], &byte, 1), 1);
}

static void give_order(void)
{
	cr_assert_eq(write(tree.order[1], "o", 1), 1);
}

static void start(void (*run)(void))
{
	cr_assert_eq(pipe(tree.line), 0);
	cr_assert_eq(pipe(tree.order), 0);
	tree.pid = fork();
	cr_assert_geq(tree.pid, 0);
	if (tree.pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(0);
	}
	setpgid(tree.pid, tree.pid);
	await_ready();
}

static void end(void)
{
	kill(-tree.pid, SIGKILL);
	waitpid(tree.pid, NULL, 0);
}

static void spin(void)
{
	while (clock_thread_cpu_ns() < SPIN_NS)
		;
}

static void *stay(void *context)
{
	(void)context;
	for (;;)
		pause();
	return NULL;
}

static void start_thread(void *(*run)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) != 0)
		_exit(1);
}

static int64_t cpu_of(pid_t pid)
{
	int64_t ns = -1;

	cr_assert_eq(meter_cpu_ns(pid, &ns), 0);
	return ns;
}

static void be_alone(void)
{
	spin();
	say_ready();
	pause();
}

Test(meter, one_process_alone_has_the_cpu_time_of_its_clock)
{
	int64_t ns = -1;

	start(be_alone);
	cr_assert_eq(clock_process_cpu_ns(tree.pid, &ns), 0);
	usleep(20000);
	cr_assert_eq(clock_process_cpu_ns(tree.pid, &ns), 0);
	cr_expect_eq(cpu_of(tree.pid), ns);
	cr_expect_geq(ns, SPIN_NS);
	end();
}

/* Two that live, one of them a grandchild; one that was waited for; one that was not. */
static void have_descendants(void)
{
	pid_t ended = fork();

	if (ended == 0) {
		spin();
		_exit(0);
	}
	waitpid(ended, NULL, 0);
	if (fork() == 0) {
		spin();
		_exit(0);
	}
	if (fork() == 0) {
		if (fork() < 0) /* from here on, they are two */
			_exit(1);
		spin();
		say_ready();
		stay(NULL);
	}
	say_ready();
	pause();
}

Test(meter, children_count_while_they_live_and_when_they_have_ended)
{
	int64_t own_ns;

	start(have_descendants);
	await_ready();
	await_ready();
	usleep(2 * SPIN_NS / NS_PER_US); /* the zombie says nothing */
	cr_assert_eq(clock_process_cpu_ns(tree.pid, &own_ns), 0);
	cr_expect_lt(own_ns, SPIN_NS);
	cr_expect_geq(cpu_of(tree.pid), 4 * SPIN_NS - 2 * TICK_NS);
	cr_expect_lt(cpu_of(tree.pid), 5 * SPIN_NS);
	end();
}

static void *fork_one_of_two_threads(void *context)
{
	(void)context;
	if (fork() == 0) {
		start_thread(stay);
		say_ready();
	}
	return stay(NULL);
}

static void be_a_tree_of_threads(void)
{
	start_thread(stay);
	start_thread(fork_one_of_two_threads);
	stay(NULL);
}

Test(meter, threads_of_the_whole_tree_are_counted_whichever_thread_forked)
{
	struct meter meter;

	start(be_a_tree_of_threads);
	cr_assert_eq(meter_read(tree.pid, &meter), 0);
	cr_expect_eq(meter.processes, 2);
	cr_expect_eq(meter.threads, 5);
	end();
}

static void *nap(void *context)
{
	(void)context;
	for (int i = 0; i < 100; i++)
		usleep(500);
	say_ready();
	return stay(NULL);
}

static void have_napping_descendants(void)
{
	start_thread(nap);
	if (fork() == 0)
		nap(NULL);
	pause();
}

Test(meter, switches_are_those_of_all_threads)
{
	struct meter meter;

	start(have_napping_descendants);
	await_ready();
	cr_assert_eq(meter_read(tree.pid, &meter), 0);
	cr_expect_geq(meter.voluntary, 200);
	cr_expect_lt(meter.voluntary, 300);
	cr_expect_gt(meter.run_delay_ns, 0);
	end();
}

static void *wait_and_end(void *context)
{
	(void)context;
	say_ready();
	await_order();
	return NULL;
}

/* At each order, one thread or process is replaced by another. */
static void change(void)
{
	pthread_t thread;
	pid_t child;

	pthread_create(&thread, NULL, wait_and_end, NULL);
	await_order();
	pthread_join(thread, NULL);
	start_thread(stay);
	child = fork();
	if (child == 0)
		stay(NULL);
	say_ready();
	await_order();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (fork() == 0)
		stay(NULL);
	say_ready();
	pause();
}

Test(meter, a_change_of_threads_or_processes_is_noticed)
{
	struct meter first;
	struct meter again;
	struct meter other;
	struct meter last;

	start(change);
	cr_assert_eq(meter_read(tree.pid, &first), 0);
	cr_assert_eq(meter_read(tree.pid, &again), 0);
	cr_expect(meter_same_tasks(&first, &again));
	give_order();
	give_order();
	await_ready();
	cr_assert_eq(meter_read(tree.pid, &other), 0);
	cr_expect_not(meter_same_tasks(&first, &other));
	give_order();
	await_ready();
	cr_assert_eq(meter_read(tree.pid, &last), 0);
	cr_expect_eq(last.threads, other.threads);
	cr_expect_eq(last.processes, other.processes);
	cr_expect_not(meter_same_tasks(&other, &last));
	end();
}

static void share_memory(void)
{
	char *memory = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	memset(memory, 1, SHARED_BYTES);
	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			stay(NULL);
	say_ready();
	pause();
}

Test(meter, shared_memory_counts_once_in_pss_and_for_each_in_rss)
{
	struct meter meter;

	start(share_memory);
	cr_assert_eq(meter_read(tree.pid, &meter), 0);
	cr_expect_eq(meter.processes, 4);
	cr_expect_geq(meter.rss_bytes, 4LL * SHARED_BYTES);
	cr_expect_geq(meter.pss_bytes, SHARED_BYTES * 9LL / 10);
	cr_expect_lt(meter.pss_bytes, 2LL * SHARED_BYTES);
	end();
}

static void have_a_zombie(void)
{
	pid_t child = fork();
	siginfo_t info;

	if (child == 0)
		_exit(0);
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	say_ready();
	pause();
}

Test(meter, a_child_that_has_ended_but_was_not_waited_for_is_no_error)
{
	struct meter meter;

	start(have_a_zombie);
	cr_expect_eq(meter_read(tree.pid, &meter), 0);
	cr_expect_gt(meter.rss_bytes, 0);
	cr_expect_geq(cpu_of(tree.pid), 0);
	end();
}

static void fork_on_and_on(void)
{
	say_ready();
	for (;;) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

Test(meter, children_that_vanish_meanwhile_are_left_out)
{
	start(fork_on_and_on);
	for (int i = 0; i < 300; i++) {
		struct meter meter;

		cr_assert_eq(meter_read(tree.pid, &meter), 0);
		cr_assert_gt(cpu_of(tree.pid), 0);
	}
	end();
}

Test(meter, a_process_that_is_not_there_is_an_error)
{
	struct meter meter;
	int64_t ns;
	pid_t pid = fork();
	int rc;

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	rc = meter_read(pid, &meter);
	cr_expect(rc == -ESRCH || rc == -ENOENT);
	cr_expect_eq(meter_cpu_ns(pid, &ns), -ESRCH);
}

Test(meter, available_memory_is_less_than_all)
{
	int64_t all = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	cr_expect_gt(machine_available_bytes(), all / 1000);
	cr_expect_lt(machine_available_bytes(), all);
}

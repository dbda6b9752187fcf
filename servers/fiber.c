/* A check of fortified builds takes a jump to a lower stack for a mistake. */
#undef _FORTIFY_SOURCE
#include "servers/fiber.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* Sanitizers follow a thread's stack: they are told before and after each switch. */

static void before_entering(struct fiber *fiber)
{
	(void)fiber;
#ifdef __SANITIZE_ADDRESS__
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);

	__sanitizer_start_switch_fiber(&fiber->fake_stack_outside, fiber->map + guard,
				       fiber->map_bytes - guard);
#endif
#ifdef __SANITIZE_THREAD__
	fiber->thread_fiber_outside = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(fiber->thread_fiber, 0);
#endif
}

static void after_entering(struct fiber *fiber)
{
	(void)fiber;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->outside_bottom,
					&fiber->outside_bytes);
#endif
}

static void before_leaving(struct fiber *fiber)
{
	(void)fiber;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(&fiber->fake_stack, fiber->outside_bottom,
				       fiber->outside_bytes);
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_switch_to_fiber(fiber->thread_fiber_outside, 0);
#endif
}

static void after_leaving(struct fiber *fiber)
{
	(void)fiber;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(fiber->fake_stack_outside, NULL, NULL);
#endif
}

/* makecontext() passes integers alone, so a pointer comes in two. */
static void begin(unsigned high, unsigned low)
{
	uintptr_t self = ((uintptr_t)high << 32) | low;
	struct fiber *fiber;

	memcpy(&fiber, &self, sizeof(self));
	after_entering(fiber);
	fiber_leave(fiber); /* to fiber_create() */
	fiber->run(fiber->context);
}

static int map_stack(struct fiber *fiber, size_t stack_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	fiber->map_bytes = page + (stack_bytes + page - 1) / page * page;
	fiber->map = mmap(NULL, fiber->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fiber->map == MAP_FAILED)
		return -errno;
	if (mprotect(fiber->map + page, fiber->map_bytes - page, PROT_READ | PROT_WRITE) == 0)
		return 0;
	munmap(fiber->map, fiber->map_bytes);
	return -errno;
}

int fiber_create(struct fiber *fiber, size_t stack_bytes, void (*run)(void *context), void *context)
{
	uintptr_t self = (uintptr_t)fiber;
	ucontext_t outside; /* never gone back to: it is left by sigsetjmp() as well */
	ucontext_t inside;
	int rc;

	*fiber = (struct fiber){ .run = run, .context = context };
	rc = map_stack(fiber, stack_bytes);
	if (rc != 0)
		return rc;
#ifdef __SANITIZE_THREAD__
	fiber->thread_fiber = __tsan_create_fiber(0);
#endif
	getcontext(&inside);
	inside.uc_stack.ss_sp = fiber->map;
	inside.uc_stack.ss_size = fiber->map_bytes;
	makecontext(&inside, (void (*)(void))begin, 2, (unsigned)(self >> 32), (unsigned)self);
	if (sigsetjmp(fiber->outside, 0) == 0) {
		before_entering(fiber);
		swapcontext(&outside, &inside);
	}
	after_leaving(fiber);
	return 0;
}

void fiber_enter(struct fiber *fiber)
{
	if (sigsetjmp(fiber->outside, 0) == 0) {
		before_entering(fiber);
		siglongjmp(fiber->inside, 1);
	}
	after_leaving(fiber);
}

void fiber_leave(struct fiber *fiber)
{
	if (sigsetjmp(fiber->inside, 0) == 0) {
		before_leaving(fiber);
		siglongjmp(fiber->outside, 1);
	}
	after_entering(fiber);
}

void fiber_destroy(struct fiber *fiber)
{
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(fiber->thread_fiber);
#endif
	munmap(fiber->map, fiber->map_bytes);
}

/*
 * Stacks that one thread switches between, cooperatively: a fiber runs until it leaves, and goes
 * on from there when it is entered again. Each is entered once by ucontext, which makes a system
 * call for the signal mask, and from then on by sigsetjmp() and siglongjmp(), which make none.
 */
#pragma once
#include <setjmp.h>
#include <stddef.h>

struct fiber {
	sigjmp_buf inside;  /* where it left */
	sigjmp_buf outside; /* where it was entered */
	void (*run)(void *context);
	void *context;
	char *map; /* the stack, above a page that catches its overflow */
	size_t map_bytes;
	/* What sanitizers are told of stacks; unused without them. */
	void *fake_stack;
	void *fake_stack_outside;
	const void *outside_bottom;
	size_t outside_bytes;
	void *thread_fiber;
	void *thread_fiber_outside;
};

/*
 * A fiber with a stack of that size that will call run(context), which never returns. Nothing of
 * it runs before fiber_enter(). Returns 0 or -errno; the fiber stays where it is.
 */
int fiber_create(struct fiber *fiber, size_t stack_bytes, void (*run)(void *context),
		 void *context);

/* Go on with the fiber until it leaves. Not from inside of one. */
void fiber_enter(struct fiber *fiber);

/* Inside of the fiber: return from fiber_enter(). */
void fiber_leave(struct fiber *fiber);

/* Free the stack of a fiber that is not running, wherever it left. */
void fiber_destroy(struct fiber *fiber);

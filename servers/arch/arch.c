#include "servers/arch/arch.h"
#include <stddef.h>

const struct arch *const arch_list[] = {
	&arch_process,   &arch_thread, &arch_pool,      &arch_loop,  &arch_loops, &arch_handoff,
	&arch_followers, &arch_staged, &arch_coroutine, &arch_uring, NULL,
};

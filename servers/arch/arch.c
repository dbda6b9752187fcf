#include "servers/arch/arch.h"
#include <stddef.h>

const struct arch *const arch_list[] = { &arch_pool, &arch_loop, NULL };

#include "loadgen/commands/commands.h"
#include <stdbool.h>
#include <stdio.h>

atomic_bool command_stopped;

static void on_stop(int number)
{
	(void)number;
	atomic_store(&command_stopped, true);
}

void command_catch_stop(void)
{
	struct sigaction action = { .sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void command_print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	putchar('\n');
	json_decref(value);
}

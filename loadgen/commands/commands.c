#include "loadgen/commands/commands.h"
#include "common/clock.h"
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

int command_parse_any(struct option_table *table, int argc, char **argv, int *operands)
{
	switch (options_parse(table, argc, argv, operands)) {
	case OPTIONS_HELP:
		return CWT_OK;
	case OPTIONS_USAGE:
		return CWT_USAGE;
	case OPTIONS_OK:
		break;
	}
	return COMMAND_GOES_ON;
}

int command_parse(struct option_table *table, int argc, char **argv, int count, const char *wanted)
{
	int operands;
	int rc = command_parse_any(table, argc, argv, &operands);

	if (rc != COMMAND_GOES_ON || argc - operands == count)
		return rc;
	return wanted ? options_complain(table, "%s", wanted)
		      : options_complain(table, "what is '%s'?", argv[operands]);
}

char *command_format_clock(char text[COMMAND_CLOCK_MAX], int64_t ns)
{
	long long seconds = ns > 0 ? (ns + NS_PER_S / 2) / NS_PER_S : 0;

	if (seconds < 3600)
		snprintf(text, COMMAND_CLOCK_MAX, "%lld:%02lld", seconds / 60, seconds % 60);
	else
		snprintf(text, COMMAND_CLOCK_MAX, "%lld:%02lld:%02lld", seconds / 3600,
			 seconds / 60 % 60, seconds % 60);
	return text;
}

void command_print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	putchar('\n');
	json_decref(value);
}

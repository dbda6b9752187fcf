/* cwt: the commands that predict, drive, measure, judge and show. */
#include "loadgen/commands/commands.h"
#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{ "model", "what the model predicts for a load, or for its seven cases", command_model },
	{ "load", "drive URLs, in a closed or an open loop, and say what came of it",
	  command_load },
	{ "sweep", "measure the points of a plan, server by server", command_sweep },
	{ "check", "audit a sweep's runs and hold them against the model", command_check },
	{ "report", "plots and a report of a checked sweep", command_report },
	{ "compare", "is one sweep worse than another? point by point", command_compare },
	{ "selftest", "how far compare can be trusted on this machine", command_selftest },
	{ "tune", "the thread limit that a server needs, and whether it still is right",
	  command_tune },
	{ "doctor", "is this machine fit to measure on, and what would mend it", command_doctor },
};

static void print_help(void)
{
	printf("usage: cwt COMMAND [ARGUMENT]...\n\n"
	       "Threads or events? Measures servers and holds them against the model\n"
	       "min(k/c, t/w).\n\ncommands:\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-8s  %s\n", commands[i].name, commands[i].summary);
	printf("\n'cwt COMMAND --help' tells more.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help();
		return CWT_OK;
	}
	if (strcmp(name, "--version") == 0) {
		printf("cwt %s\n", CWT_VERSION);
		return CWT_OK;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr,
		*name ? "cwt: unknown command '%s' (see 'cwt --help')\n"
		      : "cwt: which command?%s (see 'cwt --help')\n",
		name);
	return CWT_USAGE;
}

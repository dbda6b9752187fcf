/* cwt doctor: is this machine fit to measure on? */
#include "common/clock.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/doctor_store.h"
#include <stdlib.h>
#include <stdio.h>

static const char program[] = "cwt doctor";

static int status_of(enum doctor_level worst)
{
	switch (worst) {
	case DOCTOR_BAD:
		return CWT_INVALID;
	case DOCTOR_WARNING:
		return CWT_INCONCLUSIVE;
	default:
		return CWT_OK;
	}
}

static int look_and_report(struct doctor_look *look, bool json, bool verbose)
{
	struct doctor_finding findings[DOCTOR_CHECKS];
	struct facts *facts;
	enum doctor_level worst;
	bool interrupted;

	command_catch_stop();
	look->stop = &command_stopped;
	facts = doctor_look_shown(*look);
	if (!facts)
		return options_fail(program, "out of memory");
	worst = doctor_judge(facts, findings);
	if (json)
		command_print_json(doctor_json(facts, findings));
	else
		doctor_print(facts, findings, verbose);
	interrupted = facts->watch.interrupted;
	free(facts);
	return interrupted ? CWT_INTERRUPTED : status_of(worst);
}

int command_doctor(int argc, char **argv)
{
	struct doctor_look look = { .duration_ns = 60LL * NS_PER_S };
	bool quick = false;
	bool json = false;
	bool verbose = false;
	struct option_spec specs[] = {
		{ "duration", OPTION_DURATION, &look.duration_ns, "TIME",
		  "how long to watch the machine: its states change within a minute",
		  .least = DOCTOR_DURATION_LEAST_NS },
		{ "quick", OPTION_FLAG, &quick, NULL, "the same as --duration 5s" },
		{ "server-cpus", OPTION_CPUS, &look.server, "LIST",
		  "processors that servers are to have, as in a plan [0]" },
		{ "load-cpus", OPTION_CPUS, &look.load, "LIST",
		  "those of generator and backend [1]" },
		{ "verbose", OPTION_FLAG, &verbose, NULL, "all checks, and what each would spoil" },
		{ "json", OPTION_FLAG, &json, NULL,
		  "one JSON object instead of text; docs/doctor.md has its fields" },
	};
	struct option_table table = {
		.program = program,
		.usage = "[OPTION]...",
		.about = "Is this machine fit to measure on? Looks at what it is, what it allows, "
			 "and how\n"
			 "steady it is, and says what each finding would spoil and what mends it.",
		.notes =
			"Remedies are for root, in the shell that starts cwt. Ctrl-C ends the "
			"watching; the\n"
			"findings until then are reported.\n"
			"Exit status: 0 fit, 2 usage, 3 measurable but noisy (warnings), 5 not fit "
			"(bad),\n"
			"130 interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int status;

	CPU_SET(0, &look.server);
	CPU_SET(1, &look.load);
	status = command_parse(&table, argc, argv, 0, NULL);
	if (status != COMMAND_GOES_ON)
		return status;
	if (quick && options_find(&table, "duration")->given)
		return options_complain(&table, "--quick is --duration 5s: one of them");
	if (json && verbose)
		return options_complain(&table, "--verbose: --json has it all");
	if (quick)
		look.duration_ns = 5LL * NS_PER_S;
	return look_and_report(&look, json, verbose);
}

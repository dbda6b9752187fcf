/* The answer for people: a line that says it all, then what is not as it should be, worst first. */
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/doctor/doctor.h"
#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 128, COLUMN = 15, WIDTH = 96 };

static int count_level(const struct doctor_finding findings[DOCTOR_CHECKS], enum doctor_level level)
{
	int count = 0;

	for (int i = 0; i < DOCTOR_CHECKS; i++)
		count += findings[i].level == level;
	return count;
}

static void print_headline(const struct facts *facts,
			   const struct doctor_finding findings[DOCTOR_CHECKS])
{
	static const char *const sentences[DOCTOR_LEVELS] = {
		[DOCTOR_OK] = "fit to measure",
		[DOCTOR_NOTE] = "fit to measure",
		[DOCTOR_WARNING] = "measurable, but noisy",
		[DOCTOR_BAD] = "not fit to measure",
	};
	int warnings = count_level(findings, DOCTOR_WARNING);
	int notes = count_level(findings, DOCTOR_NOTE);
	char server[LIST_MAX];
	char load[LIST_MAX];

	printf("%s: %d bad, %d warning%s, %d note%s, %d ok. Server on %s, generator on %s; watched "
	       "for %.3g s%s.\n\n",
	       sentences[doctor_worst(findings)], count_level(findings, DOCTOR_BAD), warnings,
	       warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s",
	       count_level(findings, DOCTOR_OK),
	       cpus_format(&facts->processors.chosen[FACTS_SERVER], server, sizeof(server)),
	       cpus_format(&facts->processors.chosen[FACTS_LOAD], load, sizeof(load)),
	       (double)facts->watch.ns / NS_PER_S,
	       facts->watch.interrupted ? ", then interrupted" : "");
}

static void print_finding(const struct doctor_finding *finding, bool all)
{
	printf("%-8s %-*s %s\n", doctor_level_names[finding->level], COLUMN, finding->check->name,
	       finding->what);
	if (all)
		printf("%*s spoils: %s\n", 8 + 1 + COLUMN, "", finding->check->spoils);
	if (finding->remedy[0])
		printf("%*s remedy: %s\n", 8 + 1 + COLUMN, "", finding->remedy);
}

/* The names of what is as it should be, in lines. */
static void print_names(const struct doctor_finding findings[DOCTOR_CHECKS])
{
	size_t column = 0;

	for (int i = 0; i < DOCTOR_CHECKS; i++) {
		const char *name = findings[i].check->name;

		if (findings[i].level != DOCTOR_OK)
			continue;
		if (column == 0 || column + 1 + strlen(name) > WIDTH) {
			printf("%s%-8s", column == 0 ? "" : "\n", column == 0 ? "ok" : "");
			column = strlen("warning ");
		}
		column += (size_t)printf(" %s", name);
	}
	printf("\n");
}

void doctor_print(const struct facts *facts, const struct doctor_finding findings[DOCTOR_CHECKS],
		  bool verbose)
{
	print_headline(facts, findings);
	for (int level = DOCTOR_BAD; level >= (verbose ? DOCTOR_OK : DOCTOR_NOTE); level--)
		for (int i = 0; i < DOCTOR_CHECKS; i++)
			if ((int)findings[i].level == level)
				print_finding(&findings[i], verbose || level >= DOCTOR_WARNING);
	if (!verbose && count_level(findings, DOCTOR_OK) > 0)
		print_names(findings);
}

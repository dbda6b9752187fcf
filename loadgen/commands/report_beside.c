#include "loadgen/commands/report_beside.h"
#include "common/units.h"
#include "loadgen/commands/compare_report.h"
#include "loadgen/compare/provenance.h"
#include <errno.h>

static int write_comparison(FILE *file, const struct side *base, const struct side *newer,
			    enum quantity quantity, const json_t *differences)
{
	struct compare_settings settings = { .quantity = quantity };
	struct comparison comparison;
	int rc;

	units_parse_share(COMPARE_THRESHOLD, &settings.threshold);
	comparison = (struct comparison){ .settings = settings };
	rc = compare_sides(base, newer, &settings, &comparison);
	if (rc == 0) {
		struct compare_report report = {
			.base = base,
			.newer = newer,
			.comparison = &comparison,
			.differences = differences,
			.verdict = compare_verdict_of(&comparison),
		};

		compare_write_section(file, "###", &report);
		fputc('\n', file);
	}
	compare_free(&comparison);
	return rc;
}

static int write_all(FILE *file, const struct side *base, const struct side *newer)
{
	static const enum quantity quantities[] = { QUANTITY_THROUGHPUT, QUANTITY_CPU,
						    QUANTITY_LATENCY, QUANTITY_MEMORY };
	json_t *differences = provenance_differences(base, newer);
	int rc = 0;

	fprintf(file,
		"## Beside %s\n\nBASE is %s, NEW is this sweep. The change is NEW/BASE, with its "
		"95 %% "
		"interval.\n\n",
		base->sweeps[0].path, base->sweeps[0].path);
	for (size_t i = 0; i < sizeof(quantities) / sizeof(quantities[0]) && rc == 0; i++)
		rc = write_comparison(file, base, newer, quantities[i],
				      i == 0 ? differences : NULL);
	json_decref(differences);
	return rc;
}

int report_beside(FILE *file, const char *directory, const char *other, char why[SIDE_WHY_MAX])
{
	struct side base = { 0 };
	struct side newer = { 0 };
	int rc = side_read(other, &base, why);

	if (rc == 0)
		rc = side_read(directory, &newer, why);
	if (rc == 0) {
		rc = write_all(file, &base, &newer);
		if (rc != 0)
			snprintf(why, SIDE_WHY_MAX, "out of memory");
	}
	side_free(&newer);
	side_free(&base);
	return rc;
}

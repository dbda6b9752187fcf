#include "loadgen/model/findings.h"
#include <errno.h>
#include <stdlib.h>

int findings_of_points(const struct point *points, int64_t count, struct findings *findings)
{
	*findings = (struct findings){ 0 };
	if (space_of_points(points, count, &findings->space) != 0)
		return -ENOMEM;
	for (int of = 0; of <= CAUSE_OF_CALIBRATED; of++) {
		findings->region_counts[of] =
			regions_find(points, count, (enum cause_of)of, &findings->regions[of]);
		if (findings->region_counts[of] < 0)
			return -ENOMEM;
	}
	findings->peak_count = peaks_find(points, count, &findings->peaks);
	if (findings->peak_count < 0)
		return -ENOMEM;
	findings->lead_count = leads_find(points, count, &findings->leads);
	if (findings->lead_count < 0)
		return -ENOMEM;
	findings->end_count =
		lead_ends_find(findings->leads, findings->lead_count, &findings->ends);
	return findings->end_count < 0 ? -ENOMEM : 0;
}

void findings_free(struct findings *findings)
{
	free(findings->ends);
	free(findings->leads);
	free(findings->peaks);
	for (int of = 0; of <= CAUSE_OF_CALIBRATED; of++)
		free(findings->regions[of]);
	space_free(&findings->space);
	*findings = (struct findings){ 0 };
}

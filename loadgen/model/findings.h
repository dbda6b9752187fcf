/* All that is found over the points of a sweep, beside the verdict on each. */
#pragma once
#include "loadgen/model/lead.h"
#include "loadgen/model/peak.h"
#include "loadgen/model/regions.h"
#include "loadgen/model/space.h"

struct findings {
	struct space space;
	struct region *regions[CAUSE_OF_CALIBRATED + 1]; /* by what is in question */
	int64_t region_counts[CAUSE_OF_CALIBRATED + 1];
	struct peak *peaks;
	int64_t peak_count;
	struct lead *leads;
	int64_t lead_count;
	struct lead_end *ends;
	int64_t end_count;
};

/*
 * Returns 0, or -ENOMEM. `points` are borrowed: they have to outlive *findings, which the caller
 * ends with findings_free(), also after a failure.
 */
int findings_of_points(const struct point *points, int64_t count, struct findings *findings);

void findings_free(struct findings *findings);

/* What was found over the whole space, as summary.json has it (docs/summary.schema.json). */
#pragma once
#include "loadgen/model/findings.h"
#include <jansson.h>

/* A new reference. */
json_t *space_to_json(const struct findings *findings);

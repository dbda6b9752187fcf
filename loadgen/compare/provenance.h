/*
 * In what the sweeps of a comparison differ besides what they measured: machine.json, and the
 * processors that their plans name. Compared are texts and numbers at the top, and those of the
 * groups "sysctl" and "versions"; other groups are measurements.
 */
#pragma once
#include "loadgen/compare/side.h"

/* A new reference: a list of {"what": "kernel", "values": [{"sweep": DIR, "value": ...}, ...]}. */
json_t *provenance_differences(const struct side *base, const struct side *newer);

/*
 * Whether the sweeps come from machines that cannot be compared: of another processor, or with
 * another number of cores. In `why`: which, and how they differ.
 */
bool provenance_forbids(const json_t *differences, char *why, size_t size);

/* The value of a difference for people: "none" where there is none. Returns `text`. */
char *provenance_format(const json_t *value, char *text, size_t size);

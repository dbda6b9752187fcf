/* What cwt doctor found before a sweep, as its summary and its report have it. */
#pragma once
#include <jansson.h>
#include <stdio.h>

/* DIR/doctor.json: a new reference; NULL if it is not there, or not a list of findings. */
json_t *fitness_read(const char *directory);

/* Verdict and findings that are not ok, the worst first: a new reference. */
json_t *fitness_json(const json_t *doctor);

/* The same as a list in Markdown; nothing if `doctor` is NULL. */
void fitness_write(FILE *file, const json_t *doctor);

#include "loadgen/report/fitness.h"
#include "loadgen/doctor/doctor.h"
#include <limits.h>
#include <string.h>

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

json_t *fitness_read(const char *directory)
{
	char path[PATH_MAX];
	json_t *doctor;

	snprintf(path, sizeof(path), "%s/doctor.json", directory);
	doctor = json_load_file(path, 0, NULL);
	if (json_is_array(json_object_get(doctor, "findings")))
		return doctor;
	json_decref(doctor);
	return NULL;
}

json_t *fitness_json(const json_t *doctor)
{
	const json_t *all = json_object_get(doctor, "findings");
	json_t *list = json_array();
	size_t index;
	json_t *finding;

	for (int level = DOCTOR_BAD; level > DOCTOR_OK; level--) {
		json_array_foreach(all, index, finding)
		{
			if (strcmp(text(finding, "level"), doctor_level_names[level]) == 0)
				json_array_append(list, finding);
		}
	}
	return json_pack("{s:s, s:o}", "verdict", text(doctor, "verdict"), "findings", list);
}

void fitness_write(FILE *file, const json_t *doctor)
{
	json_t *answer;
	size_t index;
	json_t *finding;

	if (!doctor)
		return;
	answer = fitness_json(doctor);
	fprintf(file,
		"Before the sweep, `cwt doctor` found it **%s**. It looked for %.3g s only: a "
		"change of state\nwithin minutes shows in the runs, not here.\n\n",
		text(answer, "verdict"),
		json_number_value(json_object_get(doctor, "watched_ns")) / 1e9);
	json_array_foreach(json_object_get(answer, "findings"), index, finding)
	{
		fprintf(file, "- **%s**, %s: %s. Spoils %s.", text(finding, "level"),
			text(finding, "check"), text(finding, "finding"), text(finding, "spoils"));
		if (*text(finding, "remedy"))
			fprintf(file, " Remedy: `%s`", text(finding, "remedy"));
		fputc('\n', file);
	}
	if (json_array_size(json_object_get(answer, "findings")) > 0)
		fputc('\n', file);
	json_decref(answer);
}

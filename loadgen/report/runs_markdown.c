#include "loadgen/report/runs_markdown.h"
#include "common/units.h"
#include "loadgen/sweep/label.h"

static void write_duration(FILE *file, double seconds)
{
	char text[UNITS_TEXT_MAX];

	fprintf(file, " %s |", units_format_duration(text, seconds * 1e9));
}

void runs_write_latency(FILE *file, const struct summary *summary)
{
	char label[LABEL_MAX];

	fprintf(file,
		"## Latency\n\n"
		"From the request's sending to its reply's last byte; medians over the valid "
		"runs. With N\nconnections that ask again at once, it is the time that N "
		"requests wait for each other, not\nwhat an open system's clients would see.\n\n"
		"| point | mean | p50 | p90 | p99 | p99.9 | most |\n"
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];

		fprintf(file, "| %s |", label_point(&point->first, label));
		if (point->valid_runs == 0) {
			fprintf(file, " – | – | – | – | – | – |\n");
			continue;
		}
		write_duration(file, point->counts.mean_s);
		write_duration(file, point->counts.p50_s);
		write_duration(file, point->counts.p90_s);
		write_duration(file, point->p99_s);
		write_duration(file, point->counts.p999_s);
		write_duration(file, point->counts.max_s);
		fputc('\n', file);
	}
	fputc('\n', file);
}

static void write_audit(FILE *file, const struct run *run)
{
	struct audit_failure failures[AUDITS];
	int count = audit_run(run, failures);

	if (count == 0)
		fputs("valid", file);
	for (int i = 0; i < count; i++)
		fprintf(file, "%s**%s**: %s", i > 0 ? "; " : "", audit_names[failures[i].audit],
			failures[i].why);
}

void runs_write_audits(FILE *file, const struct summary *summary)
{
	char label[LABEL_MAX];

	fprintf(file,
		"## Every run\n\n"
		"In the order of measuring. One that fails an audit counts for nothing, and is "
		"measured again.\n\n"
		"| # | point | repetition | throughput /s | audits |\n"
		"| ---: | --- | ---: | ---: | --- |\n");
	for (int64_t i = 0; i < summary->runs; i++) {
		const struct run *run = &summary->run_list[i];

		fprintf(file, "| %lld | %s | %lld", (long long)run->sequence,
			label_point(run, label), (long long)run->repetition + 1);
		if (run->attempt > 0)
			fprintf(file, ", try %lld", (long long)run->attempt + 1);
		fprintf(file, " | %.6g | ", run->throughput_rps);
		write_audit(file, run);
		fputs(" |\n", file);
	}
	fputc('\n', file);
}

#include "loadgen/doctor/counters.h"
#include "common/clock.h"
#include "loadgen/doctor/counters_processes.h"
#include "loadgen/doctor/read.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 16384, WAKE_UP_NS = 5 * NS_PER_US };

/* The kernel keeps idle time to the microsecond and shows it in ticks; see target/machine.c. */
static void read_processors_time(const char *root, const cpu_set_t chosen[FACTS_ROLES],
				 struct counters *counters)
{
	FILE *file = files_open(root, "proc/stat");
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	char line[LINE_BYTES];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned cpu;
		long long idle;
		long long waiting;
		long long steal;

		/* The sum of all has no number. */
		if (strncmp(line, "cpu", 3) != 0 || !isdigit((unsigned char)line[3]) ||
		    sscanf(line, "cpu%u %*d %*d %*d %lld %lld %*d %*d %lld", &cpu, &idle, &waiting,
			   &steal) != 4 ||
		    cpu >= CPU_SETSIZE)
			continue;
		counters->has_processors = true;
		for (int role = 0; role < FACTS_ROLES; role++) {
			if (!CPU_ISSET(cpu, &chosen[role]))
				continue;
			counters->idle_ns[role] += (idle + waiting) * tick_ns;
			counters->steal_ns[role] += steal * tick_ns;
		}
	}
	if (file)
		fclose(file);
}

/* The processors that the columns of /proc/interrupts stand for: "CPU0 CPU1". Their number. */
static int read_columns(char *line, int columns[CPU_SETSIZE])
{
	char *rest;
	int count = 0;

	for (char *word = strtok_r(line, " \n", &rest); word && count < CPU_SETSIZE;
	     word = strtok_r(NULL, " \n", &rest))
		if (strncmp(word, "CPU", 3) == 0 && isdigit((unsigned char)word[3]))
			columns[count++] = (int)strtol(word + 3, NULL, 10);
	return count;
}

/* "36:  0  71119  PCI-MSIX-0000:00:02.0  1-edge  virtio1-req.0": the name is the last word. */
static bool read_irq(char *line, const int columns[CPU_SETSIZE], int column_count,
		     const cpu_set_t chosen[FACTS_ROLES], struct counters_irq *irq)
{
	char *at;
	char *name;

	*irq = (struct counters_irq){ .number = (int)strtol(line, &at, 10) };
	if (*at != ':' || at == line)
		return false;
	at++;
	for (int i = 0; i < column_count; i++) {
		char *end;
		long long count = strtoll(at, &end, 10);

		if (end == at)
			break;
		at = end;
		for (int role = 0; role < FACTS_ROLES; role++)
			if (columns[i] < CPU_SETSIZE &&
			    CPU_ISSET((size_t)columns[i], &chosen[role]))
				irq->count[role] += count;
	}
	at[strcspn(at, "\n")] = '\0';
	name = strrchr(at, ' ');
	snprintf(irq->name, sizeof(irq->name), "%.*s", FACTS_TEXT_MAX - 1, name ? name + 1 : at);
	return true;
}

static void read_interrupts(const char *root, const cpu_set_t chosen[FACTS_ROLES],
			    struct counters *counters)
{
	FILE *file = files_open(root, "proc/interrupts");
	char line[LINE_BYTES];
	int columns[CPU_SETSIZE];
	int column_count;

	if (!file)
		return;
	column_count = fgets(line, sizeof(line), file) ? read_columns(line, columns) : 0;
	while (counters->irq_count < COUNTERS_IRQS_MAX && fgets(line, sizeof(line), file))
		counters->irq_count += read_irq(line, columns, column_count, chosen,
						&counters->irqs[counters->irq_count]);
	fclose(file);
}

static int64_t read_swapped(const char *root)
{
	int64_t in = files_field(root, "proc/vmstat", "pswpin ");
	int64_t out = files_field(root, "proc/vmstat", "pswpout ");

	return (in > 0 ? in : 0) + (out > 0 ? out : 0);
}

void counters_read(const char *root, const cpu_set_t chosen[FACTS_ROLES], int64_t at_ns,
		   struct counters *counters)
{
	*counters = (struct counters){ .at_ns = at_ns };
	read_processors_time(root, chosen, counters);
	read_interrupts(root, chosen, counters);
	counters->processes = counters_processes(root, &counters->process_count);
	counters->throttled = read_throttled(root);
	counters->swapped_pages = read_swapped(root);
}

void counters_end(struct counters *counters)
{
	free(counters->processes);
	counters->processes = NULL;
	counters->process_count = 0;
}

/* A file that may be written by its mode, whoever asks. */
static bool may_move(const char *root, int irq)
{
	char path[PATH_MAX];
	struct stat status;

	files_path(path, root, "proc/irq/%d/smp_affinity_list", irq);
	return stat(path, &status) == 0 && (status.st_mode & S_IWUSR) != 0;
}

/* Interrupts keep their numbers as long as their devices stay. */
static const struct counters_irq *find_irq(const struct counters *counters, int number)
{
	for (int i = 0; i < counters->irq_count; i++)
		if (counters->irqs[i].number == number)
			return &counters->irqs[i];
	return NULL;
}

static void compare_interrupts(const char *root, const struct counters *before,
			       const struct counters *after, int role, struct facts_load *load)
{
	int64_t most = 0;
	int64_t all = 0;

	for (int i = 0; i < after->irq_count; i++) {
		const struct counters_irq *irq = &after->irqs[i];
		const struct counters_irq *old = find_irq(before, irq->number);
		int64_t count = irq->count[role] - (old ? old->count[role] : 0);

		all += count;
		if (count <= most)
			continue;
		most = count;
		load->irq[role] = irq->number;
		memcpy(load->irq_name[role], irq->name, sizeof(irq->name));
	}
	load->interrupts[role] =
		after->irq_count > 0 ? (double)all * NS_PER_S / (double)load->ns : -1;
	if (load->irq[role] >= 0)
		load->irq_moves[role] = may_move(root, load->irq[role]);
}

/* Time that was neither idle, nor stolen, nor one's own. */
static void compare_processors(const struct counters *before, const struct counters *after,
			       const cpu_set_t *chosen, int64_t own_ns, int64_t wake_ups, int role,
			       struct facts_load *load)
{
	double all_ns = (double)load->ns * CPU_COUNT(chosen);
	double idle_ns = (double)(after->idle_ns[role] - before->idle_ns[role]);
	double steal_ns = (double)(after->steal_ns[role] - before->steal_ns[role]);
	double mine_ns = (double)(own_ns + wake_ups * WAKE_UP_NS);

	load->steal[role] = load->others[role] = -1;
	if (!before->has_processors || !after->has_processors || all_ns <= 0)
		return;
	load->steal[role] = fmax(0, steal_ns / all_ns);
	load->others[role] = fmax(0, (all_ns - idle_ns - steal_ns - mine_ns) / all_ns);
}

void counters_compare(const char *root, const struct counters *before, const struct counters *after,
		      const cpu_set_t chosen[FACTS_ROLES], const int64_t own_ns[FACTS_ROLES],
		      const int64_t wake_ups[FACTS_ROLES], int self, struct facts_load *load)
{
	*load = (struct facts_load){
		.ns = after->at_ns - before->at_ns,
		.irq = { -1, -1 },
		.throttled = after->throttled - before->throttled,
		.swapped_pages = after->swapped_pages - before->swapped_pages,
	};
	for (int role = 0; role < FACTS_ROLES; role++) {
		compare_processors(before, after, &chosen[role], own_ns[role], wake_ups[role], role,
				   load);
		compare_interrupts(root, before, after, role, load);
	}
	counters_busiest(before, after, self, load);
}

#include "common/cpus.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctype.h>

/* A decimal processor number at *text, which moves past it; -1 if there is none. */
static long take_number(const char **text)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)**text))
		return -1;
	number = strtol(*text, &end, 10);
	*text = end;
	return number < CPU_SETSIZE ? number : -1;
}

int cpus_parse(const char *list, cpu_set_t *set)
{
	CPU_ZERO(set);
	for (;;) {
		long first = take_number(&list);
		long last = first;

		if (first >= 0 && *list == '-') {
			list++;
			last = take_number(&list);
		}
		if (first < 0 || last < first)
			return -EINVAL;
		for (long cpu = first; cpu <= last; cpu++)
			CPU_SET((size_t)cpu, set);
		if (*list == '\0')
			return 0;
		if (*list++ != ',')
			return -EINVAL;
	}
}

char *cpus_format(const cpu_set_t *set, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t cpu = 0; cpu < CPU_SETSIZE && used + 1 < size; cpu++) {
		size_t last = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		used += (size_t)snprintf(text + used, size - used, "%s%zu", used ? "," : "", cpu);
		if (last > cpu && used + 1 < size)
			used += (size_t)snprintf(text + used, size - used, "-%zu", last);
		cpu = last;
	}
	return text;
}

int cpus_bind(const cpu_set_t *set)
{
	return sched_setaffinity(0, sizeof(*set), set) == 0 ? 0 : -errno;
}

int cpus_allowed(cpu_set_t *set)
{
	return sched_getaffinity(0, sizeof(*set), set) == 0 ? 0 : -errno;
}

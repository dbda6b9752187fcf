#include "loadgen/engine/parts.h"
#include <string.h>

void parts_init(struct parts *parts, struct load_part *part, int count, int threads)
{
	pthread_mutex_init(&parts->lock, NULL);
	parts->part = part;
	parts->count = count;
	parts->threads = threads;
	parts->newest = -1;
	for (int i = 0; i < PARTS_OPEN; i++)
		parts->open[i].index = -1;
	if (count > 0)
		memset(part, 0, sizeof(*part) * (size_t)count);
}

void parts_deinit(struct parts *parts)
{
	pthread_mutex_destroy(&parts->lock);
}

static void summarise(struct load_part *part, const struct histogram *latency)
{
	part->mean_ns = histogram_mean(latency);
	part->p50_ns = histogram_quantile(latency, 0.5);
	part->p99_ns = histogram_quantile(latency, 0.99);
	part->most_ns = latency->most;
}

void parts_hand_in(struct parts *parts, int index, const struct histogram *latency, uint64_t errors)
{
	int place = index % PARTS_OPEN;

	pthread_mutex_lock(&parts->lock);
	parts->part[index].requests += latency->count;
	parts->part[index].errors += errors;
	if (parts->open[place].index < index) {
		parts->open[place].index = index;
		parts->open[place].threads = 0;
		histogram_reset(&parts->open[place].latency);
	}
	if (parts->open[place].index == index) {
		histogram_add(&parts->open[place].latency, latency);
		summarise(&parts->part[index], &parts->open[place].latency);
		if (++parts->open[place].threads == parts->threads && index > parts->newest)
			parts->newest = index;
	}
	pthread_mutex_unlock(&parts->lock);
}

struct load_part parts_newest(struct parts *parts)
{
	struct load_part part = { 0 };

	pthread_mutex_lock(&parts->lock);
	if (parts->newest >= 0)
		part = parts->part[parts->newest];
	pthread_mutex_unlock(&parts->lock);
	return part;
}

#include "servers/faults.h"
#include "common/clock.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Far longer than any run, and far from the end of what an int64_t holds. */
static const double delay_most_ns = 1e18;

bool faults_are_any(const struct faults *faults)
{
	return faults->stall_ns > 0 || faults->drift > 0 || faults->reset_every > 0 ||
	       faults->status_every > 0;
}

int faults_parse_drift(const char *text, double *drift)
{
	size_t digits = strspn(text, "0123456789.");
	const char *rest = text + digits;
	char *end;
	double share = strtod(text, &end);

	if (digits == 0 || end != rest || !isfinite(share))
		return -EINVAL;
	if (strcmp(rest, "%") == 0)
		share /= 100;
	else if (*rest != '\0')
		return -EINVAL;
	if (share <= 0)
		return -EINVAL;
	*drift = share;
	return 0;
}

int64_t faults_delay_ns(const struct faults *faults, int64_t delay_ns, int64_t since_first_ns)
{
	double seconds = (double)since_first_ns / NS_PER_S;
	double grown_ns = (double)delay_ns * (1 + faults->drift * seconds);

	if (faults->drift <= 0 || grown_ns <= (double)delay_ns || (double)delay_ns > delay_most_ns)
		return delay_ns;
	return (int64_t)fmin(grown_ns, delay_most_ns);
}

int64_t faults_stall_end_ns(const struct faults *faults, int64_t since_first_ns)
{
	return (since_first_ns / faults->every_ns + 1) * faults->every_ns;
}

enum fault faults_answer(const struct faults *faults, struct faults_count *count)
{
	count->requests++;
	if (faults->reset_every > 0 && count->requests % faults->reset_every == 0)
		return FAULT_RESET;
	count->replies++;
	if (faults->status_every > 0 && count->replies % faults->status_every == 0)
		return FAULT_STATUS;
	return FAULT_NONE;
}

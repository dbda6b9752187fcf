#include "loadgen/sweep/beforehand.h"
#include <criterion/criterion.h>

#define US INT64_C(1000)
#define MS (1000 * US)

/* A request costs some 70 us then: N of them are a turn of 70 N us, of which three fifths may wait.
 */
Test(beforehand, requests_wait_as_in_the_run_while_the_server_stays_busy)
{
	static const struct {
		int64_t connections, cores, cpu_ns, wall_ns, wait_ns;
	} table[] = {
		{ 100, 1, 100 * US, 100 * US, 0 },
		{ 100, 1, 100 * US, 1 * MS, 900 * US },
		{ 100, 1, 100 * US, 10 * MS, 4200 * US },
		{ 1000, 1, 1 * MS, 10000 * MS, 42 * MS },
		{ 100, 2, 100 * US, 10 * MS, 2100 * US },
		{ 10, 1, 5 * MS, 100 * MS, 420 * US },
		{ 8, 1, 5 * MS, 100 * MS, 336 * US },
		{ 7, 1, 5 * MS, 100 * MS, 0 },
		{ 1, 1, 5 * MS, 100 * MS, 0 },
		{ 15, 2, 5 * MS, 100 * MS, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = {
			.connections = table[i].connections,
			.cores = table[i].cores,
			.cpu_ns = table[i].cpu_ns,
			.wall_ns = table[i].wall_ns,
		};

		cr_expect_eq(beforehand_wait_ns(&run), table[i].wait_ns, "row %zu: %lld", i,
			     (long long)beforehand_wait_ns(&run));
	}
}

#include "tests/sweeps.h"
#include <criterion/criterion.h>

TestSuite(sweep, .timeout = 110);

Test(sweep, one_that_is_killed_and_resumed_loses_nothing_and_doubles_nothing)
{
	if (!sweeps_are_possible())
		cr_skip_test("needs processors 0 and 1");
	cr_expect_geq(sweeps_kill(4, 1), 1);
}

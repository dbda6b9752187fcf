#include "common/cpus.h"
#include <criterion/criterion.h>
#include <errno.h>

Test(cpus, a_list_is_written_back_in_its_shortest_form)
{
	static const struct {
		const char *list;
		const char *shortest;
		int count;
	} table[] = {
		{ "0", "0", 1 },
		{ "0-3", "0-3", 4 },
		{ "0,2-3", "0,2-3", 3 },
		{ "3,2,1", "1-3", 3 },
		{ "5,5,5", "5", 1 },
		{ "0-2,1-4", "0-4", 5 },
		{ "7-7", "7", 1 },
		{ "0,2,4", "0,2,4", 3 },
		{ "1022-1023", "1022-1023", 2 },
		{ "0-1023", "0-1023", 1024 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cpu_set_t set;
		char text[64];

		cr_assert_eq(cpus_parse(table[i].list, &set), 0, "%s", table[i].list);
		cr_expect_eq(CPU_COUNT(&set), table[i].count, "%s", table[i].list);
		cr_expect_str_eq(cpus_format(&set, text, sizeof(text)), table[i].shortest);
	}
}

Test(cpus, what_is_no_list_is_refused)
{
	static const char *const table[] = {
		"",      "-",
		"a",     ",",
		"0,",    ",0",
		"0,,1",  "0-",
		"-1",    "3-2",
		"1-2-3", "0 ",
		" 0",    "0, 1",
		"1024",  "0-1024",
		"+1",    "0x1",
		"0-a",   "all",
		"0;1",   "99999999999999999999",
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cpu_set_t set;

		cr_expect_eq(cpus_parse(table[i], &set), -EINVAL, "'%s'", table[i]);
	}
}

Test(cpus, a_list_that_does_not_fit_is_cut_and_ended)
{
	cpu_set_t set;
	char text[8];

	cr_assert_eq(cpus_parse("0,2,4,6,8,10,12", &set), 0);
	cr_expect_str_eq(cpus_format(&set, text, sizeof(text)), "0,2,4,6");
	cr_expect_str_eq(cpus_format(&set, text, 1), "");
}

Test(cpus, binding_narrows_what_is_allowed)
{
	cpu_set_t allowed;
	cpu_set_t one;
	cpu_set_t now;
	size_t first = 0;

	cr_assert_eq(cpus_allowed(&allowed), 0);
	while (!CPU_ISSET(first, &allowed))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	cr_assert_eq(cpus_bind(&one), 0);
	cr_assert_eq(cpus_allowed(&now), 0);
	cr_expect(CPU_EQUAL(&now, &one));
}

Test(cpus, no_processor_at_all_cannot_be_bound_to)
{
	cpu_set_t none;

	CPU_ZERO(&none);
	cr_expect_eq(cpus_bind(&none), -EINVAL);
}

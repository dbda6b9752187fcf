#include "common/units.h"
#include <criterion/criterion.h>
#include <errno.h>

typedef int (*parser)(const char *, int64_t *);

struct row {
	parser parse;
	const char *text;
	int rc;
	int64_t value;
};

static const struct row rows[] = {
	{ units_parse_duration, "0", 0, 0 },
	{ units_parse_duration, "0ms", 0, 0 },
	{ units_parse_duration, "1ns", 0, 1 },
	{ units_parse_duration, "250us", 0, 250000 },
	{ units_parse_duration, "9900us", 0, 9900000 },
	{ units_parse_duration, "9.9ms", 0, 9900000 },
	{ units_parse_duration, "0.1us", 0, 100 },
	{ units_parse_duration, "1.50s", 0, 1500000000 },
	{ units_parse_duration, "2m", 0, 120000000000 },
	{ units_parse_duration, "24h", 0, 86400000000000 },
	{ units_parse_duration, "100.000000001s", 0, 100000000001 },
	{ units_parse_duration, "9223372036854775807ns", 0, INT64_MAX },
	{ units_parse_duration, "9223372036854775808ns", -ERANGE },
	{ units_parse_duration, "99999999999h", -ERANGE },
	{ units_parse_duration, "99999999999999999999999999s", -ERANGE },
	{ units_parse_duration, "", -EINVAL },
	{ units_parse_duration, "5", -EINVAL },
	{ units_parse_duration, "ms", -EINVAL },
	{ units_parse_duration, "-1ms", -EINVAL },
	{ units_parse_duration, "+1ms", -EINVAL },
	{ units_parse_duration, " 1ms", -EINVAL },
	{ units_parse_duration, "1 ms", -EINVAL },
	{ units_parse_duration, "1ms ", -EINVAL },
	{ units_parse_duration, "1MS", -EINVAL },
	{ units_parse_duration, "1d", -EINVAL },
	{ units_parse_duration, ".5s", -EINVAL },
	{ units_parse_duration, "1.s", -EINVAL },
	{ units_parse_duration, "1.5.5s", -EINVAL },
	{ units_parse_duration, "1e3s", -EINVAL },
	{ units_parse_duration, "0x10s", -EINVAL },
	{ units_parse_duration, "inf", -EINVAL },
	{ units_parse_duration, "nan", -EINVAL },
	/* Part of a nanosecond would have to be rounded. */
	{ units_parse_duration, "1.5ns", -EINVAL },
	{ units_parse_duration, "1.0000001us", -EINVAL },

	{ units_parse_count, "0", 0, 0 },
	{ units_parse_count, "25", 0, 25 },
	{ units_parse_count, "10k", 0, 10000 },
	{ units_parse_count, "1M", 0, 1000000 },
	{ units_parse_count, "9007199254740993", 0, 9007199254740993 },
	{ units_parse_count, "9223372036854775807", 0, INT64_MAX },
	{ units_parse_count, "9223372036854775808", -ERANGE },
	{ units_parse_count, "9223372036854775807k", -ERANGE },
	{ units_parse_count, "10K", -EINVAL },
	{ units_parse_count, "1m", -EINVAL },
	{ units_parse_count, "1kk", -EINVAL },
	{ units_parse_count, "2.5", -EINVAL },
	{ units_parse_count, "1.0005k", -EINVAL },
	{ units_parse_count, "-1", -EINVAL },
	{ units_parse_count, "", -EINVAL },

	{ units_parse_size, "0", 0, 0 },
	{ units_parse_size, "100", 0, 100 },
	{ units_parse_size, "5B", 0, 5 },
	{ units_parse_size, "64KiB", 0, 65536 },
	{ units_parse_size, "2MiB", 0, 2097152 },
	{ units_parse_size, "1GiB", 0, 1073741824 },
	{ units_parse_size, "3kB", 0, 3000 },
	{ units_parse_size, "1MB", 0, 1000000 },
	{ units_parse_size, "1GB", 0, 1000000000 },
	{ units_parse_size, "9999999999GiB", -ERANGE },
	{ units_parse_size, "64K", -EINVAL },
	{ units_parse_size, "64Kib", -EINVAL },
	{ units_parse_size, "1KB", -EINVAL },
	{ units_parse_size, "1TiB", -EINVAL },
	{ units_parse_size, "0.5B", -EINVAL },
	{ units_parse_size, "one", -EINVAL },
};

Test(units, takes_the_whole_text_exactly_or_refuses_it)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		int64_t value = -1;
		int rc = row->parse(row->text, &value);

		cr_expect_eq(rc, row->rc, "'%s': %d, not %d", row->text, rc, row->rc);
		if (row->rc == 0)
			cr_expect_eq(value, row->value, "'%s': %lld", row->text, (long long)value);
	}
}

Test(units, a_duration_is_shown_with_three_digits_in_the_unit_that_suits_it)
{
	static const struct {
		double ns;
		const char *text;
	} table[] = {
		{ 0, "0ns" },         { 1, "1ns" },          { 999, "999ns" },
		{ 1000, "1us" },      { 1234, "1.23us" },    { 12345, "12.3us" },
		{ 123456, "123us" },  { 9900000, "9.90ms" }, { 1500000000, "1.50s" },
		{ 999960, "1.00ms" }, { 9996000, "10.0ms" }, { 99960000, "100ms" },
		{ 250e9, "250s" },    { -1234, "-1.23us" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[UNITS_TEXT_MAX];

		cr_expect_str_eq(units_format_duration(text, table[i].ns), table[i].text,
				 "%g ns: %s, not %s", table[i].ns, text, table[i].text);
	}
}

Test(units, an_exactly_formatted_duration_parses_to_itself)
{
	static const struct {
		int64_t ns;
		const char *text;
	} table[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1001, "1001ns" },
		{ 9900000, "9900us" },
		{ 100000000, "100ms" },
		{ 90000000000, "90s" },
		{ INT64_MAX, "9223372036854775807ns" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[UNITS_TEXT_MAX];
		int64_t again = -1;

		cr_expect_str_eq(units_format_duration_exact(text, table[i].ns), table[i].text);
		cr_expect_eq(units_parse_duration(text, &again), 0);
		cr_expect_eq(again, table[i].ns, "%s", text);
	}
}

Test(units, a_formatted_size_parses_to_itself)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} table[] = {
		{ 0, "0B" },         { 1, "1B" },        { 1000, "1000B" },
		{ 1024, "1KiB" },    { 65536, "64KiB" }, { 1 << 20, "1MiB" },
		{ 1 << 30, "1GiB" }, { 1025, "1025B" },  { 3 << 20, "3MiB" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[UNITS_TEXT_MAX];
		int64_t again = -1;

		cr_expect_str_eq(units_format_size(text, table[i].bytes), table[i].text);
		cr_expect_eq(units_parse_size(text, &again), 0);
		cr_expect_eq(again, table[i].bytes, "%s", text);
	}
}

Test(units, a_number_need_not_be_whole_and_is_the_nearest_to_its_text)
{
	static const struct {
		const char *text;
		int rc;
		double number;
	} table[] = {
		{ "0", 0, 0 },
		{ "0.0", 0, 0 },
		{ "2.5", 0, 2.5 },
		{ "007", 0, 7 },
		{ "1k", 0, 1000 },
		{ "20k", 0, 20000 },
		{ "1.5M", 0, 1500000 },
		{ "0.1", 0, 0.1 },
		/* The double that is nearest to 1.001 times 1000 is not the one nearest to 1001. */
		{ "1.001k", 0, 1001 },
		{ "4.35k", 0, 4350 },
		{ "0.000001", 0, 1e-6 },
		{ "12345678901234567890", 0, 12345678901234567890.0 },
		{ "000000000000000000000000000000000000000000000000000000000000000", 0, 0 },
		{ "0000000000000000000000000000000000000000000000000000000000000000", -ERANGE },
		{ "", -EINVAL },
		{ "k", -EINVAL },
		{ "-1", -EINVAL },
		{ "+1", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 ", -EINVAL },
		{ ".5", -EINVAL },
		{ "1.", -EINVAL },
		{ "1.k", -EINVAL },
		{ "1.2.3", -EINVAL },
		{ "1e3", -EINVAL },
		{ "0x10", -EINVAL },
		{ "1K", -EINVAL },
		{ "1kk", -EINVAL },
		{ "1,5", -EINVAL },
		{ "inf", -EINVAL },
		{ "nan", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double number = -1;
		int rc = units_parse_number(table[i].text, &number);

		cr_expect_eq(rc, table[i].rc, "'%s': %d, not %d", table[i].text, rc, table[i].rc);
		if (table[i].rc == 0)
			cr_expect_eq(number, table[i].number, "'%s': %.17g", table[i].text, number);
	}
}

Test(units, a_share_is_a_number_of_per_cent)
{
	static const struct {
		const char *text;
		int rc;
		double share;
	} table[] = {
		{ "5%", 0, 0.05 },      { "2.5%", 0, 0.025 },   { "0%", 0, 0 },
		{ "0", 0, 0 },          { "150%", 0, 1.5 },     { "0.1%", 0, 0.001 },
		{ "5", -EINVAL, 0 },    { "0.05", -EINVAL, 0 }, { "%", -EINVAL, 0 },
		{ "-5%", -EINVAL, 0 },  { "5 %", -EINVAL, 0 },  { "5%%", -EINVAL, 0 },
		{ "1e1%", -EINVAL, 0 }, { "", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double share = -1;

		cr_expect_eq(units_parse_share(table[i].text, &share), table[i].rc, "'%s'",
			     table[i].text);
		if (table[i].rc == 0)
			cr_expect_eq(share, table[i].share, "'%s': %.17g", table[i].text, share);
	}
}

Test(units, a_formatted_number_has_no_digits_that_say_nothing)
{
	static const struct {
		double number;
		const char *text;
	} table[] = {
		{ 0, "0" },         { 2.5, "2.5" },        { 0.1, "0.1" },
		{ 20000, "20000" }, { 1e9, "1000000000" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[UNITS_TEXT_MAX];

		cr_expect_str_eq(units_format_number(text, table[i].number), table[i].text);
	}
}

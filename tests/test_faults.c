/* Faults on purpose, as arithmetic: what a request's number and time make of it. */
#include "servers/faults.h"
#include "common/clock.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

Test(faults, without_any_there_are_none)
{
	struct faults faults = { 0 };
	struct faults_count count = { 0 };

	cr_expect_not(faults_are_any(&faults));
	cr_expect_eq(faults_delay_ns(&faults, 7, 3600LL * NS_PER_S), 7);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(faults_answer(&faults, &count), FAULT_NONE);
}

Test(faults, each_kind_by_itself_is_one)
{
	static const struct faults table[] = {
		{ .stall_ns = 1, .every_ns = 2 },
		{ .drift = 0.1 },
		{ .reset_every = 1 },
		{ .status_every = 1 },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++)
		cr_expect(faults_are_any(&table[i]), "row %zu", i);
}

Test(faults, a_drift_is_a_share_above_0)
{
	static const struct {
		const char *text;
		double drift; /* 0: refused */
	} table[] = {
		{ "10%", 0.1 },    { "0.1", 0.1 }, { "1", 1 },     { "250%", 2.5 }, { ".5", 0.5 },
		{ "0.5%", 0.005 }, { "", 0 },      { "%", 0 },     { ".", 0 },      { "0", 0 },
		{ "0%", 0 },       { "-1", 0 },    { "+1", 0 },    { " 1", 0 },     { "1 %", 0 },
		{ "1%%", 0 },      { "1%/s", 0 },  { "1.2.3", 0 }, { "inf", 0 },    { "nan", 0 },
		{ "0x1", 0 },      { "1e2", 0 },   { "ten", 0 },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		double drift = -1;
		int rc = faults_parse_drift(table[i].text, &drift);

		if (table[i].drift > 0) {
			cr_expect_eq(rc, 0, "'%s'", table[i].text);
			cr_expect_float_eq(drift, table[i].drift, 1e-12, "'%s'", table[i].text);
		} else {
			cr_expect_eq(rc, -EINVAL, "'%s'", table[i].text);
			cr_expect_eq(drift, -1, "'%s': left alone", table[i].text);
		}
	}
}

Test(faults, a_delay_grows_by_its_share_with_each_second)
{
	static const struct {
		double drift;
		int64_t delay_ns, since_ns, grown_ns;
	} table[] = {
		{ 0.1, 10 * NS_PER_MS, 0, 10 * NS_PER_MS },
		{ 0.1, 10 * NS_PER_MS, NS_PER_S, 11 * NS_PER_MS },
		{ 0.1, 10 * NS_PER_MS, 10LL * NS_PER_S, 20 * NS_PER_MS },
		{ 0.1, 10 * NS_PER_MS, NS_PER_S / 2, 10 * NS_PER_MS + 500 * NS_PER_US },
		{ 2, NS_PER_MS, 3LL * NS_PER_S, 7 * NS_PER_MS },
		{ 2, 0, 3LL * NS_PER_S, 0 },
		/* No more than can be told, however long. */
		{ 1e6, 3600LL * NS_PER_S, 3600LL * NS_PER_S, 1000000000000000000 },
		{ 1e6, INT64_MAX, 3600LL * NS_PER_S, INT64_MAX },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct faults faults = { .drift = table[i].drift };

		cr_expect_float_eq(
			(double)faults_delay_ns(&faults, table[i].delay_ns, table[i].since_ns),
			(double)table[i].grown_ns, 2, "row %zu", i);
	}
}

Test(faults, a_stall_is_the_end_of_each_period)
{
	struct faults faults = { .stall_ns = 30, .every_ns = 100 };
	static const struct {
		int64_t since_ns, end_ns;
	} table[] = {
		{ 0, 100 },   { 69, 100 },  { 70, 100 },    { 99, 100 },
		{ 100, 200 }, { 101, 200 }, { 1050, 1100 },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++)
		cr_expect_eq(faults_stall_end_ns(&faults, table[i].since_ns), table[i].end_ns,
			     "%lld", (long long)table[i].since_ns);
}

/* One letter an answer: '.' a good reply, 's' a status, 'r' a reset. */
Test(faults, every_kth_request_is_reset_and_every_kth_reply_has_another_status)
{
	static const struct {
		int64_t reset_every, status_every;
		const char *answers;
	} table[] = {
		{ 0, 0, "............" },
		{ 3, 0, "..r..r..r..r" },
		{ 0, 4, "...s...s...s" },
		{ 1, 0, "rrrrrrrrrrrr" },
		{ 0, 1, "ssssssssssss" },
		/* What is reset is no reply. */
		{ 2, 2, ".rsr.rsr.rsr" },
		{ 3, 2, ".sr.sr.sr.sr" },
		{ 3, 1, "ssrssrssrssr" },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct faults faults = { .reset_every = table[i].reset_every,
					 .status_every = table[i].status_every };
		struct faults_count count = { 0 };
		char answers[16] = "";

		for (size_t j = 0; j < strlen(table[i].answers); j++)
			answers[j] = ".sr"[faults_answer(&faults, &count)];
		cr_expect_str_eq(answers, table[i].answers);
	}
}

#include "loadgen/engine/fail_on.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(fail_on, a_list_reads_back_as_it_was_given)
{
	/* Conditions as they are understood, separated by spaces. */
	static const struct {
		const char *text;
		const char *understood;
	} table[] = {
		{ "errors", "errors" },
		{ "none", "" },
		{ "errors>5", "errors>5" },
		{ "errors>10k", "errors>10000" },
		{ "errors>0", "errors" },
		{ "errors>0.1%", "errors>0.1%" },
		{ "errors>0%", "errors" },
		{ "timeout", "timeout" },
		{ "timeout>3,reset>1%", "timeout>3 reset>1%" },
		{ "timeout>3,timeout>1%", "timeout>3 timeout>1%" },
		/* Latencies alone leave it at that errors count. */
		{ "p99>20ms", "p99>20ms errors" },
		{ "none,p99>20ms", "p99>20ms" },
		{ "p99>20ms,none", "p99>20ms" },
		{ "p99.9>1s,mean>5ms,max>1500ms,errors>2",
		  "p99.9>1s mean>5ms max>1500ms errors>2" },
		{ "p50>0.5ms,connect", "p50>500us connect" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fail_on fail_on;
		char why[FAIL_ON_WHY_MAX] = "";
		char understood[FAIL_ON_MAX * FAIL_ON_TEXT_MAX] = "";

		cr_assert_eq(fail_on_parse(table[i].text, &fail_on, why, sizeof(why)), 0, "%s: %s",
			     table[i].text, why);
		for (int j = 0; j < fail_on.count; j++) {
			char text[FAIL_ON_TEXT_MAX];

			if (j > 0)
				strcat(understood, " ");
			strcat(understood, fail_on_format(text, &fail_on.conditions[j]));
		}
		cr_expect_str_eq(understood, table[i].understood, "%s: %s", table[i].text,
				 understood);
	}
}

Test(fail_on, every_kind_of_error_is_known_by_its_name)
{
	for (int i = 0; i < LOAD_ERRORS; i++) {
		struct fail_on fail_on;
		char why[FAIL_ON_WHY_MAX];

		cr_expect_eq(fail_on_parse(load_error_names[i], &fail_on, why, sizeof(why)), 0);
		cr_expect_eq(fail_on.conditions[0].error, i);
	}
}

Test(fail_on, what_it_is_not_is_named_with_an_example)
{
	static const struct {
		const char *text;
		const char *named; /* must be in the message */
	} table[] = {
		{ "", "missing" },
		{ ",", "missing" },
		{ "errors,", "missing" },
		{ "errors,,none", "missing" },
		{ "sunspots", "'sunspots'" },
		{ "Errors", "'Errors'" },
		{ "none>5", "'none'" },
		{ "errors>", "errors>10" },
		{ "errors>-1", "'-1'" },
		{ "errors>1.5", "'1.5'" },
		{ "errors>5 %", "0.1%" },
		{ "errors>%", "0.1%" },
		{ "errors>100%", "below 100" },
		{ "errors>nan%", "0.1%" },
		{ "errors<5", "'errors<5'" },
		{ "errors=5", "'errors=5'" },
		{ "p99", "p99>20ms" },
		{ "p99>", "p99>20ms" },
		{ "p99>20", "'20'" },
		{ "p99>0", "'0'" },
		{ "p99>20ms%", "'20ms%'" },
		{ "p99>>20ms", "'>20ms'" },
		{ "p99<20ms", "'p99<20ms'" },
		{ "p100>20ms", "max" },
		{ "p0>20ms", "percentile" },
		{ "p>20ms", "'p'" },
		{ "p9x>20ms", "'p9x'" },
		{ "p99.>20ms", "'p99.'" },
		{ "p1e1>20ms", "'p1e1'" },
		{ "mean", "mean>20ms" },
		{ "none,errors", "none" },
		{ "timeout,none", "none" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "aaa" },
		{ "p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,"
		  "p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s,p99>1s",
		  "at most" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fail_on fail_on;
		char why[512] = "";

		cr_expect_eq(fail_on_parse(table[i].text, &fail_on, why, sizeof(why)), -EINVAL,
			     "%s", table[i].text);
		cr_expect_not_null(strstr(why, table[i].named), "%s: %s", table[i].text, why);
	}
}

Test(fail_on, errors_count_if_a_condition_on_them_is_met)
{
	static const struct {
		const char *list;
		uint64_t timeouts;
		uint64_t resets;
		uint64_t requests;
		uint64_t count;
		int worst; /* -1: none */
	} table[] = {
		{ "errors", 0, 0, 100, 0, -1 },
		{ "errors", 1, 0, 100, 1, LOAD_ERROR_TIMEOUT },
		{ "errors", 1, 2, 100, 3, LOAD_ERROR_RESET },
		{ "none", 10, 20, 100, 0, -1 },
		{ "p99>1s", 1, 0, 100, 1, LOAD_ERROR_TIMEOUT },
		{ "none,p99>1s", 1, 0, 100, 0, -1 },
		{ "timeout", 3, 5, 100, 3, LOAD_ERROR_TIMEOUT },
		{ "timeout", 0, 5, 100, 0, -1 },
		{ "errors>5", 3, 2, 100, 0, -1 },
		{ "errors>5", 3, 3, 100, 6, LOAD_ERROR_RESET },
		/* The share is of all requests: the good ones and those that failed. */
		{ "errors>1%", 1, 0, 99, 0, -1 },
		{ "errors>1%", 1, 0, 98, 1, LOAD_ERROR_TIMEOUT },
		{ "timeout>1%", 2, 98, 100, 0, -1 },
		{ "timeout>1%", 3, 97, 100, 3, LOAD_ERROR_TIMEOUT },
		{ "errors>50%", 1, 0, 0, 1, LOAD_ERROR_TIMEOUT },
		{ "timeout>5,reset", 5, 1, 100, 1, LOAD_ERROR_RESET },
		{ "timeout>5,timeout>1%", 2, 0, 100, 2, LOAD_ERROR_TIMEOUT },
		{ "timeout,errors>100", 2, 3, 100, 2, LOAD_ERROR_TIMEOUT },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t errors[LOAD_ERRORS] = { [LOAD_ERROR_TIMEOUT] = table[i].timeouts,
						 [LOAD_ERROR_RESET] = table[i].resets };
		struct fail_on fail_on;
		struct fail_errors found;
		char why[FAIL_ON_WHY_MAX];

		cr_assert_eq(fail_on_parse(table[i].list, &fail_on, why, sizeof(why)), 0);
		found = fail_on_errors(&fail_on, errors, table[i].requests);
		cr_expect_eq(found.count, table[i].count, "row %zu, %s", i, table[i].list);
		if (table[i].worst < 0) {
			cr_expect_null(found.worst);
		} else {
			cr_expect_str_eq(found.worst, load_error_names[table[i].worst], "row %zu",
					 i);
			cr_expect_eq(found.worst_count, errors[table[i].worst]);
		}
	}
}

Test(fail_on, a_latency_fails_a_run_if_it_is_above_its_bound)
{
	static const struct {
		const char *list;
		int met;
	} table[] = {
		/* Of 1...100: every percentile is itself, the mean is 50.5. */
		{ "p50>50ns", 0 },
		{ "p50>49ns", 1 },
		{ "p99>99ns", 0 },
		{ "p99>98ns", 1 },
		{ "p99.5>99ns", 1 },
		{ "max>100ns", 0 },
		{ "max>99ns", 1 },
		{ "mean>51ns", 0 },
		{ "mean>50ns", 1 },
		{ "errors", 0 },
		{ "p50>1ns,p90>1s,max>1ns", 2 },
	};
	static struct histogram histogram;
	static struct histogram empty;

	histogram_reset(&histogram);
	histogram_reset(&empty);
	for (int64_t i = 1; i <= 100; i++)
		histogram_record(&histogram, i);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fail_on fail_on;
		int met[FAIL_ON_MAX];
		char why[FAIL_ON_WHY_MAX];

		cr_assert_eq(fail_on_parse(table[i].list, &fail_on, why, sizeof(why)), 0);
		cr_expect_eq(fail_on_latency(&fail_on, &histogram, met), table[i].met, "%s",
			     table[i].list);
		for (int j = 0; j < table[i].met; j++)
			cr_expect(fail_on.conditions[met[j]].on_latency);
		cr_expect_eq(fail_on_latency(&fail_on, &empty, met), 0, "%s", table[i].list);
	}
}

Test(fail_on, a_bound_to_search_for_is_a_latency_below_a_time)
{
	static const struct {
		const char *text;
		double quantile; /* 0: refused */
		int64_t bound_ns;
	} table[] = {
		{ "p99<20ms", 0.99, 20000000 },
		{ "p99.9<1.5s", 0.999, 1500000000 },
		{ "p50<800us", 0.5, 800000 },
		{ "mean<5ms", SLO_MEAN, 5000000 },
		{ "max<1s", 1, 1000000000 },
		{ "p99>20ms", 0, 0 },
		{ "p99", 0, 0 },
		{ "p99<", 0, 0 },
		{ "p99<20", 0, 0 },
		{ "p99<-20ms", 0, 0 },
		{ "p100<20ms", 0, 0 },
		{ "p0<20ms", 0, 0 },
		{ "errors<5", 0, 0 },
		{ "", 0, 0 },
		{ "<20ms", 0, 0 },
		{ "p99<20ms,p50<1ms", 0, 0 },
		{ "p99<0s", 0, 0 },
		{ "P99<20ms", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct slo slo;
		char why[FAIL_ON_WHY_MAX] = "";
		int rc = slo_parse(table[i].text, &slo, why, sizeof(why));

		if (table[i].quantile == 0) {
			cr_expect_eq(rc, -EINVAL, "%s", table[i].text);
			cr_expect_not_null(strchr(why, '<'), "no example: %s", why);
			continue;
		}
		cr_assert_eq(rc, 0, "%s: %s", table[i].text, why);
		cr_expect_float_eq(slo.quantile, table[i].quantile, 1e-12, "%s", table[i].text);
		cr_expect_eq(slo.bound_ns, table[i].bound_ns, "%s", table[i].text);
	}
}

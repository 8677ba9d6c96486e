#include "runner/net/retry.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "runner/base/clock.h"

static enum attempt_verdict judge(long status, int64_t retry_after_ms, bool is_json)
{
	struct transfer_result result = {.sent = SENT_ALL, .status = status, .retry_after_ms = retry_after_ms};

	return attempt_judge(&result, is_json);
}

static enum attempt_verdict judge_code(int code, enum transfer_sent sent, long status, enum gr_failure failure)
{
	struct transfer_result result = {
	        .curl_code = code, .sent = sent, .status = status, .retry_after_ms = -1, .error.failure = failure};

	return attempt_judge(&result, false);
}

static void it_takes_json_alone_for_an_answer(void **state)
{
	(void)state;
	assert_int_equal(judge(200, -1, true), ATTEMPT_ANSWERED);
	assert_int_equal(judge(201, -1, true), ATTEMPT_ANSWERED);
	assert_int_equal(judge(200, -1, false), ATTEMPT_BROKEN);
	assert_int_equal(judge(204, -1, false), ATTEMPT_BROKEN);
	assert_int_equal(judge(0, -1, false), ATTEMPT_BROKEN);
	assert_int_equal(judge(100, -1, true), ATTEMPT_BROKEN);
}

static void it_tells_a_definite_no_from_no_answer(void **state)
{
	static const long refused[] = {
	        300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 409, 411, 413, 414, 415, 422};
	static const long by_itself[] = {302, 307, 400, 401, 403, 404, 405, 411, 413, 414, 415, 422};
	static const long in_words[] = {402, 409, 410, 423, 425, 428, 460, 499};
	static const long broken[] = {408, 500, 501, 502, 503, 504, 520, 599};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(judge(refused[i], -1, true), ATTEMPT_REFUSED);
	for (size_t i = 0; i < sizeof(by_itself) / sizeof(by_itself[0]); i++)
		assert_int_equal(judge(by_itself[i], -1, false), ATTEMPT_REFUSED);
	for (size_t i = 0; i < sizeof(in_words) / sizeof(in_words[0]); i++) {
		assert_int_equal(judge(in_words[i], -1, true), ATTEMPT_REFUSED);
		assert_int_equal(judge(in_words[i], -1, false), ATTEMPT_BROKEN);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(judge(broken[i], -1, true), ATTEMPT_BROKEN);
	assert_int_equal(judge(429, -1, false), ATTEMPT_THROTTLED);
	assert_int_equal(judge(429, 1000, false), ATTEMPT_THROTTLED);
	assert_int_equal(judge(503, 0, false), ATTEMPT_OVERLOADED);
}

static void it_judges_the_transport_before_the_status(void **state)
{
	(void)state;
	assert_int_equal(judge_code(CURLE_GOT_NOTHING, SENT_ALL, 0, GR_NETWORK), ATTEMPT_BROKEN);
	assert_int_equal(judge_code(CURLE_PARTIAL_FILE, SENT_ALL, 200, GR_NETWORK), ATTEMPT_BROKEN);
	assert_int_equal(judge_code(CURLE_RECV_ERROR, SENT_PART, 0, GR_NETWORK), ATTEMPT_NOT_SENT);
	assert_int_equal(judge_code(CURLE_COULDNT_CONNECT, SENT_NOTHING, 0, GR_NETWORK), ATTEMPT_NOT_SENT);
	assert_int_equal(judge_code(CURLE_ABORTED_BY_CALLBACK, SENT_PART, 0, GR_CONFIG), ATTEMPT_HOPELESS);
	assert_int_equal(judge_code(CURLE_PEER_FAILED_VERIFICATION, SENT_NOTHING, 0, GR_NETWORK), ATTEMPT_HOPELESS);
	assert_int_equal(judge_code(0, SENT_ALL, 200, GR_PROTOCOL), ATTEMPT_BROKEN);
}

static struct retry_facts facts_of(enum operation_class class_, enum attempt_verdict verdict)
{
	return (struct retry_facts){
	        .class_ = class_, .verdict = verdict, .attempt = 1, .retry_after_ms = -1, .time_left_ms = CLOCK_NEVER};
}

static enum retry_kind decide(enum operation_class class_, enum attempt_verdict verdict)
{
	struct retry_facts facts = facts_of(class_, verdict);

	return retry_decide(&retry_default, &facts).kind;
}

/* Rows: verdicts; columns: READ, WRITE, MARKED, START, NEVER. */
static void it_repeats_only_what_is_safe_to_repeat(void **state)
{
	static const struct {
		enum attempt_verdict verdict;
		enum retry_kind kinds[5];
	} rows[] = {
	        {ATTEMPT_ANSWERED, {RETRY_DONE, RETRY_DONE, RETRY_DONE, RETRY_DONE, RETRY_DONE}},
	        {ATTEMPT_REFUSED, {RETRY_DONE, RETRY_DONE, RETRY_DONE, RETRY_DONE, RETRY_DONE}},
	        {ATTEMPT_NOT_SENT, {RETRY_WAIT, RETRY_WAIT, RETRY_WAIT, RETRY_WAIT, RETRY_WAIT}},
	        {ATTEMPT_THROTTLED, {RETRY_WAIT, RETRY_WAIT, RETRY_WAIT, RETRY_WAIT, RETRY_GIVE_UP}},
	        {ATTEMPT_OVERLOADED, {RETRY_WAIT, RETRY_WAIT, RETRY_AMBIGUOUS, RETRY_AMBIGUOUS, RETRY_AMBIGUOUS}},
	        {ATTEMPT_BROKEN, {RETRY_WAIT, RETRY_WAIT, RETRY_AMBIGUOUS, RETRY_AMBIGUOUS, RETRY_AMBIGUOUS}},
	        {ATTEMPT_HOPELESS, {RETRY_GIVE_UP, RETRY_GIVE_UP, RETRY_GIVE_UP, RETRY_GIVE_UP, RETRY_GIVE_UP}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t class_ = 0; class_ < 5; class_++)
			assert_int_equal(decide((enum operation_class)class_, rows[i].verdict), rows[i].kinds[class_]);
}

static void it_stays_ambiguous_when_all_limits_are_used_up(void **state)
{
	struct retry_facts facts = facts_of(CLASS_START, ATTEMPT_BROKEN);

	(void)state;
	facts.attempt = 100;
	facts.budget_is_empty = true;
	facts.time_left_ms = 0;
	assert_int_equal(retry_decide(&retry_default, &facts).kind, RETRY_AMBIGUOUS);
}

static void it_stops_after_the_repeats_of_the_policy(void **state)
{
	struct retry_facts facts = facts_of(CLASS_READ, ATTEMPT_BROKEN);
	struct retry_policy once = {.max = 1, .budget_ms = 1000}, never = {.max = 0, .budget_ms = 1000};

	(void)state;
	assert_int_equal(retry_decide(&never, &facts).kind, RETRY_GIVE_UP);
	assert_int_equal(retry_decide(&once, &facts).kind, RETRY_WAIT);
	facts.attempt = 2;
	assert_int_equal(retry_decide(&once, &facts).kind, RETRY_GIVE_UP);
}

static void it_stops_when_the_budget_of_time_or_tokens_is_gone(void **state)
{
	struct retry_policy policy = {.max = 9, .backoff_low_ms = 0, .backoff_high_ms = 0, .budget_ms = 1000};
	struct retry_facts facts = facts_of(CLASS_READ, ATTEMPT_BROKEN);

	(void)state;
	facts.since_first_ms = 1000;
	assert_int_equal(retry_decide(&policy, &facts).kind, RETRY_WAIT);
	facts.since_first_ms = 1001;
	assert_int_equal(retry_decide(&policy, &facts).kind, RETRY_GIVE_UP);
	facts.since_first_ms = 900;
	facts.retry_after_ms = 101;
	assert_int_equal(retry_decide(&policy, &facts).kind, RETRY_GIVE_UP);
	facts.retry_after_ms = 100;
	assert_int_equal(retry_decide(&policy, &facts).kind, RETRY_WAIT);
	facts.budget_is_empty = true;
	assert_int_equal(retry_decide(&policy, &facts).kind, RETRY_GIVE_UP);
}

static int64_t wait_of(unsigned attempt, uint64_t random)
{
	struct retry_facts facts = facts_of(CLASS_READ, ATTEMPT_BROKEN);
	struct retry_policy policy = {
	        .max = 1000000, .backoff_low_ms = 500, .backoff_high_ms = 30000, .budget_ms = 600000};
	struct retry_decision decision;

	facts.attempt = attempt;
	facts.random = random;
	decision = retry_decide(&policy, &facts);
	assert_int_equal(decision.kind, RETRY_WAIT);
	return decision.wait_ms;
}

static void it_waits_with_full_jitter_up_to_a_doubling_limit(void **state)
{
	(void)state;
	assert_int_equal(wait_of(1, 500), 500);
	assert_int_equal(wait_of(1, 501), 0);
	assert_int_equal(wait_of(2, 1000), 1000);
	assert_int_equal(wait_of(3, 2000), 2000);
	assert_int_equal(wait_of(7, 30000), 30000);
	assert_int_equal(wait_of(7, 30001), 0);
	assert_int_equal(wait_of(1000, 30000), 30000);
	for (unsigned attempt = 1; attempt < 80; attempt++)
		assert_in_range(wait_of(attempt, UINT64_MAX - attempt), 0, 30000);
}

static void it_survives_huge_backoffs(void **state)
{
	struct retry_facts facts = facts_of(CLASS_READ, ATTEMPT_BROKEN);
	struct retry_policy policy = {
	        .max = 100, .backoff_low_ms = INT64_MAX / 2 + 1, .backoff_high_ms = INT64_MAX, .budget_ms = INT64_MAX};

	(void)state;
	facts.attempt = 90;
	facts.random = UINT64_MAX;
	assert_true(retry_decide(&policy, &facts).wait_ms >= 0);
}

static void it_waits_as_long_as_the_server_asks_but_not_for_ever(void **state)
{
	struct retry_facts facts = facts_of(CLASS_START, ATTEMPT_THROTTLED);
	struct retry_policy policy = {.max = 3, .backoff_low_ms = 10, .backoff_high_ms = 10, .budget_ms = 600000};

	(void)state;
	facts.random = 10;
	facts.retry_after_ms = 7000;
	assert_int_equal(retry_decide(&policy, &facts).wait_ms, 7000);
	facts.retry_after_ms = 5;
	assert_int_equal(retry_decide(&policy, &facts).wait_ms, 10);
	facts.retry_after_ms = 86400000;
	assert_int_equal(retry_decide(&policy, &facts).wait_ms, 300000);
}

static void it_waits_twice_as_long_for_a_server_that_has_too_much_to_do(void **state)
{
	struct retry_facts facts = facts_of(CLASS_READ, ATTEMPT_THROTTLED);

	(void)state;
	facts.random = 1000;
	assert_int_equal(retry_decide(&retry_default, &facts).wait_ms, 1000);
	facts.random = 1001;
	assert_int_equal(retry_decide(&retry_default, &facts).wait_ms, 0);
	facts.verdict = ATTEMPT_OVERLOADED;
	facts.attempt = 6;
	facts.random = 32000;
	assert_int_equal(retry_decide(&retry_default, &facts).wait_ms, 32000);
}

static void it_gives_up_at_once_when_the_wait_is_longer_than_the_time_left(void **state)
{
	struct retry_facts facts = facts_of(CLASS_READ, ATTEMPT_OVERLOADED);

	(void)state;
	facts.retry_after_ms = 5000;
	facts.time_left_ms = 4999;
	assert_int_equal(retry_decide(&retry_default, &facts).kind, RETRY_TOO_LATE);
	facts.time_left_ms = 5000;
	assert_int_equal(retry_decide(&retry_default, &facts).kind, RETRY_WAIT);
	facts.time_left_ms = -1;
	facts.retry_after_ms = -1;
	assert_int_equal(retry_decide(&retry_default, &facts).kind, RETRY_TOO_LATE);
}

static void it_pays_for_repeats_with_tokens(void **state)
{
	struct retry_bucket bucket;
	unsigned repeats = 0;

	(void)state;
	retry_bucket_init(&bucket);
	assert_int_equal(bucket.tokens, 500);
	assert_true(retry_bucket_take(&bucket, ATTEMPT_BROKEN, false));
	assert_int_equal(bucket.tokens, 486);
	assert_true(retry_bucket_take(&bucket, ATTEMPT_BROKEN, true));
	assert_int_equal(bucket.tokens, 476);
	assert_true(retry_bucket_take(&bucket, ATTEMPT_THROTTLED, false));
	assert_int_equal(bucket.tokens, 471);
	assert_true(retry_bucket_take(&bucket, ATTEMPT_REFUSED, false));
	assert_int_equal(bucket.tokens, 471);
	while (retry_bucket_take(&bucket, ATTEMPT_NOT_SENT, false))
		repeats++;
	assert_int_equal(repeats, 33);
	assert_int_equal(bucket.tokens, 9);
}

static void it_gets_tokens_back_for_successes(void **state)
{
	struct retry_bucket bucket;

	(void)state;
	retry_bucket_init(&bucket);
	retry_bucket_success(&bucket, 1);
	assert_int_equal(bucket.tokens, 500);
	(void)retry_bucket_take(&bucket, ATTEMPT_BROKEN, false);
	(void)retry_bucket_take(&bucket, ATTEMPT_BROKEN, false);
	retry_bucket_success(&bucket, 1);
	assert_int_equal(bucket.tokens, 473);
	retry_bucket_success(&bucket, 2);
	assert_int_equal(bucket.tokens, 487);
	retry_bucket_success(&bucket, 1000000);
	assert_int_equal(bucket.tokens, 500);
	assert_int_equal(bucket.spent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_takes_json_alone_for_an_answer),
	        cmocka_unit_test(it_tells_a_definite_no_from_no_answer),
	        cmocka_unit_test(it_judges_the_transport_before_the_status),
	        cmocka_unit_test(it_repeats_only_what_is_safe_to_repeat),
	        cmocka_unit_test(it_stays_ambiguous_when_all_limits_are_used_up),
	        cmocka_unit_test(it_stops_after_the_repeats_of_the_policy),
	        cmocka_unit_test(it_stops_when_the_budget_of_time_or_tokens_is_gone),
	        cmocka_unit_test(it_waits_with_full_jitter_up_to_a_doubling_limit),
	        cmocka_unit_test(it_survives_huge_backoffs),
	        cmocka_unit_test(it_waits_as_long_as_the_server_asks_but_not_for_ever),
	        cmocka_unit_test(it_waits_twice_as_long_for_a_server_that_has_too_much_to_do),
	        cmocka_unit_test(it_gives_up_at_once_when_the_wait_is_longer_than_the_time_left),
	        cmocka_unit_test(it_pays_for_repeats_with_tokens),
	        cmocka_unit_test(it_gets_tokens_back_for_successes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

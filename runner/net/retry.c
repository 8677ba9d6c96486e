#include "runner/net/retry.h"

#include <curl/curl.h>

#include "runner/base/clock.h"

#define RETRY_AFTER_MOST_MS 300000
#define BUCKET_TOKENS 500
#define COST_USUAL 14
#define COST_TIMEOUT 10
#define COST_THROTTLED 5

const struct retry_policy retry_default = {
        .max = 6, .backoff_low_ms = 500, .backoff_high_ms = 30000, .budget_ms = 600000};

/* ---- what an attempt was worth ---- */

/* Trying again meets the same files, or the same certificate. */
static bool is_hopeless(const struct transfer_result *result)
{
	return result->error.failure == GR_CONFIG || result->curl_code == CURLE_PEER_FAILED_VERIFICATION;
}

static enum attempt_verdict judge_failure(const struct transfer_result *result)
{
	if (result->sent == SENT_ALL)
		return ATTEMPT_BROKEN;
	return is_hopeless(result) ? ATTEMPT_HOPELESS : ATTEMPT_NOT_SENT;
}

/* Said before anything is done, whoever says it. Of the others (409, 423, 425, 499 ...) a gateway may know nothing of
 * what those behind it did: they are a no when the server says so in its own words. */
static bool is_no_by_itself(long status)
{
	switch (status) {
	case 400:
	case 401:
	case 403:
	case 404:
	case 405:
	case 411:
	case 413:
	case 414:
	case 415:
	case 422:
		return true;
	default:
		return status < 400;
	}
}

enum attempt_verdict attempt_judge(const struct transfer_result *result, bool body_is_json)
{
	long status = result->status;

	if (result->curl_code)
		return judge_failure(result);
	if (result->error.failure || status < 200)
		return ATTEMPT_BROKEN;
	if (status < 300)
		return body_is_json ? ATTEMPT_ANSWERED : ATTEMPT_BROKEN;
	if (status == 429)
		return ATTEMPT_THROTTLED;
	if (status == 503 && result->retry_after_ms >= 0)
		return ATTEMPT_OVERLOADED;
	if (status >= 500 || status == 408)
		return ATTEMPT_BROKEN;
	return body_is_json || is_no_by_itself(status) ? ATTEMPT_REFUSED : ATTEMPT_BROKEN;
}

bool attempt_met_no_http(const struct transfer_result *result)
{
	return result->curl_code == CURLE_UNSUPPORTED_PROTOCOL || result->curl_code == CURLE_WEIRD_SERVER_REPLY;
}

/* ---- whether to send again ---- */

/* What may be done after this verdict, before limits are looked at: RETRY_WAIT stands for "may be sent again". */
static enum retry_kind what_is_safe(enum operation_class class_, enum attempt_verdict verdict)
{
	bool is_idempotent = class_ == CLASS_READ || class_ == CLASS_WRITE;

	switch (verdict) {
	case ATTEMPT_ANSWERED:
	case ATTEMPT_REFUSED:
		return RETRY_DONE;
	case ATTEMPT_HOPELESS:
		return RETRY_GIVE_UP;
	case ATTEMPT_NOT_SENT:
		return RETRY_WAIT;
	case ATTEMPT_THROTTLED: /* a definite no */
		return class_ == CLASS_NEVER ? RETRY_GIVE_UP : RETRY_WAIT;
	case ATTEMPT_OVERLOADED: /* who answered knows nothing of what those behind it did */
	case ATTEMPT_BROKEN:
		return is_idempotent ? RETRY_WAIT : RETRY_AMBIGUOUS;
	}
	return RETRY_AMBIGUOUS;
}

static int64_t twice(int64_t ms)
{
	return ms > INT64_MAX / 2 ? INT64_MAX : ms * 2;
}

static int64_t backoff(const struct retry_policy *policy, const struct retry_facts *facts)
{
	bool is_busy = facts->verdict == ATTEMPT_THROTTLED || facts->verdict == ATTEMPT_OVERLOADED;
	int64_t most = is_busy ? twice(policy->backoff_low_ms) : policy->backoff_low_ms;
	int64_t high = is_busy ? twice(policy->backoff_high_ms) : policy->backoff_high_ms;

	for (unsigned n = 1; n < facts->attempt && most < high; n++)
		most = twice(most);
	if (most > high)
		most = high;
	return most > 0 ? (int64_t)(facts->random % ((uint64_t)most + 1)) : 0;
}

static int64_t wait_before_next(const struct retry_policy *policy, const struct retry_facts *facts)
{
	int64_t wait_ms = backoff(policy, facts);
	int64_t asked_ms = facts->retry_after_ms > RETRY_AFTER_MOST_MS ? RETRY_AFTER_MOST_MS : facts->retry_after_ms;

	return asked_ms > wait_ms ? asked_ms : wait_ms;
}

struct retry_decision retry_decide(const struct retry_policy *policy, const struct retry_facts *facts)
{
	struct retry_decision decision = {.kind = what_is_safe(facts->class_, facts->verdict)};
	int64_t wait_ms;

	if (decision.kind != RETRY_WAIT)
		return decision;
	decision.kind = RETRY_GIVE_UP;
	if (facts->attempt > policy->max || facts->budget_is_empty)
		return decision;
	wait_ms = wait_before_next(policy, facts);
	if (facts->since_first_ms > policy->budget_ms || wait_ms > policy->budget_ms - facts->since_first_ms)
		return decision;
	if (facts->time_left_ms != CLOCK_NEVER && wait_ms > facts->time_left_ms)
		return (struct retry_decision){
		        .kind = RETRY_TOO_LATE, .wait_ms = wait_ms}; /* not to sleep to the end first */
	return (struct retry_decision){.kind = RETRY_WAIT, .wait_ms = wait_ms};
}

/* ---- the token bucket ---- */

void retry_bucket_init(struct retry_bucket *bucket)
{
	*bucket = (struct retry_bucket){.tokens = BUCKET_TOKENS};
}

static int cost_of(enum attempt_verdict verdict, bool is_timeout)
{
	switch (verdict) {
	case ATTEMPT_ANSWERED:
	case ATTEMPT_REFUSED:
	case ATTEMPT_HOPELESS:
		return 0; /* nothing will be repeated */
	case ATTEMPT_THROTTLED:
	case ATTEMPT_OVERLOADED:
		return COST_THROTTLED;
	case ATTEMPT_NOT_SENT:
	case ATTEMPT_BROKEN:
		break;
	}
	return is_timeout ? COST_TIMEOUT : COST_USUAL;
}

bool retry_bucket_take(struct retry_bucket *bucket, enum attempt_verdict verdict, bool is_timeout)
{
	int cost = cost_of(verdict, is_timeout);

	if (bucket->tokens < cost)
		return false;
	bucket->tokens -= cost;
	bucket->spent += cost;
	return true;
}

void retry_bucket_success(struct retry_bucket *bucket, unsigned attempts)
{
	int back = 1;

	if (attempts > 1) {
		back = attempts - 1 < BUCKET_TOKENS / COST_USUAL ? (int)(attempts - 1) * COST_USUAL : BUCKET_TOKENS;
		back = back < bucket->spent ? back : bucket->spent;
		bucket->spent -= back;
	}
	bucket->tokens = bucket->tokens + back < BUCKET_TOKENS ? bucket->tokens + back : BUCKET_TOKENS;
}

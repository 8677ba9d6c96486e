/* Whether and when to send again: a pure function of what happened. */
#ifndef GRIDLANE_NET_RETRY_H
#define GRIDLANE_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/api/operation.h"
#include "runner/net/transfer.h"

struct retry_policy { /* `retry:` of the pipeline */
	unsigned max; /* repeats after the first attempt */
	int64_t backoff_low_ms,
	        backoff_high_ms; /* full jitter: 0 .. min(high, low * 2^(n - 1)) after the n-th attempt; both are twice
	                            as long when the server said that it has too much to do */
	int64_t budget_ms; /* time since the first attempt after which no repeat starts */
};
extern const struct retry_policy retry_default; /* max 6, 500ms..30s, 10m (pipeline language, defaults) */

/* What one attempt was worth. */
enum attempt_verdict {
	ATTEMPT_ANSWERED, /* a complete, well-formed answer (its meaning is the API's business) */
	ATTEMPT_NOT_SENT, /* proven: the server cannot have acted on it */
	ATTEMPT_THROTTLED, /* 429: a definite no, for now */
	ATTEMPT_OVERLOADED, /* 503 with Retry-After: no proof that nothing was done */
	ATTEMPT_BROKEN, /* no usable answer; the server may have acted */
	ATTEMPT_REFUSED, /* a definite no: 3xx, 400, 401, 403, 404, ... */
	ATTEMPT_HOPELESS /* proven not sent, and would fail again: a changed file, an untrusted certificate */
};
/* body_is_json: the body of a 2xx parsed. */
enum attempt_verdict attempt_judge(const struct transfer_result *result, bool body_is_json);
/* What came is no HTTP: the rest of an earlier answer, say, on a connection that is used again. */
bool attempt_met_no_http(const struct transfer_result *result);

/* RETRY_TOO_LATE: the next one would be after the time that is left. */
enum retry_kind { RETRY_DONE, RETRY_WAIT, RETRY_GIVE_UP, RETRY_TOO_LATE, RETRY_AMBIGUOUS };
struct retry_decision {
	enum retry_kind kind;
	int64_t wait_ms;
};
struct retry_facts {
	enum operation_class class_;
	enum attempt_verdict verdict;
	unsigned attempt; /* 1 for the first */
	int64_t since_first_ms, retry_after_ms /* -1: none */, time_left_ms /* CLOCK_NEVER: no limit */;
	uint64_t random;
	bool budget_is_empty; /* the process-wide token bucket */
};
struct retry_decision retry_decide(const struct retry_policy *policy, const struct retry_facts *facts);

/* The token bucket shared by a process: 500 tokens; -14 a repeat, -5 a throttled one, -10 a timed-out one, nothing for
 * verdicts that are never repeated; +1 a first-time success, the cost back on a success after repeats. false: it is
 * empty. */
struct retry_bucket {
	int tokens, spent;
};
void retry_bucket_init(struct retry_bucket *bucket);
bool retry_bucket_take(struct retry_bucket *bucket, enum attempt_verdict verdict, bool is_timeout);
void retry_bucket_success(struct retry_bucket *bucket, unsigned attempts);

#endif

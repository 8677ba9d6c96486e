/* What polls have shown outlives the process: each case is learned when it is first seen and when it comes to its end,
 * as memory "case/BUILD/N". A resumed run goes on from it, so that a test that the server drops or changes meanwhile is
 * noticed, and a report after a kill shows what was known. The journal takes secrets out: a case whose name held one
 * comes back as another one, and only stands in for it until polls show it again. */
#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/steps/app_run.h"

#define MASK "***"

enum {
	TOLD_MOST = 400, /* in one poll; the rest follows with the next one */
	NAMES_MOST = 400, /* a record of the journal holds 64 KiB: of longer lists only cases with an end are learned */
	REASON_MOST_BYTES = 4096, /* longer ones are left out: the server tells them again. Never cut here: a secret of
	                             which half is missing is no secret that a redactor knows */
	REASONS_MOST_BYTES = 8 << 20 /* of one run */
};

/* Where the members of a case are in its list. */
enum { AT_NAME, AT_MODULE, AT_DATA, AT_RAW, AT_REASON, AT_NTH, AT_STATE, AT_UNSTEADY, AT_TIME };

static const char *reason_to_tell(struct watch *watch, const struct seen_case *seen)
{
	size_t bytes = seen->reason != NULL ? strlen(seen->reason) : 0;

	if (bytes > REASON_MOST_BYTES || watch->reason_bytes + bytes > REASONS_MOST_BYTES)
		return NULL;
	watch->reason_bytes += bytes;
	return seen->reason;
}

static json_t *case_to_json(struct watch *watch, const struct seen_case *seen)
{
	return json_pack("[s?, s?, s?, s?, s?, i, i, b, I]", seen->name, seen->module_id, seen->data, seen->raw_status,
	        reason_to_tell(watch, seen), (int)seen->nth, (int)seen->state, seen->is_unsteady,
	        (json_int_t)seen->time_ms);
}

/* Of one run: a step may come to start another one. The caller's. */
static char *make_prefix(const struct watch *watch)
{
	return gr_printf("case/%s/", watch->run->number != NULL ? watch->run->number : "");
}

static bool is_worth_it(const struct watch *watch, const struct seen_case *seen)
{
	if (seen->is_told && seen->told == seen->state)
		return false;
	return case_is_over(seen->state) || (seen->is_told && seen->is_unsteady) ||
	       (!seen->is_told && watch->count <= NAMES_MOST);
}

void watch_tell(struct watch *watch, struct action *action)
{
	GR_AUTO_FREE char *prefix = make_prefix(watch);

	for (size_t i = 0, told = 0; i < watch->count && told < TOLD_MOST; i++) {
		struct seen_case *seen = &watch->cases[i];
		GR_AUTO_FREE char *key = NULL;

		if (!is_worth_it(watch, seen))
			continue;
		told++;
		key = gr_printf("%s%zu", prefix, i);
		seen->is_told = true;
		seen->told = seen->state;
		step_keep(action, key, case_to_json(watch, seen));
	}
}

/* ---- and back ---- */

struct place {
	int64_t at;
	const json_t *json;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return (left->at > right->at) - (left->at < right->at);
}

static size_t collect_places(const json_t *memory, const char *prefix, struct place *places)
{
	const char *key = NULL;
	json_t *value = NULL;
	size_t count = 0;

	json_object_foreach ((json_t *)(uintptr_t)memory, key, value) {
		int64_t at = 0;

		if (text_has_prefix(key, prefix) && number_parse_int(key + strlen(prefix), &at) && json_is_array(value))
			places[count++] = (struct place){at, value};
	}
	qsort(places, count, sizeof(*places), compare_places);
	return count;
}

static const char *text_at(const json_t *json, size_t index)
{
	return json_string_value(json_array_get(json, index));
}

static void recall_case(struct watch *watch, const json_t *json)
{
	const json_int_t state = json_integer_value(json_array_get(json, AT_STATE));
	const json_int_t nth = json_integer_value(json_array_get(json, AT_NTH));
	struct seen_case *seen = watch_add(watch, text_at(json, AT_MODULE), text_at(json, AT_NAME),
	        text_at(json, AT_DATA), nth > 0 ? (unsigned)nth : 0);

	seen->raw_status = watch_word(watch, text_at(json, AT_RAW));
	seen->reason = gr_strdup(text_at(json, AT_REASON));
	seen->is_unsteady = json_is_true(json_array_get(json, AT_UNSTEADY));
	seen->state = state >= CASE_NOT_STARTED && state <= CASE_UNKNOWN ? (uint8_t)state : (uint8_t)CASE_UNKNOWN;
	seen->told = seen->state;
	seen->is_told = true;
	seen->is_timed = case_is_over(seen->state);
	if (json_is_integer(json_array_get(json, AT_TIME)))
		seen->time_ms = json_integer_value(json_array_get(json, AT_TIME));
}

bool case_is_stand_in(const struct watch *watch, const struct seen_case *seen)
{
	return watch->polls > 0 && seen->poll == 0 &&
	       ((seen->name != NULL && strstr(seen->name, MASK) != NULL) ||
	               (seen->data != NULL && strstr(seen->data, MASK) != NULL) ||
	               (seen->module_id != NULL && strstr(seen->module_id, MASK) != NULL));
}

void watch_recall(struct watch *watch, const json_t *memory)
{
	GR_AUTO_FREE char *prefix = make_prefix(watch);
	GR_AUTO_FREE struct place *places = gr_alloc(json_object_size(memory) + 1, sizeof(*places));
	size_t count = collect_places(memory, prefix, places);

	for (size_t i = 0; i < count; i++)
		recall_case(watch, places[i].json);
}

/* Which of the tests that were seen before is a test of an answer? The same module, name and datum; the same test
 * listed several times is told apart by its place among them. A datum may be filled in later: then it was the test of
 * that name and place that had none. */
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_run.h"

/* How far apart the places of tests without a datum may be, of which some have got theirs. */
enum { GAP_MOST = 1000 };

/* The caller's. */
static char *make_key(const char *module_id, const char *name, const char *data, unsigned nth)
{
	return gr_printf("%s\x1f%s\x1f%s\x1f%u", module_id != NULL ? module_id : "", name != NULL ? name : "",
	        data != NULL ? data : "", nth);
}

static struct seen_case *find_case(
        const struct watch *watch, const struct execution_case *test, const char *data, unsigned nth)
{
	return watch_find(watch, &(struct case_key){test->module_id, test->name, data, nth});
}

/* The tests of this name without a datum have not all of the places 0, 1, 2, ... */
static void note_gap(struct watch *watch, const char *module_id, const char *name)
{
	GR_AUTO_FREE char *key = make_key(module_id, name, NULL, 0);

	(void)json_object_set_new(watch->gaps, key, json_true());
}

/* The first of this key at that place or, where there may be gaps, behind it; NULL: none. */
static struct seen_case *find_from(
        const struct watch *watch, const struct execution_case *test, const char *data, unsigned nth)
{
	struct seen_case *found = find_case(watch, test, data, nth);
	GR_AUTO_FREE char *key = NULL;

	if (found != NULL || data != NULL || json_object_size(watch->gaps) == 0)
		return found;
	key = make_key(test->module_id, test->name, NULL, 0);
	if (json_object_get(watch->gaps, key) == NULL)
		return NULL;
	for (unsigned i = 1; found == NULL && i < GAP_MOST; i++)
		found = find_case(watch, test, data, nth + i);
	return found;
}

const char *watch_word(struct watch *watch, const char *text)
{
	void *place = text != NULL ? json_object_iter_at(watch->words, text) : NULL;

	if (text == NULL)
		return NULL;
	if (place == NULL) {
		(void)json_object_set_new_nocheck(watch->words, text, json_true());
		place = json_object_iter_at(watch->words, text);
	}
	return json_object_iter_key(place);
}

struct seen_case *watch_add(
        struct watch *watch, const char *module_id, const char *name, const char *data, unsigned nth)
{
	const struct case_key key = {module_id, name, data, nth}, before = {module_id, name, data, nth - 1};
	struct seen_case *seen = NULL;

	if (nth > 0 && data == NULL && watch_find(watch, &before) == NULL)
		note_gap(watch, module_id, name);
	watch_place(watch, &key, watch->count);
	watch->cases = gr_grow(watch->cases, watch->count, sizeof(*watch->cases));
	seen = &watch->cases[watch->count++];
	*seen = (struct seen_case){.name = gr_strdup(name),
	        .module_id = watch_word(watch, module_id),
	        .data = gr_strdup(data),
	        .nth = nth,
	        .state = CASE_NOT_STARTED,
	        .time_ms = TIME_UNKNOWN};
	return seen;
}

/* The first test of this name without a datum that this answer has not had: now it has one. NULL: there is none. */
static struct seen_case *fill_in(struct watch *watch, const struct execution_case *test, unsigned nth)
{
	struct seen_case *seen = find_from(watch, test, NULL, 0);

	while (seen != NULL && seen->poll == watch->polls)
		seen = find_from(watch, test, NULL, seen->nth + 1);
	if (seen == NULL)
		return NULL;
	watch_displace(watch, &(struct case_key){test->module_id, test->name, NULL, seen->nth});
	watch_place(
	        watch, &(struct case_key){test->module_id, test->name, test->data, nth}, (size_t)(seen - watch->cases));
	note_gap(watch, test->module_id, test->name);
	seen->data = gr_strdup(test->data);
	seen->nth = seen->same = nth;
	seen->is_told = false; /* what an earlier record of it says is not its datum */
	return seen;
}

/* The place of `test` among those of its key in this answer: a test that was seen, or NULL for a new one at *ret_nth.
 */
static struct seen_case *find_place(struct watch *watch, const struct execution_case *test, unsigned *ret_nth)
{
	struct seen_case *first = find_from(watch, test, test->data, 0), *next = NULL;

	*ret_nth = 0;
	if (first == NULL)
		return NULL;
	if (first->poll != watch->polls) {
		first->same = first->nth;
		return first;
	}
	next = find_from(watch, test, test->data, first->same + 1);
	*ret_nth = first->same = next != NULL ? next->nth : first->same + 1;
	return next;
}

static void replace(char **text, const char *by)
{
	if (by == NULL || text_equal(*text, by))
		return;
	gr_free(*text);
	*text = gr_strdup(by);
}

bool watch_take_case(struct watch *watch, const struct execution_case *test)
{
	unsigned nth = 0;
	struct seen_case *seen = find_place(watch, test, &nth);
	bool is_changed = seen == NULL;

	if (seen == NULL && test->data != NULL)
		seen = fill_in(watch, test, nth);
	if (seen == NULL)
		seen = watch_add(watch, test->module_id, test->name, test->data, nth);
	if (seen->poll != watch->polls && nth == 0)
		seen->same = seen->nth;
	is_changed = is_changed || seen->state != test->state;
	if (case_is_over(seen->state) && seen->state != test->state)
		seen->is_unsteady = true;
	seen->state = (uint8_t)test->state;
	seen->poll = watch->polls;
	replace(&seen->reason, test->reason);
	if (test->raw_status != NULL && !text_equal(seen->raw_status, test->raw_status))
		seen->raw_status = watch_word(watch, test->raw_status);
	return is_changed;
}

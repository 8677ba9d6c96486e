#include "runner/api/model.h"

#include <inttypes.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define LIST_KEYS "build_list|builds|data|response|result"

/* Do the server's words say that there are no builds? "Application not found" does not, nor does anything about a
 * token: an empty list is proof that nothing was started, so it must not come from a mistake. */
static bool says_no_builds(const json_t *answer)
{
	char text[256];

	if (operation_says_nothing_there(operation_get(OP_BUILD_LIST), answer))
		return true;
	(void)answer_message(answer, text);
	return text_equal_nocase(text, "not found") || text_equal_nocase(text, "not found.");
}

static bool has_list(const json_t *answer)
{
	const char *keys[] = {"build_list", "builds", "data", "response", "result"};
	bool has = false;

	for (size_t i = 0; i < GR_COUNT(keys); i++)
		has = has || json_object_get(answer, keys[i]);
	return has;
}

/* A success without the key of the list, and without words of a mistake: how some servers give an empty list. */
static bool is_silent_about_list(const json_t *answer)
{
	return !has_list(answer) && answer_says(answer) == ANSWER_SUCCESS && !answer_speaks_of_error(answer);
}

/* 0 to go on, 1 for an empty list, or why this answer is no list of builds. */
static int answer_check(const json_t *answer, struct gr_error *err)
{
	enum answer_says says = answer_says(answer);
	char text[256];

	if (!json_is_object(answer))
		return gr_fail(err, GR_PROTOCOL, 0, "the answer is no list of builds");
	if (says == ANSWER_CONTRADICTORY)
		return gr_fail(err, GR_PROTOCOL, 0, "the list of builds says both success and failure");
	if (has_list(answer) && says != ANSWER_REFUSED)
		return 0;
	if (says_no_builds(answer))
		return has_list(answer) ? 0 : 1;
	if (is_silent_about_list(answer))
		return 1;
	return gr_fail(err, GR_PROTOCOL, 0, "the answer has no list of builds%s%s",
	        *answer_message(answer, text) ? ": " : "", text);
}

/* The number of one row: an object, or the bare number. Leading zeros go, so that one build has one spelling. */
static char *row_number(const json_t *row)
{
	GR_AUTO_JSON json_t *wrap = NULL;
	int64_t number;

	if (json_is_boolean(row) || json_is_boolean(json_object_get(row, "build_number")))
		return NULL;
	if (!json_is_object(row)) {
		wrap = json_pack("{s:O}", "build_number", row);
		row = wrap;
	}
	if (!answer_int(row, "build_number|buildNumber", &number) || number < 0)
		return NULL;
	return gr_printf("%" PRId64, number);
}

static int rows_decode(const json_t *rows, struct build_list *list, struct gr_error *err)
{
	GR_AUTO_JSON json_t *seen = json_object();
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		GR_AUTO_FREE char *number = row_number(row);

		if (!number)
			return gr_fail(
			        err, GR_PROTOCOL, 0, "entry %zu of the list of builds has no build number", i + 1);
		if (json_object_get(seen, number))
			continue;
		(void)json_object_set_new(seen, number, json_true());
		list->numbers = gr_grow(list->numbers, list->count, sizeof(*list->numbers));
		list->numbers[list->count++] = gr_take(&number);
	}
	return 0;
}

/* Lists come as a list, an object or a text of either; a bare number is a list of one. */
static int rows_of(const json_t *answer, json_t **ret_rows, struct gr_error *err)
{
	const json_t *holder = answer_holder(answer, "build_list|builds");
	int64_t number;

	if (holder)
		answer = holder;

	if (!json_is_boolean(answer_member(answer, LIST_KEYS)) && answer_int(answer, LIST_KEYS, &number)) {
		*ret_rows = json_pack("[I]", (json_int_t)number);
		return 0;
	}
	return answer_list(answer, LIST_KEYS, ret_rows, err);
}

int build_list_decode(const json_t *answer, struct build_list *ret_list, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = NULL;
	struct build_list list = {0};
	int rc = answer_check(answer, err);

	if (rc == 0)
		rc = rows_of(answer, &rows, err);
	if (rc == 0)
		rc = rows_decode(rows, &list, err);
	if (rc < 0) {
		build_list_release(&list);
		return rc;
	}
	list.is_unsaid = list.count == 0 && is_silent_about_list(answer) && !says_no_builds(answer);
	*ret_list = list;
	return 0;
}

void build_list_release(struct build_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		gr_free(list->numbers[i]);
	gr_free(list->numbers);
	*list = (struct build_list){0};
}

bool build_list_has(const struct build_list *list, const char *number)
{
	for (size_t i = 0; number && i < list->count; i++)
		if (strcmp(list->numbers[i], number) == 0)
			return true;
	return false;
}

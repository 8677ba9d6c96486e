/* What came back from a call, in words and as its outcome. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/engine/run.h"

bool operation_may_repeat(const struct operation *operation)
{
	return operation->repeat == CLASS_READ || operation->repeat == CLASS_WRITE;
}

static enum call_outcome meaning_of_answer(const struct operation *operation, const json_t *body, struct gr_error *err)
{
	char words[256];

	switch (operation_says(operation, body)) {
	case ANSWER_SUCCESS:
	case ANSWER_SILENT:
		return CALL_DONE;
	case ANSWER_REFUSED:
		(void)answer_message(body, words);
		(void)gr_fail(err, answer_is_about_auth(body) ? GR_AUTH : GR_SERVER, 0, "%s: the server says: %s",
		        operation->id, words[0] ? words : "(no reason given)");
		return CALL_REFUSED;
	case ANSWER_CONTRADICTORY:
		break;
	}
	(void)gr_fail(err, GR_PROTOCOL, 0, "%s: the answer says success and failure at once", operation->id);
	return operation_may_repeat(operation) ? CALL_FAILED : CALL_LOST;
}

/* words: the server's own, or "". */
static void meaning_of_refusal(const struct operation *operation, const struct transfer_result *result,
        const char *words, struct gr_error *err)
{
	enum gr_failure failure = GR_SERVER;

	if (result->status == 401 || result->status == 403)
		failure = GR_AUTH;
	if (result->status >= 300 && result->status < 400) {
		(void)gr_fail(err, GR_PROTOCOL, 0,
		        "%s: the server redirects (HTTP %ld), and a form with a token is never sent on; check the "
		        "server's URL",
		        operation->id, result->status);
		return;
	}
	(void)gr_fail(err, failure, 0, "%s: HTTP %ld%s%s", operation->id, result->status, words[0] ? ": " : "", words);
}

static void meaning_of_trouble(
        const struct transfer_result *result, const char *words, const struct gr_error *parse, struct gr_error *err)
{
	if (result->curl_code || result->error.failure)
		*err = result->error;
	else if (parse->failure && result->status < 400)
		*err = *parse;
	else
		(void)gr_fail(err, GR_NETWORK, 0, "HTTP %ld%s%s", result->status, words[0] ? ": " : "", words);
}

/* Where the reference documents no answer, an empty one and one in plain words are answers, too: the status has said
 * how it went, and words of a mistake still count. NULL: it is none. */
static json_t *plain_answer(const struct operation *operation, const struct transfer_result *result, const char *text)
{
	json_t *answer = NULL;

	if (operation->sign != SAID_BY_NOTHING || result->curl_code || result->error.failure || !result->is_framed ||
	        result->status < 200 || result->status > 299 || strpbrk(text, "<{[") != NULL)
		return NULL;
	answer = json_pack("{s:s}", "message", text);
	if (answer != NULL && answer_speaks_of_error(answer))
		(void)json_object_set_new(answer, "success", json_false());
	return answer;
}

/* Statuses that servers refuse to list what is empty with; the words have to say that it is. */
static bool may_be_nothing(long status)
{
	return status == 400 || status == 404 || status == 422;
}

/* Of a gateway or a proxy before the server, about why it refuses; the body is used up by what follows. */
static void read_page(const struct transfer_result *result, char words[static 256])
{
	words[0] = '\0';
	if (!result->curl_code && result->status >= 400)
		(void)answer_page_title(&result->body, words);
}

void reading_take(const struct operation *operation, struct transfer_result *result, struct reading *ret_reading,
        struct gr_error *err)
{
	struct reading reading = {0};
	struct gr_error parse = {0};
	char words[256];

	read_page(result, words);
	if (!result->curl_code && result->status)
		reading.body = plain_answer(operation, result, buffer_text(&result->body));
	if (!reading.body && !result->curl_code && result->status)
		(void)answer_take(&result->body, &reading.body, &parse);
	reading.verdict = attempt_judge(result, reading.body != NULL);
	if (reading.verdict == ATTEMPT_REFUSED && may_be_nothing(result->status) && reading.body &&
	        operation_says_nothing_there(operation, reading.body))
		reading.verdict = ATTEMPT_ANSWERED; /* of a list: it is empty */
	if (reading.verdict == ATTEMPT_ANSWERED) {
		reading.meaning = meaning_of_answer(operation, reading.body, err);
	} else if (reading.verdict == ATTEMPT_REFUSED || reading.verdict == ATTEMPT_THROTTLED) {
		meaning_of_refusal(operation, result, reading.body ? answer_message(reading.body, words) : words, err);
	} else {
		meaning_of_trouble(result, words, &parse, err);
		(void)gr_context(err, "%s", operation->id);
	}
	*ret_reading = reading;
}

bool reading_is_undone(const struct reading *reading)
{
	switch (reading->verdict) {
	case ATTEMPT_ANSWERED:
		return reading->meaning == CALL_REFUSED;
	case ATTEMPT_NOT_SENT:
	case ATTEMPT_HOPELESS:
	case ATTEMPT_THROTTLED:
	case ATTEMPT_REFUSED:
		return true;
	case ATTEMPT_OVERLOADED:
	case ATTEMPT_BROKEN:
		return false;
	}
	return false;
}

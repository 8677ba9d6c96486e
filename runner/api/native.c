#include "runner/api/model.h"

#include <ctype.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* ---- what words mean ---- */

enum sense {
	SENSE_PASS = 1 << 0,
	SENSE_FAIL = 1 << 1,
	SENSE_STOP = 1 << 2,
	SENSE_WAIT = 1 << 3,
	SENSE_BUSY = 1 << 4, /* something goes on now */
	SENSE_ACT = 1 << 5, /* names an activity: "run" as in "running", but also as in "test run passed" */
	SENSE_DONE = 1 << 6,
	SENSE_NOT = 1 << 7, /* turns the next meaning round */
	SENSE_ODD = 1 << 8, /* an outcome that cannot be read */
	SENSE_PART = 1 << 9 /* of a whole: what passed or is done in part proves nothing */
};

struct stem {
	const char *text; /* how the word begins */
	unsigned sense;
};

/* The first that fits: longer stems stand before their beginnings. */
static const struct stem stems[] = {
        {"unsuccess", SENSE_FAIL},
        {"incomplete", SENSE_ODD},
        {"unfinished", SENSE_ODD},
        {"pass", SENSE_PASS},
        {"success", SENSE_PASS},
        {"succeed", SENSE_PASS},
        {"fail", SENSE_FAIL},
        {"error", SENSE_FAIL},
        {"crash", SENSE_FAIL},
        {"stopping", SENSE_BUSY},
        {"stop", SENSE_STOP},
        {"abort", SENSE_STOP},
        {"cancel", SENSE_STOP},
        {"terminat", SENSE_STOP},
        {"kill", SENSE_STOP},
        {"queue", SENSE_WAIT},
        {"pending", SENSE_WAIT},
        {"wait", SENSE_WAIT},
        {"scheduled", SENSE_WAIT},
        {"running", SENSE_BUSY},
        {"progress", SENSE_BUSY},
        {"inprogress", SENSE_BUSY},
        {"processing", SENSE_BUSY},
        {"starting", SENSE_BUSY},
        {"installing", SENSE_BUSY},
        {"preparing", SENSE_BUSY},
        {"executing", SENSE_BUSY},
        {"run", SENSE_ACT},
        {"process", SENSE_ACT},
        {"start", SENSE_ACT},
        {"install", SENSE_ACT},
        {"prepar", SENSE_ACT},
        {"execut", SENSE_ACT},
        {"complet", SENSE_DONE},
        {"finish", SENSE_DONE},
        {"done", SENSE_DONE},
        {"ended", SENSE_DONE},
        {"partial", SENSE_PART},
        {"partly", SENSE_PART},
        {"some", SENSE_PART},
        {"most", SENSE_PART},
        {"almost", SENSE_PART},
        {"nearly", SENSE_PART},
        {"half", SENSE_PART},
};

static const char *const negations[] = {
        "not", "no", "never", "without", "0", "zero", "yet", "cannot", "didnt", "isnt", "cant"};

static unsigned word_sense(const char *word)
{
	for (size_t i = 0; i < GR_COUNT(negations); i++)
		if (strcmp(word, negations[i]) == 0)
			return SENSE_NOT;
	for (size_t i = 0; i < GR_COUNT(stems); i++)
		if (text_has_prefix(word, stems[i].text))
			return stems[i].sense;
	return 0;
}

/* "not started" waits, "not passed" failed, "no failures" says nothing, "not completed" could be either. */
static unsigned sense_turned(unsigned sense)
{
	if (sense & (SENSE_BUSY | SENSE_ACT))
		return SENSE_WAIT;
	if (sense & SENSE_PASS)
		return SENSE_FAIL;
	return sense & SENSE_DONE ? SENSE_ODD : 0;
}

/* All that the words of a text mean, as one set. `text` is changed. */
static unsigned text_senses(char *text)
{
	unsigned senses = 0;
	bool turned = false;
	char *rest = text;

	while (*rest) {
		char *word = rest;
		unsigned sense;
		char part;

		while (*rest && isalnum((unsigned char)*rest))
			rest++;
		part = *rest;
		if (part)
			*rest++ = '\0';
		sense = word_sense(word);
		if (sense & SENSE_NOT) {
			turned = true;
		} else if (sense) {
			senses |= turned ? sense_turned(sense) : sense;
			turned = false;
		}
		if (part && strchr(",;.:(", part))
			turned = false; /* a negation ends with its clause */
	}
	return senses;
}

/* Outcomes first, but only when they agree; words of waiting and doing make an outcome a thing to come. */
static enum native_state senses_state(unsigned senses)
{
	bool ends = senses & (SENSE_PASS | SENSE_DONE);

	if (senses & SENSE_ODD || (senses & SENSE_PART && ends))
		return NATIVE_UNKNOWN;
	if (senses & SENSE_FAIL)
		return senses & SENSE_PASS ? NATIVE_UNKNOWN : NATIVE_FAILED;
	if (senses & SENSE_STOP)
		return senses & SENSE_PASS ? NATIVE_UNKNOWN : NATIVE_STOPPED;
	if (senses & SENSE_WAIT)
		return NATIVE_WAITING;
	if (senses & SENSE_BUSY || (senses & SENSE_ACT && !ends))
		return NATIVE_RUNNING;
	if (senses & SENSE_PASS)
		return NATIVE_PASSED;
	return senses & SENSE_DONE ? NATIVE_COMPLETED : NATIVE_UNKNOWN;
}

static enum native_state text_state(const char *text)
{
	GR_AUTO_BUFFER struct buffer plain = {0};

	for (; *text; text++) {
		if (*text == '\'')
			continue; /* "didn't" is one word */
		buffer_add_char(&plain, (char)tolower((unsigned char)*text));
	}
	return plain.data ? senses_state(text_senses(plain.data)) : NATIVE_UNKNOWN;
}

static enum native_state number_state(int64_t number)
{
	static const enum native_state states[] = {
	        NATIVE_WAITING, NATIVE_RUNNING, NATIVE_PASSED, NATIVE_FAILED, NATIVE_STOPPED};

	return number >= 0 && number < (int64_t)GR_COUNT(states) ? states[number] : NATIVE_UNKNOWN;
}

/* The state of the first of the two members that says anything. */
static enum native_state state_decode(const json_t *row)
{
	static const char *const keys[] = {"status_text", "status"};

	for (size_t i = 0; i < GR_COUNT(keys); i++) {
		GR_AUTO_FREE char *text = answer_text(row, keys[i]);
		int64_t number;

		if (!text)
			continue;
		return answer_int(row, keys[i], &number) ? number_state(number) : text_state(text);
	}
	return NATIVE_UNKNOWN;
}

/* The sample of the reference pairs the status "3" with "Failed", and says of no other number what it means. */
static bool is_contradiction(const json_t *row, enum native_state state)
{
	int64_t number;

	return (state == NATIVE_PASSED || state == NATIVE_COMPLETED) && answer_int(row, "status", &number) &&
	       number_state(number) == NATIVE_FAILED;
}

/* ---- the rows ---- */

/* More tests than any run has; what is counted up to here can be added. */
#define COUNT_MOST 1000000000

static int64_t count_decode(const json_t *row, const char *keys)
{
	int64_t count;

	return answer_int(row, keys, &count) && count >= 0 && count <= COUNT_MOST ? count : -1;
}

static void row_decode(const json_t *row, struct native_device *ret_device)
{
	*ret_device = (struct native_device){
	        .device_id = answer_text(row, "device_id"),
	        .device_name = answer_text(row, "device_name"),
	        .udid = answer_text(row, "UDID|udid"),
	        .os_version = answer_text(row, "platform_version|os_version"),
	        .platform = answer_text(row, "device_plateform|device_platform|platform|platform_name"),
	        .log_path = answer_url(row, "log_path"),
	        .recording_path = answer_url(row, "device_recording_path|recording_path"),
	        .status = answer_text(row, "status"),
	        .status_text = answer_text(row, "status_text"),
	        .state = state_decode(row),
	        .all = count_decode(row, "all_testcase|all_testcases"),
	        .passed = count_decode(row, "passed_testcase|passed_testcases"),
	        .failed = count_decode(row, "failed_testcase|failed_testcases"),
	};
	ret_device->contradicts = is_contradiction(row, ret_device->state);
}

int native_result_decode(const json_t *answer, struct native_result *ret_result, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *holder;
	struct native_result result = {0};
	const json_t *row;
	size_t i;
	int rc;

	if (!json_is_object(answer))
		return gr_fail(err, GR_PROTOCOL, 0, "the answer is no native test result");
	holder = answer_holder(answer, "devices|results");
	rc = holder ? answer_list(holder, "devices|results", &rows, err) : answer_list(answer, ANSWER_ROWS, &rows, err);
	if (rc < 0)
		return rc;
	json_array_foreach (rows, i, row) {
		if (!json_is_object(row)) {
			native_result_release(&result);
			return gr_fail(err, GR_PROTOCOL, 0, "entry %zu of the native test result is no device", i + 1);
		}
		result.devices = gr_grow(result.devices, result.count, sizeof(*result.devices));
		row_decode(row, &result.devices[result.count++]);
	}
	*ret_result = result;
	return 0;
}

void native_result_release(struct native_result *result)
{
	if (!result)
		return;
	for (size_t i = 0; i < result->count; i++) {
		struct native_device *device = &result->devices[i];

		gr_free(device->device_id);
		gr_free(device->device_name);
		gr_free(device->udid);
		gr_free(device->os_version);
		gr_free(device->platform);
		gr_free(device->log_path);
		gr_free(device->recording_path);
		gr_free(device->status);
		gr_free(device->status_text);
	}
	gr_free(result->devices);
	*result = (struct native_result){0};
}

/* The journal read back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/api/operation.h"
#include "runner/base/file.h"
#include "runner/base/json_read.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/engine/crc.h"
#include "runner/engine/replay_private.h"
#include "runner/engine/unfinished.h"

#define JOURNAL_MOST_BYTES (256u << 20)
#define RESULT_MOST_BYTES (512u << 20)

struct reading {
	int directory;
	struct replay *replay;
};

static struct replay_step *step_of(struct replay *replay, const char *lane, const char *step)
{
	struct replay_step *entry;

	for (size_t i = 0; i < replay->step_count; i++)
		if (text_equal(replay->steps[i].lane, lane) && text_equal(replay->steps[i].step, step))
			return &replay->steps[i];
	replay->steps = gr_grow(replay->steps, replay->step_count, sizeof(*replay->steps));
	entry = &replay->steps[replay->step_count++];
	*entry = (struct replay_step){.lane = gr_strdup(lane), .step = gr_strdup(step), .memory = json_object()};
	return entry;
}

const struct replay_step *replay_find(const struct replay *replay, const char *lane, const char *step)
{
	for (size_t i = 0; replay && i < replay->step_count; i++)
		if (text_equal(replay->steps[i].lane, lane) && text_equal(replay->steps[i].step, step))
			return &replay->steps[i];
	return NULL;
}

static enum outcome outcome_from_name(const char *name)
{
	for (int i = OUTCOME_PASSED; i <= OUTCOME_NOT_RUN; i++)
		if (name && strcmp(outcome_name((enum outcome)i), name) == 0)
			return (enum outcome)i;
	return OUTCOME_ERROR;
}

static enum run_event_kind kind_from_name(const char *name, bool *ret_is_known)
{
	for (int i = RUN_STARTED; i <= RUN_JUDGED; i++)
		if (strcmp(run_event_name((enum run_event_kind)i), name) == 0) {
			*ret_is_known = true;
			return (enum run_event_kind)i;
		}
	*ret_is_known = false;
	return RUN_NOTE;
}

static void forget_held(struct replay *replay, const char *key)
{
	for (size_t i = json_array_size(replay->held); i-- > 0;)
		if (text_equal(json_string_value(json_object_get(json_array_get(replay->held, i), "key")), key))
			(void)json_array_remove(replay->held, i);
}

static void note_held(struct replay *replay, const struct run_event *event)
{
	const char *key = json_string_value(json_object_get(event->detail, "key"));
	json_t *copy;

	if (!key)
		return;
	forget_held(replay, key);
	if (event->kind == RUN_RESOURCE_RELEASED && event->outcome == OUTCOME_PASSED)
		return;
	copy = json_copy(event->detail);
	(void)json_object_set_new(copy, "what", json_string(event->text ? event->text : key));
	(void)json_array_append_new(replay->held, copy);
}

bool replay_is_settled(const struct replay_step *step)
{
	return step->has_ended && (step->outcome == OUTCOME_PASSED || step->outcome == OUTCOME_FAILED);
}

/* A process that ended before it came to the step again knows nothing new about it. */
static bool is_untouched(const struct replay_step *step, const struct run_event *event)
{
	return event->outcome == OUTCOME_NOT_RUN &&
	       (replay_is_settled(step) || step->open_operation || json_object_size(step->memory) > 0);
}

static void note_end(struct replay_step *step, const struct run_event *event)
{
	if (is_untouched(step, event))
		return;
	step->has_ended = true;
	step->outcome = event->outcome;
	step->failure = event->failure;
	step->elapsed_ms = event->done;
	gr_free(step->text);
	step->text = gr_strdup(event->text);
	json_decref(step->outputs);
	step->outputs = json_incref(event->detail);
	gr_free(step->open_operation);
	step->open_operation = NULL;
}

static void note_intent(struct replay_step *step, const struct run_event *event)
{
	const struct operation *operation = event->text ? operation_find(event->text) : NULL;

	gr_free(step->open_operation);
	step->open_operation = NULL;
	if (operation && operation->repeat != CLASS_READ && operation->repeat != CLASS_WRITE)
		step->open_operation = gr_strdup(operation->id);
}

/* A further start of the step: its result so far is kept, what it knew of the starts before is not. */
static void note_round(const struct replay *replay, struct replay_step *step)
{
	(void)json_object_clear(step->memory);
	for (size_t i = replay->results.run_count; i-- > 0;) {
		const struct device_run *run = &replay->results.runs[i];

		if (!text_equal(run->lane, step->lane) || !text_equal(run->step, step->step))
			continue;
		if (step->has_known)
			device_run_release(&step->known);
		device_run_copy(run, &step->known);
		step->has_known = true;
		return;
	}
}

static void note_step(struct replay *replay, const struct run_event *event)
{
	struct replay_step *step = step_of(replay, event->lane, event->step);

	if (event->kind == STEP_STARTED) /* a definite end is only said again */
		step->has_ended = replay_is_settled(step);
	else if (event->kind == STEP_LEARNED && json_object_get(event->detail, JOURNAL_ROUND))
		note_round(replay, step);
	if (event->kind == STEP_LEARNED)
		(void)json_object_update(step->memory, event->detail);
	else if (event->kind == STEP_INTENT)
		note_intent(step, event);
	else if (event->kind == STEP_ENDED)
		note_end(step, event);
	if (event->kind == STEP_ENDED && event->outcome == OUTCOME_PASSED)
		replay_begin_anew(replay, event);
	if (event->kind == STEP_LEARNED || event->kind == RUN_DEVICE_RESULT) {
		gr_free(step->open_operation); /* what came of it is known */
		step->open_operation = NULL;
	}
}

/* The clocks of the moment in which a step learned that what it waits for was started. */
static void note_start(struct replay *replay, const struct run_event *event, const json_t *record)
{
	const char *boot = json_string_value(json_object_get(record, "boot"));
	struct replay_step *step;

	if (event->kind != STEP_LEARNED || !json_object_get(event->detail, "start_wall_ms"))
		return;
	step = step_of(replay, event->lane, event->step);
	step->start_ms = json_integer_value(json_object_get(record, "mono"));
	step->start_wall_ms = json_integer_value(json_object_get(record, "wall"));
	(void)snprintf(step->start_boot, sizeof(step->start_boot), "%s", boot ? boot : "");
}

static int read_result(
        const struct reading *reading, const json_t *record, struct device_run *ret_run, struct gr_error *err)
{
	const char *name = json_string_value(json_object_get(record, "file"));
	const char *sha256 = json_string_value(json_object_get(record, "sha256"));
	const json_t *result = json_object_get(record, "result");
	GR_AUTO_BUFFER struct buffer data = {0};
	GR_AUTO_JSON json_t *json = NULL;
	const char *why;
	char hex[65];
	int r;

	if (result)
		return device_run_from_json(result, ret_run, err);
	if (!name || !sha256)
		return gr_fail(err, GR_DISK, 0, "a result without its file");
	r = file_read_at(reading->directory, name, RESULT_MOST_BYTES, GR_DISK, &data, err);
	if (r < 0)
		return r;
	file_sha256_memory(buffer_text(&data), data.bytes, hex);
	if (strcmp(hex, sha256) != 0)
		return gr_fail(err, GR_DISK, 0, "'%s' is not what the journal says it is", name);
	json = json_read_own(&data, &why);
	return json ? device_run_from_json(json, ret_run, err) : gr_fail(err, GR_DISK, 0, "'%s' %s", name, why);
}

static char *artifact_text(const json_t *detail, const char *key)
{
	return (char *)(uintptr_t)json_string_value(json_object_get(detail, key)); /* borrowed: results copy it */
}

static struct artifact read_artifact(const json_t *detail)
{
	return (struct artifact){.path = artifact_text(detail, "path"),
	        .sha256 = artifact_text(detail, "sha256"),
	        .bytes = json_integer_value(json_object_get(detail, "bytes")),
	        .lane = artifact_text(detail, "lane"),
	        .step = artifact_text(detail, "step"),
	        .device = artifact_text(detail, "device"),
	        .origin = artifact_text(detail, "origin"),
	        .missing = artifact_text(detail, "missing"),
	        .rerun = (unsigned)json_integer_value(json_object_get(detail, "rerun"))};
}

/* A process that could not begin rightly (a token that is not set, another server) settles nothing of what others did.
 */
static bool is_final(const struct replay *replay, int exit_status)
{
	return exit_status < failure_exit_status(GR_USAGE) ||
	       (exit_status == failure_exit_status(GR_USAGE) && replay->generation == 1);
}

static void note_run(struct replay *replay, const struct run_event *event)
{
	const char *print = json_string_value(json_object_get(event->detail, "token_print"));

	if (event->kind == RUN_STARTED && print && !replay->token_print)
		replay->token_print = gr_strdup(print);
	if (event->kind == STEP_ANSWER && json_integer_value(json_object_get(event->detail, "status")) > 0)
		replay->has_answered = true;
	/* passed, failed or wrong: final. A run that ended on trouble, a time limit or a signal can be gone on with. */
	replay->is_done = event->kind == RUN_JUDGED && is_final(replay, (int)event->done);
	replay->has_verdict = event->kind == RUN_JUDGED;
	if (event->kind == RUN_JUDGED)
		replay->exit_status = (int)event->done;
}

static int apply(struct reading *reading, const json_t *record, enum run_event_kind kind, struct gr_error *err)
{
	struct device_run run = {0};
	struct run_event event = {
	        .kind = kind,
	        .lane = json_string_value(json_object_get(record, "lane")),
	        .step = json_string_value(json_object_get(record, "step")),
	        .text = json_string_value(json_object_get(record, "text")),
	        .outcome = outcome_from_name(json_string_value(json_object_get(record, "outcome"))),
	        .done = json_integer_value(json_object_get(record, "done")),
	        .total = json_integer_value(json_object_get(record, "total")),
	        .detail = json_object_get(record, "detail"),
	        .wall_ms = json_integer_value(json_object_get(record, "wall")),
	};
	const struct artifact artifact = read_artifact(event.detail);
	const char *failure = json_string_value(json_object_get(record, "failure"));
	struct gr_error why = {0};
	int r = 0;

	event.failure = failure ? failure_from_name(failure) : GR_NONE;
	if (kind == RUN_DEVICE_RESULT) {
		r = read_result(reading, record, &run, &why);
		event.device_run = &run;
	}
	if (r == 0 && event.lane && event.step) {
		note_step(reading->replay, &event);
		note_start(reading->replay, &event, record);
	}
	replay_note_reservation(reading->replay, &event, record);
	if (kind == RUN_RESOURCE_HELD || kind == RUN_RESOURCE_RELEASED)
		note_held(reading->replay, &event);
	note_run(reading->replay, &event);
	event.artifact = kind == RUN_ARTIFACT ? &artifact : NULL;
	if (r == 0 && kind != RUN_JUDGED)
		r = results_apply(&reading->replay->results, &event, &why);
	device_run_release(&run);
	return r < 0 ? gr_fail(err, GR_DISK, 0, "journal: record %lld cannot be taken: %s",
	                       (long long)reading->replay->sequence, why.text)
	             : 0;
}

static int take_record(struct reading *reading, const json_t *record, struct gr_error *err)
{
	const char *type = json_string_value(json_object_get(record, "type"));
	bool is_known = false;
	enum run_event_kind kind;

	if (json_integer_value(json_object_get(record, "v")) != JOURNAL_FORMAT || !type)
		return gr_fail(err, GR_DISK, 0, "journal: written by another version of gridlane");
	if (json_integer_value(json_object_get(record, "seq")) != reading->replay->sequence + 1)
		return gr_fail(
		        err, GR_DISK, 0, "journal: record %lld is missing", (long long)reading->replay->sequence + 1);
	reading->replay->sequence++;
	reading->replay->generation = (unsigned)json_integer_value(json_object_get(record, "gen"));
	if (strcmp(type, "head") == 0) {
		reading->replay->is_done = reading->replay->has_verdict = false;
		json_decref(reading->replay->head);
		reading->replay->head = json_incref(json_object_get(record, "detail"));
		(void)snprintf(reading->replay->since, sizeof(reading->replay->since), "%s",
		        json_string_value(json_object_get(record, "t"))
		                ? json_string_value(json_object_get(record, "t"))
		                : "");
		return 0;
	}
	kind = kind_from_name(type, &is_known);
	return is_known ? apply(reading, record, kind, err)
	                : gr_fail(err, GR_DISK, 0, "journal: unknown record '%s'", type);
}

static bool crc_holds(const char *line, size_t bytes)
{
	char hex[9];

	if (bytes < 10 || line[8] != ' ')
		return false;
	(void)snprintf(hex, sizeof(hex), "%08x", crc32c(line + 9, bytes - 9));
	return memcmp(hex, line, 8) == 0;
}

static int take_line(struct reading *reading, const char *line, size_t bytes, size_t offset, struct gr_error *err)
{
	const struct buffer text = {.data = (char *)(uintptr_t)line + 9, .bytes = bytes - 9};
	const char *why;
	GR_AUTO_JSON json_t *record = crc_holds(line, bytes) ? json_read_own(&text, &why) : NULL;

	if (!record)
		return gr_fail(err, GR_DISK, 0, "journal: damaged at byte %zu; nothing is guessed from it", offset);
	return take_record(reading, record, err);
}

static int take_lines(struct reading *reading, const struct buffer *data, struct gr_error *err)
{
	const char *at = buffer_text(data), *end = at + data->bytes;

	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		size_t offset = (size_t)(at - buffer_text(data));
		int r;

		reading->replay->good_bytes = (int64_t)offset;
		/* Torn by a crash, at its end or in its middle: it was not synced, so nothing followed from it. */
		if (!feed || (feed + 1 == end && !crc_holds(at, (size_t)(feed - at))))
			return 0;
		r = take_line(reading, at, (size_t)(feed - at), offset, err);
		if (r < 0)
			return r;
		at = feed + 1;
	}
	reading->replay->good_bytes = (int64_t)data->bytes;
	return 0;
}

/* The verdict of a process whose journal broke is beside it. */
static void take_verdict(const struct reading *reading)
{
	struct replay *replay = reading->replay;
	GR_AUTO_FREE char *name = gr_printf(JOURNAL_VERDICT, replay->generation);
	GR_AUTO_BUFFER struct buffer data = {0};
	int64_t status;

	if (replay->has_verdict || file_read_at(reading->directory, name, 16, GR_DISK, &data, NULL) < 0)
		return;
	if (data.bytes == 0 || buffer_text(&data)[data.bytes - 1] != '\n')
		return;
	data.data[--data.bytes] = '\0';
	if (!number_parse_int(buffer_text(&data), &status))
		return;
	replay->has_verdict = replay->is_behind = true;
	replay->exit_status = (int)status;
	replay->is_done = is_final(replay, replay->exit_status);
}

int replay_read(int directory, struct replay **ret_replay, struct gr_error *err)
{
	struct reading reading = {.directory = directory};
	GR_AUTO_BUFFER struct buffer data = {0};
	int r = file_read_at(directory, JOURNAL_NAME, JOURNAL_MOST_BYTES, GR_CONFIG, &data, err);

	if (r < 0)
		return r;
	reading.replay = gr_alloc(1, sizeof(*reading.replay));
	reading.replay->held = json_array();
	reading.replay->bytes = (int64_t)data.bytes;
	reading.replay->exit_status = -1;
	r = take_lines(&reading, &data, err);
	if (r == 0 && !reading.replay->head)
		r = gr_fail(err, GR_CONFIG, 0, "the journal is empty");
	if (r < 0) {
		replay_free(reading.replay);
		return r;
	}
	take_verdict(&reading);
	*ret_replay = reading.replay;
	return 0;
}

const char *replay_kind_of(const struct replay *replay, const struct replay_step *step)
{
	const struct results *results = &replay->results;

	for (size_t i = 0; i < results->step_count; i++)
		if (text_equal(results->steps[i].lane, step->lane) && text_equal(results->steps[i].step, step->step))
			return results->steps[i].kind;
	return NULL;
}

bool replay_has_result(const struct replay *replay, const struct replay_step *step)
{
	const struct results *results = &replay->results;

	for (size_t i = 0; i < results->run_count; i++)
		if (results->runs[i].is_complete && text_equal(results->runs[i].lane, step->lane) &&
		        text_equal(results->runs[i].step, step->step))
			return true;
	return false;
}

/* true: it is in the results, and says itself what became of it. */
static bool add_remains(struct replay *replay, const struct replay_step *step)
{
	struct device_run *run = unfinished_run(replay, step);
	struct run_event event = {.kind = RUN_DEVICE_RESULT, .lane = step->lane, .step = step->step, .device_run = run};

	if (!run)
		return false;
	(void)results_apply(&replay->results, &event, NULL);
	device_run_release(run);
	gr_free(run);
	return true;
}

bool replay_leaves_open(const struct replay *replay)
{
	for (size_t i = 0; i < replay->results.run_count; i++)
		if (!replay->results.runs[i].is_complete)
			return true;
	return false;
}

/* The gate, what `finally` left and the reports belong to a verdict, and the journal has none of them: without one, or
 * beside one that was not green, it proves no green. */
static void doubt_green(struct replay *replay)
{
	struct results *results = &replay->results;

	if (results->verdict != VERDICT_PASSED || (replay->has_verdict && replay->exit_status == 0))
		return;
	if (replay->has_verdict)
		(void)results_add_problem(results, GR_UNKNOWN, NULL, NULL,
		        "the run ended with exit status %d, and the results that say why are lost",
		        replay->exit_status);
	else
		(void)results_add_problem(results, GR_CANCELLED, NULL, NULL,
		        "the process was killed before it had judged the run; `gridlane resume` goes on with it");
	results_judge(results);
}

void replay_conclude(struct replay *replay)
{
	for (size_t i = 0; i < replay->step_count; i++) {
		const struct replay_step *step = &replay->steps[i];

		if (!step->has_ended && !add_remains(replay, step) &&
		        (step->has_known || !replay_has_result(replay, step)))
			(void)results_add_problem(&replay->results, GR_CANCELLED, step->lane, step->step,
			        "the process was killed while this step was under way; `gridlane resume` goes on with "
			        "it");
	}
	results_judge(&replay->results);
	doubt_green(replay);
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	for (size_t i = 0; i < replay->step_count; i++) {
		gr_free(replay->steps[i].lane);
		gr_free(replay->steps[i].step);
		gr_free(replay->steps[i].text);
		gr_free(replay->steps[i].open_operation);
		json_decref(replay->steps[i].outputs);
		json_decref(replay->steps[i].memory);
		if (replay->steps[i].has_known)
			device_run_release(&replay->steps[i].known);
	}
	gr_free(replay->steps);
	json_decref(replay->head);
	json_decref(replay->held);
	gr_free(replay->token_print);
	results_release(&replay->results);
	gr_free(replay);
}

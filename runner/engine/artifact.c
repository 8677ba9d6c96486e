/* Files that a run brings home: names below artifacts/LANE/STEP, written whole and redacted, each said as an event. */
#include "runner/engine/run.h"

#include <string.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/redact_json.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"

#define KIND_BYTES_MOST 6 /* of an ending, with its dot */
#define NAME_BYTES_LEAST 60 /* shorter names are not cut */

/* "recording.mp4" numbered: "recording-2.mp4". */
static char *numbered(const char *folder, const char *name, unsigned number)
{
	const char *dot = strrchr(name, '.');
	int stem = dot && dot != name ? (int)(dot - name) : (int)strlen(name);

	if (number == 1)
		return gr_printf("%s/%s", folder, name);
	return gr_printf("%s/%.*s-%u%s", folder, stem, name, number, name + stem);
}

/* Names that an earlier process of this run said are kept for what they name. A file that is there and was never said
 * is nobody's: the process was killed between the two, and what is fetched again takes its place. */
static json_t *names_of_before(const struct engine *engine)
{
	const struct results *before = engine->options->replay ? &engine->options->replay->results : NULL;
	json_t *names = json_object();

	for (size_t i = 0; before && i < before->artifact_count; i++)
		if (before->artifacts[i].path && !before->artifacts[i].missing)
			(void)json_object_set_new(names, before->artifacts[i].path, json_true());
	return names;
}

/* What `artifacts.collect` fetches belongs to the step that ran the tests. */
static const char *step_of(const struct task *task)
{
	return task->plan->collect_for ? task->plan->collect_for : task->plan->id;
}

/* Names are of servers and devices, as texts are: a secret goes before signs of it become others, or it is cut. A name
 * that is cut keeps what says its kind (".json"). */
static void add_part(const struct engine *engine, struct buffer *path, const char *name)
{
	GR_AUTO_FREE char *safe = redactor_text(engine->options->redactor, name);
	const char *dot = safe ? strrchr(safe, '.') : NULL;
	size_t start = path->bytes, kind = dot ? strlen(dot) : 0;

	text_slug(path, safe);
	if (kind < 2 || kind > KIND_BYTES_MOST || path->bytes - start <= kind || dot - safe < NAME_BYTES_LEAST ||
	        strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz0123456789") != kind - 1 ||
	        text_has_suffix_nocase(buffer_text(path), dot))
		return;
	path->bytes -= kind;
	buffer_add(path, dot, kind);
}

char *artifact_path(struct task *task, const char *name)
{
	struct engine *engine = task->engine;
	GR_AUTO_BUFFER struct buffer folder = {0};
	GR_AUTO_BUFFER struct buffer last = {0};
	char *path = NULL;

	buffer_add_text(&folder, "artifacts/");
	add_part(engine, &folder, task->lane->name);
	buffer_add_char(&folder, '/');
	add_part(engine, &folder, step_of(task));
	add_part(engine, &last, name);
	if (!engine->artifact_paths)
		engine->artifact_paths = names_of_before(engine);
	for (unsigned number = 1; !path || json_object_get(engine->artifact_paths, path); number++) {
		gr_free(path);
		path = numbered(buffer_text(&folder), buffer_text(&last), number);
	}
	(void)json_object_set_new(engine->artifact_paths, path, json_true());
	return path;
}

/* The device that the step is about, for people. */
static const char *device_of(const struct task *task)
{
	return json_string_value(json_object_get(json_object_get(task->step.with, "device"), "name"));
}

static void note_file(struct task *task, const char *path)
{
	if (!task->files)
		task->files = json_array();
	(void)json_array_append_new(task->files, json_string(path));
}

void artifact_emit(struct task *task, struct artifact *artifact)
{
	struct run_event event = {
	        .kind = RUN_ARTIFACT, .lane = task->lane->name, .step = task->plan->id, .artifact = artifact};

	artifact->lane = task->lane->name;
	artifact->step = (char *)(uintptr_t)step_of(task);
	artifact->device = (char *)(uintptr_t)device_of(task); /* borrowed for the time of the event */
	if (artifact->rerun == 0)
		artifact->rerun = rerun_round(task);
	if (artifact->path && !artifact->missing)
		note_file(task, artifact->path);
	engine_emit(task->engine, &event);
}

static void artifact_missing(struct task *task, const char *name, const char *why, unsigned rerun)
{
	GR_AUTO_FREE char *path = artifact_path(task, name);
	GR_AUTO_FREE char *harmless = redactor_text(task->engine->options->redactor, why);
	struct artifact artifact = {
	        .path = path, .origin = (char *)(uintptr_t) "server", .missing = harmless, .rerun = rerun};

	artifact_emit(task, &artifact);
}

static int write_text(
        struct task *task, const char *path, const char *text, struct artifact *artifact, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	int r = file_create(task->engine->options->directory, path, 0644, &writer, err);

	if (r < 0)
		return r;
	file_write_text(writer, text);
	file_sha256_memory(text, strlen(text), artifact->sha256);
	artifact->bytes = (int64_t)strlen(text);
	return file_commit(&writer, err);
}

/* {name, json}, {name, text} or {name, missing}; each may say its `rerun` */
static void save_one(struct task *task, const json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const char *missing = json_string_value(json_object_get(item, "missing"));
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *path = NULL;
	char sha256[65] = "";
	unsigned rerun = (unsigned)json_integer_value(json_object_get(item, "rerun"));
	struct artifact artifact = {.sha256 = sha256, .origin = (char *)(uintptr_t) "server", .rerun = rerun};
	struct gr_error err = {0};

	if (missing) {
		artifact_missing(task, name, missing, rerun);
		return;
	}
	if (json_object_get(item, "text"))
		text = redactor_text(task->engine->options->redactor, json_string_value(json_object_get(item, "text")));
	else
		text = redactor_dump(task->engine->options->redactor, json_object_get(item, "json"),
		        JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
	path = artifact_path(task, name);
	if (write_text(task, path, text ? text : "null", &artifact, &err) < 0) {
		artifact.missing = err.text;
		artifact.sha256 = NULL;
		artifact.bytes = 0;
	}
	artifact.path = path;
	artifact_emit(task, &artifact);
}

void artifact_save(struct task *task, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		save_one(task, item);
}

void artifact_repeat(struct task *task)
{
	const struct results *results = &task->engine->options->replay->results;

	for (size_t i = 0; i < results->artifact_count; i++) {
		const struct artifact *artifact = &results->artifacts[i];
		struct run_event event = {
		        .kind = RUN_ARTIFACT, .lane = artifact->lane, .step = artifact->step, .artifact = artifact};

		if (!text_equal(artifact->lane, task->lane->name) || !text_equal(artifact->step, step_of(task)))
			continue;
		if (artifact->path && !artifact->missing)
			note_file(task, artifact->path);
		engine_emit(task->engine, &event);
	}
}

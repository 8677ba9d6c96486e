#include "runner/commands/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reporters/reporter.h"
#include "runner/base/ci.h"
#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/json_read.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define RESULTS_MOST_BYTES ((size_t)1 << 30)

static void make_run_id(struct output *output)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	unsigned char random[3];
	struct tm utc;

	number_random(random, sizeof(random));
	(void)gmtime_r(&now, &utc);
	(void)snprintf(output->run_id, sizeof(output->run_id), "%04d%02d%02dT%02d%02d%02dZ-%02x%02x%02x",
	        (utc.tm_year + 1900) % 10000, (utc.tm_mon + 1) % 100, utc.tm_mday % 100, utc.tm_hour % 100,
	        utc.tm_min % 100, utc.tm_sec % 100, random[0], random[1], random[2]);
}

/* What stays the same when a CI job is repeated: repository, pipeline, job, matrix index; never the attempt. */
static void make_run_key(struct output *output)
{
	const char *text;
	struct ci ci;
	char hex[65];

	ci_detect_here(&ci);
	output->has_job = ci.key[0] != '\0';
	text = output->has_job ? ci.key : output->run_id; /* no CI: every run is its own */
	file_sha256_memory(text, strlen(text), hex);
	(void)snprintf(output->run_key, sizeof(output->run_key), "%.12s", hex);
	ci_release(&ci);
}

/* gridlane-out/latest -> RUN-ID, replaced in one step. */
static void point_latest(const char *run_id)
{
	GR_AUTO_FREE char *fresh = gr_printf("gridlane-out/.latest-%s", run_id);

	if (symlink(run_id, fresh) == 0 && rename(fresh, "gridlane-out/latest") != 0)
		(void)unlink(fresh); /* a convenience for people: `latest` may be a folder of theirs */
}

static char *absolute(const char *path)
{
	GR_AUTO_FREE char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);

	return here ? gr_printf("%s/%s", here, path) : gr_strdup(path);
}

int output_open(const char *wanted, struct output *ret_output, struct gr_error *err)
{
	int r;

	*ret_output = (struct output){.directory = -1};
	make_run_id(ret_output);
	make_run_key(ret_output);
	ret_output->shown = wanted ? gr_strdup(wanted) : gr_printf("gridlane-out/%s", ret_output->run_id);
	ret_output->path = absolute(ret_output->shown);
	r = file_make_directory(ret_output->path, &ret_output->directory, err);
	if (r < 0)
		return gr_context(err, "output folder");
	if (!wanted)
		point_latest(ret_output->run_id);
	return 0;
}

int output_reopen(const char *path, struct output *ret_output, struct gr_error *err)
{
	*ret_output = (struct output){.directory = -1};
	ret_output->shown = gr_strdup(path);
	ret_output->path = absolute(path);
	ret_output->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret_output->directory < 0)
		return gr_fail(err, GR_CONFIG, errno, "output folder '%s'", path);
	return 0;
}

void output_adopt(struct output *output, const json_t *head)
{
	const char *run_id = json_string_value(json_object_get(head, "run_id"));
	const char *run_key = json_string_value(json_object_get(head, "run_key"));

	(void)snprintf(output->run_id, sizeof(output->run_id), "%s", run_id ? run_id : "");
	(void)snprintf(output->run_key, sizeof(output->run_key), "%s", run_key ? run_key : "");
}

int output_read_results(const struct output *output, struct results *ret_results, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	GR_AUTO_JSON json_t *json = NULL;
	const char *why;
	int r = file_read_at(output->directory, "results.json", RESULTS_MOST_BYTES, GR_CONFIG, &data, err);

	if (r < 0)
		return r;
	json = json_read_own(&data, &why);
	if (!json)
		return gr_fail(err, GR_DISK, 0, "results.json %s", why);
	return results_from_json(json, ret_results, err);
}

void output_release(struct output *output)
{
	if (output->directory >= 0)
		(void)close(output->directory); /* a directory handle: nothing is written through it */
	gr_free(output->path);
	gr_free(output->shown);
}

void output_emit(const struct output_readers *readers, struct run_event *event)
{
	event->now_ms = clock_now_ms();
	event->wall_ms = clock_wall_ms();
	for (size_t i = 0; i < readers->count; i++)
		if (readers->readers[i].event) /* a console that is gone must not keep reports from being written */
			(void)readers->readers[i].event(readers->readers[i].state, event, NULL);
}

/* ---- reports ---- */

struct writing {
	const struct output *output;
	const struct results *results;
	struct report_context context;
	const struct output_readers *readers;
	bool is_anew;
	json_t *done; /* {TARGET: FORMAT}: asked for by the pipeline and by the command line, written once */
	struct gr_error first;
};

static void note_place(struct writing *writing, const char *what, const char *target)
{
	GR_AUTO_FREE char *text = gr_printf("%-9s %s/%s", what, writing->output->shown, target);
	struct run_event event = {.kind = RUN_NOTE, .text = text};

	if (!writing->is_anew)
		output_emit(writing->readers, &event);
}

static void note_failure(struct writing *writing, const struct gr_error *err, const char *what)
{
	GR_AUTO_FREE char *text = gr_printf("%s could not be written: %s", what, err->text);
	struct run_event event = {.kind = RUN_PROBLEM, .failure = err->failure, .text = text};

	if (!writing->first.failure)
		writing->first = *err;
	output_emit(writing->readers, &event);
}

/* The first time that this one is asked for. Another format's file is not written over. */
static bool is_first(struct writing *writing, const char *format, const char *target)
{
	GR_AUTO_FREE char *key = strcmp(target, "-") == 0 ? gr_printf("- %s", format) : gr_strdup(target);
	const char *before = json_string_value(json_object_get(writing->done, key));
	struct gr_error err = {0};

	if (before && strcmp(before, format) != 0) {
		(void)gr_fail(&err, GR_CONFIG, 0, "'%s' is the file of the report '%s'", target, before);
		note_failure(writing, &err, format);
	}
	return !before && json_object_set_new(writing->done, key, json_string(format)) == 0;
}

static void write_one(struct writing *writing, const char *format, const char *target)
{
	const struct reporter *reporter = reporter_find(format);
	struct gr_error err = {0};

	if (!reporter) {
		(void)gr_fail(&err, GR_INTERNAL, 0, "no such format");
		note_failure(writing, &err, format);
		return;
	}
	if (!target || !*target)
		target = reporter->target;
	if (!is_first(writing, format, target))
		return;
	if (reporter->write(writing->results, target, &writing->context, &err) < 0)
		note_failure(writing, &err, format);
	else if (strcmp(target, "-") != 0)
		note_place(writing, format, target);
}

/* "junit=reports/x.xml" */
static void write_wanted(struct writing *writing, const char *wanted)
{
	const char *equals = strchr(wanted, '=');
	GR_AUTO_FREE char *format = gr_strndup(wanted, equals ? (size_t)(equals - wanted) : strlen(wanted));

	write_one(writing, format, equals ? equals + 1 : NULL);
}

static char *bundle_name(const struct writing *writing, const struct plan *plan, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer slug = {0};
	GR_AUTO_JSON json_t *scope = NULL;
	GR_AUTO_JSON json_t *value = NULL;

	text_slug(&slug, writing->results->pipeline ? writing->results->pipeline : "run");
	if (!plan || !plan->bundle)
		return gr_printf("%s-%s.tar.gz", buffer_text(&slug), writing->output->run_id);
	scope = json_copy(plan->early);
	(void)json_object_set_new(scope, "name", json_string(buffer_text(&slug)));
	(void)json_object_set_new(scope, "run",
	        json_pack("{s:s, s:s, s:s}", "id", writing->output->run_id, "key", writing->output->run_key, "name",
	                buffer_text(&slug)));
	if (node_evaluate(plan->bundle, scope, &value, err) < 0 || !json_is_string(value))
		return gr_printf("%s-%s.tar.gz", buffer_text(&slug), writing->output->run_id);
	return gr_strdup(json_string_value(value));
}

static void write_bundle(struct writing *writing, const struct plan *plan)
{
	struct gr_error err = {0};
	GR_AUTO_FREE char *name = bundle_name(writing, plan, &err);

	if (err.failure)
		note_failure(writing, &err, "the bundle's name");
	err = (struct gr_error){0};
	if (bundle_write(writing->results, name, &writing->context, &err) < 0)
		note_failure(writing, &err, "the bundle");
	else
		note_place(writing, "bundle", name);
}

/* Why that is no place for the report, or NULL. On the command line `-` will do for every report that is one text. */
static const char *place_fault(const struct reporter *reporter, char *target)
{
	if (strcmp(target, "-") == 0)
		return reporter->can_print ? NULL : "is no place for this format, which needs a file";
	return target[0] ? report_target_fault(reporter->name, target) : NULL;
}

int output_check_reports(const char *const *wanted, struct gr_error *err)
{
	const char *names[32] = {0};
	size_t count = 0;

	for (const struct reporter *reporter = reporters; reporter->name && count + 1 < GR_COUNT(names); reporter++)
		names[count++] = reporter->name;
	for (; wanted && *wanted; wanted++) {
		size_t bytes = strcspn(*wanted, "=");
		GR_AUTO_FREE char *format = gr_strndup(*wanted, bytes);
		GR_AUTO_FREE char *target = gr_strdup((*wanted)[bytes] ? *wanted + bytes + 1 : "");
		const struct reporter *reporter = reporter_find(format);
		const char *near = text_suggest(format, names), *fault = NULL;

		if (!reporter)
			return gr_fail(err, GR_USAGE, 0,
			        "--report: there is no format '%s'%s%s%s; `gridlane report --help` names them", format,
			        near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
		fault = place_fault(reporter, target);
		if (fault)
			return gr_fail(err, GR_USAGE, 0, "--report %s: '%s' %s", *wanted, target, fault);
	}
	return 0;
}

/* A variable that is set to something. */
static const char *given(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool output_is_wanted(const struct output_order *order, const char *format)
{
	for (size_t i = 0; order->plan && i < order->plan->report_count; i++)
		if (strcmp(order->plan->reports[i].format, format) == 0)
			return true;
	for (const char *const *wanted = order->wanted; wanted && *wanted; wanted++)
		if (strcspn(*wanted, "=") == strlen(format) && text_has_prefix(*wanted, format))
			return true;
	return false;
}

static struct writing begin_writing(
        const struct output *output, const struct output_order *order, const struct results *results)
{
	return (struct writing){.output = output,
	        .done = json_object(),
	        .results = results,
	        .readers = &order->readers,
	        .is_anew = order->is_anew,
	        .context = {.directory = output->directory,
	                .redactor = order->redactor,
	                .folder = output->path,
	                .workspace_path = output->shown[0] == '/' ? NULL : output->shown,
	                .printed = order->printed,
	                .signer = order->signer,
	                .step_summary = given("GITHUB_STEP_SUMMARY"),
	                .step_outputs = given("GITHUB_OUTPUT")}};
}

/* What the CI system of this job reads beside the files, unless it was asked for by name. */
static void write_for_ci(struct writing *writing, const struct output_order *order)
{
	static const char *const signs[][2] = {{"GITHUB_ACTIONS", "github"}, {"GITLAB_CI", "gitlab"},
	        {"TF_BUILD", "azure"}, {"TEAMCITY_VERSION", "teamcity"}, {"BUILDKITE", "buildkite"}};

	for (size_t i = 0; i < GR_COUNT(signs); i++)
		if (given(signs[i][0]) && !output_is_wanted(order, signs[i][1]))
			write_one(writing, signs[i][1], NULL);
}

static void write_defaults(struct writing *writing)
{
	write_one(writing, "junit", NULL);
	write_one(writing, "summary", NULL);
	write_one(writing, "html", NULL);
}

/* Of a report that is a folder its page alone: without it nobody takes the rest for a report. What is not there, or is
 * not a file, needs no care; what cannot be removed cannot be written either, and is said then. */
static void forget_one(const struct output *output, const char *format, const char *target)
{
	const struct reporter *reporter = reporter_find(format);
	const char *name = target && *target ? target : reporter ? reporter->target : NULL;
	GR_AUTO_FREE char *page = name ? gr_printf("%s/index.html", name) : NULL;

	if (!name || strcmp(name, "-") == 0)
		return;
	file_remove_at(output->directory, name);
	file_remove_at(output->directory, page);
}

void output_forget(const struct output *output, const struct plan *plan, const char *const *wanted)
{
	static const char *const usual[] = {"json", "junit", "summary", "html"};

	for (size_t i = 0; i < GR_COUNT(usual); i++)
		forget_one(output, usual[i], NULL);
	for (size_t i = 0; plan && i < plan->report_count; i++)
		forget_one(output, plan->reports[i].format, plan->reports[i].target);
	for (; wanted && *wanted; wanted++) {
		const char *equals = strchr(*wanted, '=');
		GR_AUTO_FREE char *format = gr_strndup(*wanted, strcspn(*wanted, "="));

		forget_one(output, format, equals ? equals + 1 : NULL);
	}
}

static bool is_last(const char *wanted)
{
	GR_AUTO_FREE char *format = gr_strndup(wanted, strcspn(wanted, "="));
	const struct reporter *reporter = reporter_find(format);

	return reporter && reporter->is_last;
}

/* Those that are about the files of the others, or the others. */
static void write_some(struct writing *writing, const struct output_order *order, bool are_last)
{
	const struct plan *plan = order->plan;

	for (size_t i = 0; plan && i < plan->report_count; i++)
		if (is_last(plan->reports[i].format) == are_last)
			write_one(writing, plan->reports[i].format, plan->reports[i].target);
	for (const char *const *wanted = order->wanted; wanted && *wanted; wanted++)
		if (is_last(*wanted) == are_last)
			write_wanted(writing, *wanted);
}

static int end_writing(struct writing *writing, struct gr_error *err)
{
	json_decref(writing->done);
	if (!writing->first.failure)
		return 0;
	*err = writing->first;
	return -(int)err->failure;
}

int output_write_reports(const struct output *output, const struct output_order *order, const struct results *results,
        struct gr_error *err)
{
	struct writing writing = begin_writing(output, order, results);

	write_one(&writing, "json", NULL);
	if (!order->plan || order->plan->report_count == 0)
		write_defaults(&writing);
	write_some(&writing, order, false);
	write_some(&writing, order, true);
	write_for_ci(&writing, order);
	write_bundle(&writing, order->plan);
	return end_writing(&writing, err);
}

int output_write_again(const struct output *output, const struct output_order *order, const struct results *results,
        struct gr_error *err)
{
	struct writing writing = begin_writing(output, order, results);

	if (order->is_ahead)
		write_one(&writing, "json", NULL);
	if (!order->wanted)
		write_defaults(&writing);
	write_some(&writing, order, false);
	write_some(&writing, order, true);
	if (order->for_ci)
		write_for_ci(&writing, order);
	return end_writing(&writing, err);
}

int output_write_bundle(const struct output *output, const struct output_order *order, const struct results *results,
        char **ret_name, struct gr_error *err)
{
	struct writing writing = begin_writing(output, order, results);
	GR_AUTO_FREE char *name = bundle_name(&writing, order->plan, err);
	int r = bundle_write(results, name, &writing.context, err);

	json_decref(writing.done);
	if (r == 0)
		*ret_name = gr_take(&name);
	return r;
}

static void remove_target(const struct output *output, const char *format, const char *target)
{
	const struct reporter *reporter = reporter_find(format);

	if (reporter && reporter->is_last)
		file_remove_at(output->directory, target && *target ? target : reporter->target);
}

void output_take_back(const struct output *output, const struct output_order *order)
{
	for (size_t i = 0; order->plan && i < order->plan->report_count; i++)
		remove_target(output, order->plan->reports[i].format, order->plan->reports[i].target);
	for (const char *const *wanted = order->wanted; wanted && *wanted; wanted++) {
		const char *equals = strchr(*wanted, '=');
		GR_AUTO_FREE char *format = gr_strndup(*wanted, strcspn(*wanted, "="));

		remove_target(output, format, equals ? equals + 1 : NULL);
	}
}

/* gridlane report merge: one verdict and one set of reports of the runs of parallel CI jobs. */
#include "runner/commands/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/commands/merge_files.h"
#include "runner/results/merge.h"

#define FOLDER "gridlane-out/merged"
#define CAUSE_BYTES 200

/* ---- where things are ---- */

/* The last part of a path, without slashes at its end; the caller's. */
static char *base_of(const char *path)
{
	size_t bytes = strlen(path), from;

	while (bytes > 1 && path[bytes - 1] == '/')
		bytes--;
	for (from = bytes; from > 0 && path[from - 1] != '/';)
		from--;
	return gr_strndup(path + from, bytes - from);
}

/* Its base, or the whole path where another part has that name. */
static char *name_of(const struct results *all, const char *path)
{
	char *base = base_of(path);

	if (!merge_has(all, base))
		return base;
	gr_free(base);
	return gr_strdup(path);
}

/* Absolute, without links, with a slash at its end; NULL when it is not there. */
static char *whole_path(const char *path)
{
	char *real = realpath(path, NULL);
	char *whole = real ? gr_printf("%s%s", real, real[strlen(real) - 1] == '/' ? "" : "/") : NULL;

	free(real); /* realpath()'s own */
	return whole;
}

/* The way from one folder to another, both there: "../shard-1"; "" when they are one. The caller's. */
static char *way_between(const char *from, const char *to)
{
	GR_AUTO_FREE char *left = whole_path(from);
	GR_AUTO_FREE char *right = whole_path(to);
	GR_AUTO_BUFFER struct buffer way = {0};
	size_t same = 0;

	if (!left || !right)
		return gr_strdup(to);
	for (size_t at = 0; left[at] && left[at] == right[at]; at++)
		if (left[at] == '/')
			same = at + 1;
	for (const char *at = left + same; *at; at++)
		if (*at == '/')
			buffer_add_text(&way, "../");
	buffer_add_text(&way, right + same);
	return gr_strndup(buffer_text(&way), way.bytes > 0 ? way.bytes - 1 : 0);
}

/* ---- parts ---- */

/* The name of a part is that of an artifact of some job: no command for the log. */
static void say_name(const char *name)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	text_neutralise(&clean, name, strlen(name), CAUSE_BYTES);
	printf("part %s: ", buffer_text(&clean));
}

static void say_part(const struct results_part *part)
{
	GR_AUTO_BUFFER struct buffer cause = {0};

	say_name(part->name);
	if (part->cause)
		text_neutralise(&cause, part->cause, strlen(part->cause), CAUSE_BYTES);
	printf("%s, %lld test%s, %lld failed%s%s\n", verdict_name(part->verdict), (long long)part->tests,
	        part->tests == 1 ? "" : "s", (long long)part->failed, cause.bytes ? ": " : "", buffer_text(&cause));
}

/* What is not there is a part that is missing, not a mistake: jobs that were lost leave nothing behind. */
static void add_folder(struct session *session, const char *path)
{
	struct session part = {.arguments = session->arguments, .output = {.directory = -1}};
	GR_AUTO_FREE char *name = name_of(&session->results, path);
	GR_AUTO_FREE char *folder = NULL;
	struct gr_error err = {0};
	size_t before = session->results.part_count;

	if (output_reopen(path, &part.output, &err) < 0 || report_load(&part, &err) < 0) {
		merge_add_missing(&session->results, name, err.text);
		say_name(name);
		printf("missing\n");
	} else {
		folder = merge_files_folder(before + 1, name);
		if (!merge_has_run(&session->results, part.results.run_id))
			merge_files_bring(&session->output, &part.output, &part.results, folder);
		merge_add(&session->results, &part.results, name, folder);
		if (session->results.part_count > before)
			say_part(&session->results.parts[before]);
	}
	replay_free(part.replay);
	output_release(&part.output);
}

static void expect_count(struct session *session, const char *wanted, int64_t count)
{
	size_t found = session->results.part_count;

	if ((int64_t)found < count)
		(void)results_add_problem(&session->results, GR_NOT_RUN, NULL, NULL,
		        "%s part%s expected, and %zu %s there", wanted, count == 1 ? " was" : "s were", found,
		        found == 1 ? "is" : "are");
	if ((int64_t)found > count)
		results_add_problem(&session->results, GR_NOT_RUN, NULL, NULL,
		        "%s part%s expected, and %zu are there: some may be left over", wanted,
		        count == 1 ? " was" : "s were", found)
		        ->is_warning = true;
}

static bool is_given(const struct session *session, const char *name)
{
	for (const char **word = session->arguments->words + 1; *word; word++) {
		GR_AUTO_FREE char *base = base_of(*word);

		if (text_equal(base, name) || text_equal(*word, name))
			return true;
	}
	return false;
}

/* --expect: so many, or of that name. A folder that was given and is missing has been said. */
static void expect(struct session *session, const char *wanted)
{
	int64_t count = 0;

	if (number_parse_int(wanted, &count))
		expect_count(session, wanted, count);
	else if (!merge_has(&session->results, wanted) && !is_given(session, wanted))
		merge_add_missing(&session->results, wanted, "it was expected, and no folder of that name was given");
}

/* ---- the whole ---- */

/* All formats that were asked for, or the usual ones; the results themselves always. */
static const char **formats_of(const struct arguments *arguments)
{
	static const char *const usual[] = {"junit", "summary", "html", NULL};
	const char *const *wanted = arguments->values[OPT_REPORT] ? arguments->values[OPT_REPORT] : usual;
	const char **formats = NULL;
	size_t count = 0;

	formats = gr_grow(formats, count, sizeof(*formats));
	formats[count++] = "json";
	for (; *wanted; wanted++) {
		formats = gr_grow(formats, count, sizeof(*formats));
		formats[count++] = *wanted;
	}
	formats = gr_grow(formats, count, sizeof(*formats));
	formats[count] = NULL;
	return formats;
}

static int open_folder(struct session *session, struct gr_error *err)
{
	const char *wanted = argument_value(session->arguments, OPT_OUT);

	if (output_open(wanted ? wanted : FOLDER, &session->output, err) < 0)
		return -(int)err->failure;
	for (const char **word = session->arguments->words + 1; *word; word++) {
		GR_AUTO_FREE char *way = way_between(session->output.path, *word);

		if (access(*word, F_OK) == 0 && !*way)
			return gr_fail(err, GR_USAGE, 0,
			        "'%s' is a part, and the merge would take the place of its reports", *word);
	}
	return 0;
}

/* A journal is for nobody's eyes: what lies in the folder beside the reports must be known. */
static bool has_part_inside(const struct session *session)
{
	for (const char **word = session->arguments->words + 1; *word; word++) {
		GR_AUTO_FREE char *way = way_between(session->output.path, *word);

		if (access(*word, F_OK) == 0 && strcmp(way, "..") != 0 && !text_has_prefix(way, "../"))
			return true;
	}
	return false;
}

static int write_bundle(const struct session *session, const struct output_order *order, struct gr_error *err)
{
	GR_AUTO_FREE char *name = NULL;

	if (has_part_inside(session)) {
		printf("no bundle: a part lies below %s, and its journal would be in it; --out names another folder\n",
		        session->output.shown);
		return 0;
	}
	if (output_write_bundle(&session->output, order, &session->results, &name, err) < 0)
		return -(int)err->failure;
	printf("bundle    %s/%s\n", session->output.shown, name);
	return 0;
}

static int write_merged(struct session *session, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer printed = {0};
	const char **formats = formats_of(session->arguments);
	const struct output_order order = {.wanted = formats,
	        .redactor = session->redactor,
	        .signer = session->signer,
	        .for_ci = true,
	        .printed = &printed};
	int r;

	output_forget(&session->output, NULL, formats);
	r = output_write_again(&session->output, &order, &session->results, err);
	if (r == 0)
		r = write_bundle(session, &order, err);
	if (r == 0)
		(void)fwrite(buffer_text(&printed), 1, printed.bytes, stdout);
	gr_free(formats);
	return r;
}

int report_merge(struct session *session, struct gr_error *err)
{
	const char **wanted = session->arguments->values[OPT_EXPECT];
	struct results *all = &session->results;
	GR_AUTO_BUFFER struct buffer cause = {0};
	long long tests;

	if (open_folder(session, err) < 0)
		return complain(err);
	merge_files_forget(&session->output);
	merge_init(all, "gridlane " GRIDLANE_VERSION);
	for (const char **word = session->arguments->words + 1; *word; word++)
		add_folder(session, *word);
	for (; wanted && *wanted; wanted++)
		expect(session, *wanted);
	all->run_id = gr_strdup(session->output.run_id);
	if (all->started_wall_ms == 0)
		all->started_wall_ms = clock_wall_ms();
	results_judge(all);
	if (write_merged(session, err) < 0)
		return complain(err);
	tests = results_totals(all).tests;
	if (all->cause)
		text_neutralise(&cause, all->cause, strlen(all->cause), CAUSE_BYTES);
	printf("%s (exit status %d): %zu part%s, %lld test%s%s%s; reports written to %s\n", verdict_name(all->verdict),
	        all->exit_status, all->part_count, all->part_count == 1 ? "" : "s", tests, tests == 1 ? "" : "s",
	        cause.bytes ? "; " : "", buffer_text(&cause), session->output.shown);
	return all->exit_status;
}

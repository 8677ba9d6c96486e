#include "runner/results/merge.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

void merge_init(struct results *ret_all, const char *tool)
{
	*ret_all = (struct results){.tool = gr_strdup(tool), .is_merged = true};
}

bool merge_has(const struct results *all, const char *name)
{
	for (size_t i = 0; i < all->part_count; i++)
		if (text_equal(all->parts[i].name, name))
			return true;
	return false;
}

void merge_add_missing(struct results *all, const char *name, const char *why)
{
	(void)results_add_problem(all, GR_NOT_RUN, NULL, NULL, "part '%s' is missing: %s", name, why);
}

/* ---- names ---- */

static void set_prefix(char **text, const char *prefix)
{
	char *whole = *text ? gr_printf("%s/%s", prefix, *text) : NULL;

	gr_free(*text);
	*text = whole;
}

static void rename_problems(struct problem *problems, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		struct problem *problem = &problems[i];
		char *message = gr_printf(
		        "part '%s': %s", name, problem->message ? problem->message : failure_words(problem->failure));

		gr_free(problem->message);
		problem->message = message;
		if (problem->lane)
			set_prefix(&problem->lane, name);
		else
			problem->lane = gr_strdup(name); /* of this part: its verdict answers for it */
	}
}

static void rename_all(struct results *part, const char *name, const char *path)
{
	for (size_t i = 0; i < part->lane_count; i++)
		set_prefix(&part->lanes[i].name, name);
	for (size_t i = 0; i < part->step_count; i++)
		set_prefix(&part->steps[i].lane, name);
	for (size_t i = 0; i < part->run_count; i++) {
		set_prefix(&part->runs[i].lane, name);
		for (size_t j = 0; j < part->runs[i].problem_count; j++)
			set_prefix(&part->runs[i].problems[j].lane, name);
	}
	for (size_t i = 0; i < part->artifact_count; i++) {
		set_prefix(&part->artifacts[i].lane, name);
		if (*path)
			set_prefix(&part->artifacts[i].path, path);
	}
	for (size_t i = 0; i < part->held_count; i++)
		set_prefix(&part->held[i].key, name);
	for (size_t i = 0; i < part->rule_count; i++) {
		char *text = gr_printf("[%s] %s", name, part->rules[i].text ? part->rules[i].text : "?");

		gr_free(part->rules[i].text);
		part->rules[i].text = text;
	}
	rename_problems(part->problems, part->problem_count, name);
}

/* ---- lists ---- */

/* Moves the elements of one list to the end of another; both are pointers to structs of that size. */
static void *append(void *list, size_t *count, void *more, size_t *more_count, size_t bytes)
{
	for (size_t i = 0; i < *more_count; i++) {
		list = gr_grow(list, *count, bytes);
		memcpy((char *)list + *count * bytes, (char *)more + i * bytes, bytes);
		(*count)++;
	}
	*more_count = 0; /* they are owned by the other now */
	return list;
}

#define APPEND(all, part, list, counter)                                                                               \
	((all)->list = append((all)->list, &(all)->counter, (part)->list, &(part)->counter, sizeof(*(all)->list)))

static void move_lists(struct results *all, struct results *part)
{
	APPEND(all, part, lanes, lane_count);
	APPEND(all, part, steps, step_count);
	APPEND(all, part, runs, run_count);
	APPEND(all, part, problems, problem_count);
	APPEND(all, part, artifacts, artifact_count);
	APPEND(all, part, held, held_count);
	APPEND(all, part, rules, rule_count);
}

/* ---- the whole ---- */

static const char *commit_of(const struct results *results)
{
	return json_string_value(json_object_get(results->environment, "commit"));
}

static void check_commit(struct results *all, const struct results *part, const char *name)
{
	const char *ours = commit_of(all), *theirs = commit_of(part);

	if (!ours && theirs && all->part_count > 0) { /* those before it did not say */
		json_decref(all->environment);
		all->environment = json_incref(part->environment);
		return;
	}
	if (ours && theirs && !text_equal(ours, theirs))
		(void)results_add_problem(all, GR_INCONSISTENT, NULL, NULL,
		        "part '%s' is of commit %s, and those before it are of %s: it is left over from another build",
		        name, theirs, ours);
}

static void take_facts(struct results *all, struct results *part)
{
	int64_t end = part->started_wall_ms + (part->elapsed_ms > 0 ? part->elapsed_ms : 0);
	int64_t last = all->started_wall_ms + all->elapsed_ms;

	if (all->part_count == 0 || part->started_wall_ms < all->started_wall_ms)
		all->started_wall_ms = part->started_wall_ms;
	all->elapsed_ms = (end > last ? end : last) - all->started_wall_ms;
	all->requests += part->requests;
	all->repeats += part->repeats;
	all->polls += part->polls;
	if (part->lag_most_ms > all->lag_most_ms)
		all->lag_most_ms = part->lag_most_ms;
	all->is_sandbox = all->is_sandbox || part->is_sandbox;
	all->has_test_steps = all->has_test_steps || part->has_test_steps;
	all->is_resumed = all->is_resumed || part->is_resumed;
	if (!all->pipeline)
		all->pipeline = gr_take(&part->pipeline);
	if (!all->server)
		all->server = gr_take(&part->server);
	if (!all->file)
		all->file = gr_take(&part->file);
	if (!all->environment)
		all->environment = gr_take(&part->environment);
}

static void add_part(struct results *all, const struct results *part, const char *name)
{
	struct totals totals = results_totals(part);

	all->parts = gr_grow(all->parts, all->part_count, sizeof(*all->parts));
	all->parts[all->part_count++] = (struct results_part){.name = gr_strdup(name),
	        .run_id = gr_strdup(part->run_id),
	        .verdict = part->verdict,
	        .exit_status = part->exit_status,
	        .cause = gr_strdup(part->cause),
	        .tests = totals.tests,
	        .failed = totals.failed};
}

static const struct results_part *find_run(const struct results *all, const char *run_id)
{
	for (size_t i = 0; i < all->part_count; i++)
		if (run_id && text_equal(all->parts[i].run_id, run_id))
			return &all->parts[i];
	return NULL;
}

bool merge_has_run(const struct results *all, const char *run_id)
{
	return find_run(all, run_id) != NULL;
}

void merge_add(struct results *all, struct results *part, const char *name, const char *path)
{
	const struct results_part *twin = find_run(all, part->run_id);

	if (twin) {
		results_add_problem(all, GR_INCONSISTENT, NULL, NULL,
		        "'%s' holds the same run as '%s' (%s); it counts once", name, twin->name, part->run_id)
		        ->is_warning = true;
		results_release(part);
		return;
	}
	check_commit(all, part, name);
	if ((part->verdict == VERDICT_PASSED) != (part->exit_status == 0))
		(void)results_add_problem(all, GR_INCONSISTENT, NULL, NULL, "part '%s' says '%s' with exit status %d",
		        name, verdict_name(part->verdict), part->exit_status);
	take_facts(all, part);
	add_part(all, part, name);
	rename_all(part, name, path);
	move_lists(all, part);
	results_release(part);
}

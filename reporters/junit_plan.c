#include "reporters/junit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "reporters/words.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define SUITE_NAME_BYTES 120
#define OWN_SLUG "gridlane"

/* ---- names ---- */

/* For each test several times: printf() takes four times as long. */
static char *join(const char *left, char between, const char *right)
{
	size_t left_bytes = strlen(left), right_bytes = strlen(right);
	char *both = gr_library_alloc(left_bytes + right_bytes + 2);

	memcpy(both, left, left_bytes);
	both[left_bytes] = between;
	memcpy(both + left_bytes + 1, right, right_bytes + 1);
	return both;
}

/* `name` the first time it is asked for in `group`, "name #2" the second time, and so on. jansson's objects hash with a
 * seed of their own, so that names made to collide do not. */
static char *unique_name(json_t *given, const char *group, const char *name)
{
	GR_AUTO_FREE char *key = join(group, '\n', name);
	json_int_t times = json_integer_value(json_object_get(given, key)) + 1;
	char *unique = NULL;

	while (times > 1 && !unique) { /* "name #2" may be a name of its own */
		char *name_so = gr_printf("%s #%" JSON_INTEGER_FORMAT, name, times);
		GR_AUTO_FREE char *other = join(group, '\n', name_so);

		if (json_object_get(given, other)) {
			gr_free(name_so);
			times++;
			continue;
		}
		(void)json_object_set_new_nocheck(given, other, json_integer(1));
		unique = name_so;
	}
	(void)json_object_set_new_nocheck(given, key, json_integer(times));
	return unique ? unique : gr_strdup(name);
}

static char *clean_line(struct redactor *redactor, const char *text, const char *fallback)
{
	GR_AUTO_BUFFER struct buffer line = {0};

	words_line(redactor, &line, text, WORDS_NAME_BYTES);
	return line.bytes ? buffer_take(&line) : gr_strdup(fallback);
}

/* Letters, digits, blanks and -._() alone: Jenkins makes an underscore of others, and would merge what differs in them
 * only. */
static char *plain_name(struct redactor *redactor, const char *text)
{
	char *line = clean_line(redactor, text, "device");
	size_t used = 0;

	line[words_cut(line, strlen(line), SUITE_NAME_BYTES)] = '\0';
	for (const char *at = line; *at; at++) {
		bool is_plain = isalnum((unsigned char)*at) || strchr(" -._()", *at);

		if (((unsigned char)*at & 0xC0) == 0x80) /* one underscore for a character of several bytes */
			continue;
		line[used++] = is_plain ? *at : '_';
	}
	line[used] = '\0';
	return line;
}

/* As their makers write them. */
static const char *platform_words(const char *platform)
{
	if (text_equal_nocase(platform, "android"))
		return "Android";
	if (text_equal_nocase(platform, "ios"))
		return "iOS";
	return platform ? platform : "";
}

/* "Pixel 7 - Android 14" */
static char *device_name(struct redactor *redactor, const struct device_info *device)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	const char *platform = platform_words(device->platform);

	if (device->os && text_contains_nocase(device->os, platform))
		platform = ""; /* the version says it */
	buffer_add_text(&text, device_label(device));
	if (device->os || *platform)
		buffer_add_text(&text, " - ");
	buffer_add_text(&text, platform);
	if (device->os)
		buffer_printf(&text, "%s%s", *platform ? " " : "", device->os);
	return plain_name(redactor, buffer_text(&text));
}

/* "Pixel_7-Android_14": what stands before the first dot of a classname. */
static char *slug_of(const char *name)
{
	char *slug = gr_alloc(strlen(name) + 1, 1);
	size_t used = 0;

	for (const char *at = name; *at; at++) {
		if (strncmp(at, " - ", 3) == 0) {
			slug[used++] = '-';
			at += 2;
		} else if (*at == ' ' || *at == '.') {
			slug[used++] = '_';
		} else if (*at != '#') {
			slug[used++] = *at;
		}
	}
	return slug;
}

/* ---- entries ---- */

static struct junit_entry *add_entry(
        struct junit_plan *plan, struct junit_suite *suite, const char *class_part, const char *name)
{
	struct junit_entry *entry;
	GR_AUTO_FREE char *clean_class = clean_line(plan->redactor, class_part, "tests");
	GR_AUTO_FREE char *clean_name = clean_line(plan->redactor, name, "unnamed test");

	suite->entries = gr_grow(suite->entries, suite->count, sizeof(*suite->entries));
	entry = &suite->entries[suite->count++];
	*entry = (struct junit_entry){.class_name = join(suite->slug, '.', clean_class)};
	entry->name = unique_name(plan->names, entry->class_name, clean_name);
	plan->entries++;
	return entry;
}

static void count_entry(struct junit_suite *suite, const struct junit_entry *entry)
{
	suite->counts[entry->status]++;
	suite->time_ms += entry->time_ms;
}

/* A failure would make its readers fail the job, whatever our verdict: it is skipped for them, with all its words. */
static void set_quarantined(struct junit_entry *entry)
{
	GR_AUTO_FREE char *why = test_case_quarantine_words(entry->test);

	entry->status = STATUS_SKIPPED;
	entry->failure = GR_NONE;
	entry->is_quarantined = true;
	entry->words = gr_printf("quarantined failure: %s\n%s", why,
	        entry->reason && *entry->reason ? entry->reason : "the test failed; the server gave no reason");
	entry->reason = entry->words;
}

static void add_case(struct junit_plan *plan, struct junit_suite *suite, const struct test_case *test)
{
	GR_AUTO_FREE char *name = test->data && *test->data
	                                  ? gr_printf("%s [%s]", test->name ? test->name : "", test->data)
	                                  : gr_strdup(test->name);
	const char *class_part = test->class_name && *test->class_name ? test->class_name : suite->run->step;
	struct junit_entry *entry = add_entry(plan, suite, class_part, name);

	entry->status = test->status;
	entry->failure = test->failure;
	entry->reason = test->reason;
	entry->test = test;
	entry->time_ms = test->time_ms > 0 ? test->time_ms : 0;
	if (test_case_is_quarantined(test))
		set_quarantined(entry);
	count_entry(suite, entry);
}

static void add_problems(
        struct junit_plan *plan, struct junit_suite *suite, const struct problem *problems, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct problem *problem = &problems[i];
		GR_AUTO_FREE char *name = NULL;
		struct junit_entry *entry;

		if (problem->is_warning)
			continue;
		name = gr_printf("%s (%s)", problem->step ? problem->step : "run", failure_name(problem->failure));
		entry = add_entry(plan, suite, problem->lane && !suite->run ? problem->lane : "gridlane", name);
		entry->status = STATUS_ERROR;
		entry->failure = problem->failure;
		entry->reason = problem->message;
		count_entry(suite, entry);
	}
}

/* A device run without a test still has its place: a suite without testcases is dropped by its readers. */
static void add_empty_run(struct junit_plan *plan, struct junit_suite *suite)
{
	const struct device_run *run = suite->run;
	bool is_proven = run->is_complete && run->failure == GR_NONE;
	struct junit_entry *entry = add_entry(plan, suite, run->step, is_proven ? "no tests" : "test run");

	entry->status = is_proven ? STATUS_SKIPPED : STATUS_ERROR;
	entry->failure = is_proven ? GR_NONE : run->failure != GR_NONE ? run->failure : GR_UNKNOWN;
	entry->reason = is_proven ? "the run had no tests, which its step allows" : failure_words(entry->failure);
	count_entry(suite, entry);
}

/* The names of a suite are unique with its slug: only where two have the same one they are kept until the end. */
static void begin_names(struct junit_plan *plan, const char *slug)
{
	bool is_shared = json_integer_value(json_object_get(plan->slugs, slug)) > 1;

	(void)json_object_clear(plan->own_names);
	plan->names = is_shared ? plan->shared_names : plan->own_names;
}

static void fill_device_suite(struct junit_plan *plan, struct junit_suite *suite, const struct device_run *run)
{
	GR_AUTO_FREE char *name = device_name(plan->redactor, &run->device);

	*suite = (struct junit_suite){.run = run, .name = unique_name(plan->suites, "", name)};
	suite->slug = slug_of(suite->name);
	begin_names(plan, suite->slug);
	for (size_t i = 0; i < run->case_count; i++)
		add_case(plan, suite, &run->cases[i]);
	add_problems(plan, suite, run->problems, run->problem_count);
	if (suite->count == 0)
		add_empty_run(plan, suite);
}

/* ---- the suite of gridlane itself ---- */

static void add_rules(struct junit_plan *plan, struct junit_suite *suite)
{
	for (size_t i = 0; i < plan->results->rule_count; i++) {
		const struct gate_rule *rule = &plan->results->rules[i];
		struct junit_entry *entry;

		if (rule->holds)
			continue;
		entry = add_entry(plan, suite, "gate", rule->text);
		entry->status = STATUS_ERROR;
		entry->failure = GR_GATE;
		entry->reason = rule->values;
		count_entry(suite, entry);
	}
}

static enum case_status status_of_outcome(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_PASSED:
		return STATUS_PASSED;
	case OUTCOME_SKIPPED:
		return STATUS_SKIPPED;
	case OUTCOME_FAILED:
		return STATUS_FAILED;
	case OUTCOME_ERROR:
	case OUTCOME_CANCELLED:
	case OUTCOME_NOT_RUN:
		break;
	}
	return STATUS_ERROR;
}

/* A file without a testcase fails the step that reads it: the steps stand in. */
static void add_steps(struct junit_plan *plan, struct junit_suite *suite)
{
	const struct results *results = plan->results;
	struct junit_entry *entry;

	for (size_t i = 0; i < results->step_count; i++) {
		const struct step_result *step = &results->steps[i];

		entry = add_entry(plan, suite, step->lane, step->step);
		entry->status = status_of_outcome(step->outcome);
		entry->failure = step->failure != GR_NONE ? step->failure : GR_NOT_RUN;
		entry->reason = step->message;
		entry->time_ms = step->elapsed_ms > 0 ? step->elapsed_ms : 0;
		count_entry(suite, entry);
	}
	if (suite->count > 0)
		return;
	entry = add_entry(plan, suite, "run", results->pipeline);
	entry->status = results->verdict == VERDICT_PASSED ? STATUS_PASSED : STATUS_ERROR;
	entry->failure = GR_NOT_RUN;
	entry->reason = results->cause;
	count_entry(suite, entry);
}

static void fill_own_suite(struct junit_plan *plan, struct junit_suite *suite)
{
	*suite = (struct junit_suite){.name = unique_name(plan->suites, "", "gridlane"), .slug = gr_strdup(OWN_SLUG)};
	begin_names(plan, suite->slug);
	add_problems(plan, suite, plan->results->problems, plan->results->problem_count);
	add_rules(plan, suite);
	if (plan->entries == 0)
		add_steps(plan, suite);
}

/* ---- the order ---- */

struct place {
	const struct device_run *run;
	size_t lane, number;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *first = a, *second = b;

	if (first->lane != second->lane)
		return first->lane < second->lane ? -1 : 1;
	return (first->number > second->number) - (first->number < second->number);
}

/* Lanes are numbered as they began. Device runs mostly come in that order, so the search goes on where it was. */
static size_t lane_number(const struct results *results, const char *lane, size_t from)
{
	for (size_t i = 0; i < results->lane_count; i++) {
		size_t number = (from + i) % results->lane_count;

		if (text_equal(results->lanes[number].name, lane))
			return number;
	}
	return results->lane_count;
}

static void count_slug(json_t *slugs, const char *slug)
{
	(void)json_object_set_new(slugs, slug, json_integer(json_integer_value(json_object_get(slugs, slug)) + 1));
}

static void count_slugs(struct junit_plan *plan)
{
	GR_AUTO_JSON json_t *suites = json_object();

	count_slug(plan->slugs, OWN_SLUG);
	for (size_t i = 0; i < plan->results->run_count; i++) {
		GR_AUTO_FREE char *name = device_name(plan->redactor, &plan->runs[i]->device);
		GR_AUTO_FREE char *unique = unique_name(suites, "", name);
		GR_AUTO_FREE char *slug = slug_of(unique);

		count_slug(plan->slugs, slug);
	}
}

void junit_plan_init(struct junit_plan *plan, const struct results *results, struct redactor *redactor)
{
	GR_AUTO_FREE struct place *places = gr_alloc(results->run_count, sizeof(*places));
	size_t lane = 0;

	*plan = (struct junit_plan){.results = results,
	        .redactor = redactor,
	        .suites = json_object(),
	        .slugs = json_object(),
	        .own_names = json_object(),
	        .shared_names = json_object()};
	for (size_t i = 0; i < results->run_count; i++) {
		lane = lane_number(results, results->runs[i].lane, lane);
		places[i] = (struct place){&results->runs[i], lane, i};
	}
	qsort(places, results->run_count, sizeof(*places), compare_places);
	plan->runs = gr_alloc(results->run_count, sizeof(*plan->runs));
	for (size_t i = 0; i < results->run_count; i++)
		plan->runs[i] = places[i].run;
	count_slugs(plan);
}

bool junit_plan_next(struct junit_plan *plan, struct junit_suite *ret_suite)
{
	if (plan->next < plan->results->run_count) {
		fill_device_suite(plan, ret_suite, plan->runs[plan->next++]);
		return true;
	}
	if (plan->is_over)
		return false;
	plan->is_over = true;
	fill_own_suite(plan, ret_suite);
	if (ret_suite->count > 0)
		return true;
	junit_suite_release(ret_suite);
	return false;
}

void junit_suite_release(struct junit_suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		gr_free(suite->entries[i].name);
		gr_free(suite->entries[i].class_name);
		gr_free(suite->entries[i].words);
	}
	gr_free(suite->entries);
	gr_free(suite->name);
	gr_free(suite->slug);
	*suite = (struct junit_suite){0};
}

void junit_plan_release(struct junit_plan *plan)
{
	gr_free(plan->runs);
	json_decref(plan->suites);
	json_decref(plan->slugs);
	json_decref(plan->own_names);
	json_decref(plan->shared_names);
	*plan = (struct junit_plan){0};
}

bool artifact_is_of_run(const struct artifact *file, const struct device_run *run)
{
	return file->path && !file->missing && !strpbrk(file->path, "[]|\n") && text_equal(file->lane, run->lane) &&
	       text_equal(file->step, run->step) &&
	       (!file->device || text_equal(file->device, device_label(&run->device)));
}

bool artifact_is_of_start(const struct artifact *file, const struct device_run *run, unsigned rerun)
{
	return file->rerun == rerun && artifact_is_of_run(file, run);
}

bool attempt_has_files(const struct test_case *test, size_t index)
{
	for (size_t i = index + 1; i < test->attempt_count; i++)
		if (test->attempts[i].rerun == test->attempts[index].rerun)
			return false;
	return test->rerun != test->attempts[index].rerun;
}

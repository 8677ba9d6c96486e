#include "sandbox/runs.h"

#include <inttypes.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Emulated seconds that a run without any test takes. */
#define EMPTY_RUN_SECONDS 2

static bool list_has_word(const char *list, const char *word)
{
	size_t bytes = strlen(word);

	while (*list != '\0') {
		size_t part = strcspn(list, ",");
		size_t lead = strspn(list, " ");

		if (lead > part)
			lead = part;
		if (part - lead == bytes && strncmp(list + lead, word, bytes) == 0)
			return true;
		list += part + (list[part] == ',');
	}
	return false;
}

/* Has the test one of the wanted tags? */
static bool tags_meet(const char *tags, const char *wanted)
{
	while (*wanted != '\0') {
		size_t part = strcspn(wanted, ",");
		size_t lead = strspn(wanted, " ");
		GR_AUTO_FREE char *word =
		        gr_strndup(wanted + (lead < part ? lead : part), part - (lead < part ? lead : part));

		if (list_has_word(tags, word))
			return true;
		wanted += part + (wanted[part] == ',');
	}
	return false;
}

static bool test_is_wanted(const json_t *test, const struct run_order *order)
{
	if (*order->testcases != '\0' && !list_has_word(order->testcases, member_text(test, "id")))
		return false;
	return *order->tags == '\0' || tags_meet(member_text(test, "tags"), order->tags);
}

static enum outcome_kind outcome_of(const char *word)
{
	static const struct {
		const char *word;
		enum outcome_kind kind;
	} words[] = {{"", TEST_PASS}, {"pass", TEST_PASS}, {"fail", TEST_FAIL}, {"stopped", TEST_STOPPED},
	        {"skipped", TEST_SKIPPED}, {"not_started", TEST_NOT_STARTED}, {"unknown", TEST_UNKNOWN}};
	size_t i;

	for (i = 0; i < GR_COUNT(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].kind;
	return TEST_UNKNOWN;
}

/* What a row (a test, or an override of one) says about the outcome. */
static void test_apply(struct test *test, const json_t *row)
{
	if (json_object_get(row, "outcome") != NULL)
		test->outcome = outcome_of(member_text(row, "outcome"));
	if (json_object_get(row, "reason") != NULL)
		test->reason = member_text(row, "reason");
	if (json_object_get(row, "status") != NULL)
		test->raw = member_text(row, "status");
}

static bool override_fits(const json_t *row, const struct run_order *order, const char *test)
{
	const char *device = member_text(row, "device");
	const char *name = member_text(row, "test");
	GR_AUTO_FREE char *module = member_id(row, "module", "");

	if (*device != '\0' && !text_match_glob(device, member_text(order->device, "name")))
		return false;
	if (*module != '\0' && strcmp(module, member_text(order->module, "id")) != 0 &&
	        strcmp(module, member_text(order->module, "name")) != 0)
		return false;
	return *name == '\0' || text_match_glob(name, test);
}

/* Runs of this test on this device before the one that begins. */
static size_t times_run(const struct state *state, const struct run_order *order, const char *test)
{
	size_t times = 0, i;

	for (i = 0; i + 1 < state->run_count; i++) {
		const struct test_run *run = &state->runs[i];

		if (!run->old && !run->foreign && run->app == order->app && run->device == order->device)
			times += run_test_of_name(run, test) != NULL;
	}
	return times;
}

static void test_init(struct state *state, struct test *test, const json_t *row, const struct run_order *order)
{
	double seconds = member_number(row, "seconds", 2), fails = member_number(row, "fails", 0);
	const json_t *override;
	size_t i;

	memset(test, 0, sizeof(*test));
	test->name = member_text(row, "name");
	test->data = member_text(row, "data");
	test->reason = "";
	test->raw = "unknown";
	test->outcome = TEST_PASS;
	test_apply(test, row);
	if (test->outcome == TEST_PASS && (state_chance(state) < member_number(row, "flaky", 0) ||
	                                          (fails > 0 && (double)times_run(state, order, test->name) < fails))) {
		test->outcome = TEST_FAIL;
		test->reason = *test->reason != '\0' ? test->reason : "The element was not there in time";
	}
	json_array_foreach (json_object_get(state->scenario, "overrides"), i, override) {
		if (!override_fits(override, order, test->name))
			continue;
		test_apply(test, override);
		seconds = member_number(override, "seconds", seconds);
	}
	test->ends = seconds; /* made absolute by run_schedule */
}

static void run_tests(struct state *state, struct test_run *run, const struct run_order *order)
{
	const json_t *tests = json_object_get(order->module, "tests");
	size_t i;
	json_t *row;

	run->tests = gr_alloc(json_array_size(tests) + 1, sizeof(*run->tests));
	json_array_foreach (tests, i, row)
		if (test_is_wanted(row, order))
			test_init(state, &run->tests[run->test_count++], row, order);
}

/* One after the other from `starts` on; run.ends is when the last one is over. */
static void run_schedule(struct test_run *run, double starts)
{
	double time = starts;
	size_t i;

	run->starts = starts;
	for (i = 0; i < run->test_count; i++) {
		run->tests[i].starts = time;
		time += run->tests[i].ends;
		run->tests[i].ends = time;
	}
	run->ends = run->test_count > 0 ? time : time + EMPTY_RUN_SECONDS;
}

/* The module's `run`: stopped after some tests, or a run that never starts or never ends. */
static void run_bend(const struct state *state, struct test_run *run)
{
	const char *kind = member_text(run->module, "run");
	size_t done = (size_t)member_number(run->module, "stop_after", 1), i;
	double times = 0, most = member_number(run->module, "stops", 0);

	for (i = 0; &state->runs[i] != run; i++)
		times += state->runs[i].module == run->module && !state->runs[i].old;
	if (strcmp(kind, "stopped") == 0 && done < run->test_count && (most <= 0 || times < most)) {
		run->stopped = true;
		run->ends = run->tests[done].starts + 0.5 * (run->tests[done].ends - run->tests[done].starts);
		run->tests[done].ends = run->ends;
		run->tests[done].outcome = TEST_STOPPED;
		for (i = done + 1; i < run->test_count; i++)
			run->tests[i].outcome = TEST_NOT_STARTED;
	}
	if (strcmp(kind, "never_starts") == 0)
		run_schedule(run, NEVER);
	if (strcmp(kind, "never_ends") == 0) {
		run->ends = NEVER;
		if (run->test_count > 0)
			run->tests[run->test_count - 1].ends = NEVER;
	}
}

static int64_t next_version(const struct state *state, const json_t *app)
{
	int64_t version = 0;
	size_t i;

	for (i = 0; i < state->run_count; i++)
		if (state->runs[i].app == app && state->runs[i].version > version)
			version = state->runs[i].version;
	return version + 1;
}

static struct test_run *run_new(struct state *state, const struct run_order *order, int64_t build_id)
{
	struct test_run *run = NULL;

	state->runs = gr_grow(state->runs, state->run_count, sizeof(*state->runs));
	run = &state->runs[state->run_count];
	memset(run, 0, sizeof(*run));
	run->app = order->app;
	run->module = order->module;
	run->device = order->device;
	run->build = order->build;
	run->version = next_version(state, order->app);
	run->build_id = gr_printf("%" PRId64, build_id);
	run->build_number = state_word_is(state, "build_number_is", "build_id") ? gr_strdup(run->build_id)
	                                                                        : gr_printf("%" PRId64, run->version);
	run->build_test_id = gr_printf("%" PRId64, build_id + 10000);
	state->run_count++;
	return run;
}

/* Build ids of runs: from the scenario's next_build_id on; old ones stand before it. */
static int64_t next_build_id(const struct state *state)
{
	int64_t id = (int64_t)state_number(state, "next_build_id");
	size_t i;

	for (i = 0; i < state->run_count; i++)
		id += !state->runs[i].old;
	return id;
}

struct test_run *run_start(struct state *state, const struct run_order *order)
{
	double now = state_now(state), free_at = device_free_at(state, order->device);
	struct test_run *run = run_new(state, order, next_build_id(state));

	run_tests(state, run, order);
	if (run->test_count == 0 && json_array_size(json_object_get(order->module, "tests")) > 0) {
		state->run_count--;
		gr_free(run->build_id);
		gr_free(run->build_number);
		gr_free(run->build_test_id);
		gr_free(run->tests);
		return NULL;
	}
	run->created = run->listed = now;
	run_schedule(run, (free_at > now ? free_at : now) +
	                          member_number(order->module, "queue_seconds", state_number(state, "queue_seconds")));
	run_bend(state, run);
	if (run->test_count > 0 && !run->stopped) /* over for the run, and not yet for its last test */
		run->tests[run->test_count - 1].ends += state_number(state, "settle_seconds");
	return run;
}

/* A device of the application's platform, the last one there is: seldom the one that a pipeline asks for first. */
static const json_t *foreign_device(const struct state *state, const char *platform)
{
	size_t i;

	for (i = json_array_size(state->devices); i-- > 0;)
		if (strcmp(member_text(json_array_get(state->devices, i), "platform"), platform) == 0)
			return json_array_get(state->devices, i);
	return NULL;
}

void run_add_foreign(struct state *state, const json_t *app, const json_t *module)
{
	struct run_order order = {.app = app, .module = module, .testcases = "", .tags = ""};
	struct test_run *run = NULL;

	order.device = foreign_device(state, member_text(app, "platform"));
	if (order.device == NULL)
		return;
	run = run_new(state, &order, next_build_id(state));
	run->foreign = true;
	run_tests(state, run, &order);
	run->created = run->listed = state_now(state);
	run_schedule(run, run->created);
}

/* It ran and passed, whatever the scenario says of today's runs. */
static void run_make_old(struct test_run *run, double created)
{
	size_t i;

	run->old = true;
	run->created = run->listed = created;
	run_schedule(run, created);
	for (i = 0; i < run->test_count; i++)
		run->tests[i].outcome = TEST_PASS;
}

void runs_add_old(struct state *state)
{
	size_t i;
	json_t *app;
	int64_t first = (int64_t)state_number(state, "next_build_id");

	json_array_foreach (state->apps, i, app) {
		const json_t *entry = json_array_get(json_object_get(state->scenario, "applications"), i);
		int64_t count = (int64_t)member_number(entry, "old_builds", 0), n;
		struct run_order order = {.app = app, .testcases = "", .tags = ""};

		order.module = list_find(state->modules, "platform", member_text(app, "platform"));
		order.device = list_find(state->devices, "platform", member_text(app, "platform"));
		if (order.module == NULL || order.device == NULL)
			continue;
		for (n = 1; n <= count; n++) {
			struct test_run *run = run_new(state, &order, first - 100 * ((int64_t)i + 1) + n);

			run_tests(state, run, &order);
			run_make_old(run, -86400.0 * (double)(count - n + 1));
		}
	}
}

struct test_run *run_of_number(const struct state *state, const json_t *app, const char *number)
{
	size_t i;

	for (i = 0; i < state->run_count; i++)
		if (state->runs[i].app == app && strcmp(state->runs[i].build_number, number) == 0)
			return &state->runs[i];
	return NULL;
}

struct test_run *run_of_test_id(const struct state *state, const json_t *app, const char *build_test_id)
{
	size_t i;

	for (i = 0; i < state->run_count; i++)
		if (state->runs[i].app == app && strcmp(state->runs[i].build_test_id, build_test_id) == 0)
			return &state->runs[i];
	return NULL;
}

const struct test *run_test_of_name(const struct test_run *run, const char *name)
{
	size_t i;

	for (i = 0; i < run->test_count; i++)
		if (strcmp(run->tests[i].name, name) == 0)
			return &run->tests[i];
	return NULL;
}

enum run_phase run_phase_at(const struct test_run *run, double now)
{
	if (now < run->starts)
		return RUN_QUEUED;
	if (now < run->ends)
		return RUN_PROCESSING;
	return run->stopped ? RUN_STOPPED : RUN_COMPLETED;
}

enum outcome_kind run_test_at(const struct test_run *run, const struct test *test, double now)
{
	if (run->starts > now || test->starts > now)
		return run->stopped && now >= run->ends ? test->outcome : TEST_NOT_STARTED;
	return now < test->ends ? TEST_STARTED : test->outcome;
}

const char *run_test_status(const struct test_run *run, const struct test *test, double now)
{
	switch (run_test_at(run, test, now)) {
	case TEST_NOT_STARTED:
		return "0";
	case TEST_STARTED:
		return "1";
	case TEST_PASS:
		return "2";
	case TEST_FAIL:
		return "3";
	case TEST_STOPPED:
		return "4";
	case TEST_SKIPPED:
		return "5";
	case TEST_UNKNOWN:
		break;
	}
	return test->raw;
}

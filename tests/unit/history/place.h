/* A history for each test: a file in a folder of its own, or, with GRIDLANE_TEST_SERVER=URL, a database of that server
 * whose schema is made anew. */
#ifndef GRIDLANE_TESTS_HISTORY_PLACE_H
#define GRIDLANE_TESTS_HISTORY_PLACE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/history/history.h"
#include "runner/history/private.h"

#define DAY_MS ((int64_t)86400000)

struct place {
	char folder[64];
	char *file; /* or the server's URL */
	bool is_server;
};

static inline struct history *open_it(const struct place *place)
{
	struct history *history = NULL;
	struct gr_error err = {0};

	if (history_open(place->file, &history, &err) < 0)
		fail_msg("%s", err.text);
	return history;
}

static inline void empty_server(const struct place *place)
{
	struct store store = {.ops = &postgres_ops};
	struct gr_error err = {0};

	if (postgres_ops.open(&store.state, place->file, &err) < 0 ||
	        store_execute(&store, STATEMENT("DROP SCHEMA IF EXISTS gridlane CASCADE", ), NULL, &err) < 0)
		fail_msg("%s", err.text);
	postgres_ops.close(store.state);
}

static inline int set_up(void **state)
{
	const char *server = getenv("GRIDLANE_TEST_SERVER");
	struct place *place = gr_alloc(1, sizeof(*place));

	place->is_server = server != NULL;
	*state = place;
	if (place->is_server) {
		place->file = gr_strdup(server);
		empty_server(place);
		return 0;
	}
	(void)snprintf(place->folder, sizeof(place->folder), "/tmp/gridlane-history-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->file = gr_printf("%s/below/history.db", place->folder);
	return 0;
}

static inline int tear_down(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	struct place *place = *state;
	GR_AUTO_FREE char *below = gr_printf("%s/below", place->folder);

	for (size_t i = 0; i < GR_COUNT(endings) && !place->is_server; i++) {
		GR_AUTO_FREE char *file = gr_printf("%s%s", place->file, endings[i]);

		(void)unlink(file);
	}
	if (!place->is_server) {
		(void)rmdir(below);
		(void)rmdir(place->folder);
	}
	gr_free(place->file);
	gr_free(place);
	return 0;
}

/* A night's run on one device; outcomes: a letter a test, p f e s. */
static inline void make_run(struct results *results, int64_t night, const char *outcomes)
{
	struct device_run *run;

	*results = (struct results){.run_id = gr_printf("run-%04lld", (long long)night),
	        .pipeline = gr_strdup("nightly"),
	        .started_wall_ms = DAY_MS * (night + 1),
	        .elapsed_ms = 60000,
	        .environment = json_pack("{s:s}", "branch", "main"),
	        .verdict = strpbrk(outcomes, "fe") ? VERDICT_FAILED : VERDICT_PASSED};
	results->runs = gr_alloc(1, sizeof(*results->runs));
	results->run_count = 1;
	run = &results->runs[0];
	run->is_complete = true;
	run->device.name = gr_strdup("Pixel 7");
	for (size_t i = 0; outcomes[i]; i++) {
		struct test_case *test = device_run_add_case(run);

		test->name = gr_printf("test %03zu", i);
		test->time_ms = 1000;
		test->status = outcomes[i] == 'p'   ? STATUS_PASSED
		               : outcomes[i] == 'f' ? STATUS_FAILED
		               : outcomes[i] == 'e' ? STATUS_ERROR
		                                    : STATUS_SKIPPED;
		test->failure = test->status == STATUS_FAILED ? GR_FAILED : GR_NONE;
		test->reason = test->status == STATUS_FAILED ? gr_strdup("expected 3 but was 4") : NULL;
	}
}

static inline void record(struct history *history, int64_t night, const char *outcomes)
{
	struct gr_error err = {0};
	struct results results;

	make_run(&results, night, outcomes);
	if (history_record(history, &results, NULL, &err) < 0)
		fail_msg("%s", err.text);
	results_release(&results);
}

static inline json_t *list(struct history *history)
{
	const struct history_filter filter = {.pipeline = "nightly", .branch = "main", .most = 100000};
	struct gr_error err = {0};
	json_t *runs = NULL;

	if (history_list(history, &filter, &runs, &err) < 0)
		fail_msg("%s", err.text);
	return runs;
}

static inline json_int_t number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

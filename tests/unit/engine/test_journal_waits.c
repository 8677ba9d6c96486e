#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/engine/journal.h"

/* Stands in for libc's: the test counts how often the disk is waited for. */
static unsigned waits;

int fdatasync(int fd)
{
	waits++;
	return fsync(fd);
}

/* And for the clock. */
static int64_t now_ms = 1000000;

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (clock != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, clock, ret_time);
	*ret_time = (struct timespec){.tv_sec = now_ms / 1000, .tv_nsec = now_ms % 1000 * 1000000};
	return 0;
}

struct place {
	char folder[64];
	int directory;
	struct redactor *redactor;
	struct event_reader reader;
};

static void open_place(struct place *place)
{
	GR_AUTO_JSON json_t *head = json_pack("{s:s}", "run_id", "r1");
	struct gr_error err = {0};

	*place = (struct place){.folder = "/tmp/gridlane-journal-XXXXXX", .redactor = redactor_new()};
	assert_non_null(mkdtemp(place->folder));
	place->directory = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->directory >= 0);
	assert_int_equal(journal_open(place->directory, head, NULL, place->redactor, &place->reader, &err), 0);
	waits = 0;
}

static void close_place(struct place *place)
{
	assert_int_equal(place->reader.close(place->reader.state, NULL), 0);
	redactor_free(place->redactor);
	(void)unlinkat(place->directory, "state/reserve", 0);
	assert_int_equal(unlinkat(place->directory, JOURNAL_NAME, 0), 0);
	assert_int_equal(unlinkat(place->directory, "state", AT_REMOVEDIR), 0);
	(void)close(place->directory);
	assert_int_equal(rmdir(place->folder), 0);
}

static void say(struct place *place, struct run_event event)
{
	struct gr_error err = {0};

	event.lane = "main";
	event.step = "s";
	assert_int_equal(place->reader.event(place->reader.state, &event, &err), 0);
}

static void settle(struct place *place)
{
	struct gr_error err = {0};

	assert_int_equal(place->reader.settle(place->reader.state, &err), 0);
}

static void it_has_all_intents_on_the_disk_after_one_wait_before_anything_leaves(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_INTENT, .text = "app_build_run"});
	say(&place, (struct run_event){.kind = STEP_INTENT, .text = "app_build_run"});
	assert_int_equal(waits, 0);
	settle(&place);
	assert_int_equal(waits, 1);
	settle(&place);
	assert_int_equal(waits, 1);
	close_place(&place);
}

static void it_waits_once_for_what_a_step_learned_and_its_intent(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_LEARNED});
	assert_int_equal(waits, 0);
	say(&place, (struct run_event){.kind = STEP_INTENT, .text = "app_build_run"});
	settle(&place);
	assert_int_equal(waits, 1);
	close_place(&place);
}

static void it_has_what_was_learned_on_the_disk_before_anything_leaves(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_LEARNED});
	settle(&place);
	assert_int_equal(waits, 1);
	settle(&place);
	assert_int_equal(waits, 1);
	close_place(&place);
}

static void it_has_what_came_of_a_start_on_the_disk_before_people_read_it(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_INTENT, .text = "app_build_run"});
	settle(&place);
	say(&place, (struct run_event){.kind = STEP_LEARNED});
	assert_int_equal(waits, 1);
	say(&place, (struct run_event){.kind = STEP_PROGRESS, .text = "started: build_id 3506"});
	assert_int_equal(waits, 2);
	say(&place, (struct run_event){.kind = STEP_LEARNED}); /* which of its numbers is asked for */
	say(&place, (struct run_event){.kind = STEP_PROGRESS, .text = "build 6: 1/5 tests"});
	assert_int_equal(waits, 2);
	settle(&place);
	assert_int_equal(waits, 3);
	close_place(&place);
}

static void it_does_not_wait_for_what_a_poll_showed_before_each_request(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	for (int i = 0; i < 8; i++) {
		say(&place, (struct run_event){.kind = STEP_LEARNED, .is_repeatable = true});
		settle(&place);
	}
	assert_int_equal(waits, 0);
	now_ms += 999;
	settle(&place);
	assert_int_equal(waits, 0);
	now_ms += 1;
	settle(&place);
	assert_int_equal(waits, 1);
	settle(&place);
	assert_int_equal(waits, 1);
	say(&place, (struct run_event){.kind = STEP_LEARNED, .is_repeatable = true});
	assert_int_equal(waits, 1);
	close_place(&place);
	assert_int_equal(waits, 2); /* at the end at the latest */
}

static void it_waits_for_no_step_that_only_read(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_ENDED, .is_repeatable = true});
	settle(&place);
	assert_int_equal(waits, 0);
	say(&place, (struct run_event){.kind = STEP_ENDED});
	settle(&place);
	assert_int_equal(waits, 1);
	close_place(&place);
}

static void it_reads_results_back_from_records_and_from_files(void **state)
{
	struct device_run run = {.lane = (char *)(uintptr_t) "main", .step = (char *)(uintptr_t) "s"};
	struct replay *replay = NULL;
	struct gr_error err = {0};
	struct place place;

	(void)state;
	open_place(&place);
	device_run_add_case(&run)->name = gr_strdup("short");
	say(&place, (struct run_event){.kind = RUN_DEVICE_RESULT, .device_run = &run});
	assert_int_equal(faccessat(place.directory, "state/result-1-1.json", F_OK, 0), -1);
	for (int i = 0; i < 1000; i++)
		device_run_add_case(&run)->name = gr_printf("test %d of a run that is long", i);
	run.build_number = gr_strdup("7");
	say(&place, (struct run_event){.kind = RUN_DEVICE_RESULT, .device_run = &run});
	assert_int_equal(replay_read(place.directory, &replay, &err), 0);
	assert_int_equal(replay->results.run_count, 1); /* the later one replaces what had no number yet */
	assert_int_equal(replay->results.runs[0].case_count, 1001);
	assert_string_equal(replay->results.runs[0].cases[0].name, "short");
	replay_free(replay);
	run.lane = run.step = NULL;
	device_run_release(&run);
	assert_int_equal(unlinkat(place.directory, "state/result-1-1.json", 0), 0);
	close_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_has_all_intents_on_the_disk_after_one_wait_before_anything_leaves),
	        cmocka_unit_test(it_waits_once_for_what_a_step_learned_and_its_intent),
	        cmocka_unit_test(it_has_what_was_learned_on_the_disk_before_anything_leaves),
	        cmocka_unit_test(it_has_what_came_of_a_start_on_the_disk_before_people_read_it),
	        cmocka_unit_test(it_does_not_wait_for_what_a_poll_showed_before_each_request),
	        cmocka_unit_test(it_waits_for_no_step_that_only_read),
	        cmocka_unit_test(it_reads_results_back_from_records_and_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static void it_has_an_intent_on_the_disk_when_it_returns(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_INTENT, .text = "app_build_run"});
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

static void it_has_what_was_learned_on_the_disk_before_people_read_it(void **state)
{
	struct place place;

	(void)state;
	open_place(&place);
	say(&place, (struct run_event){.kind = STEP_LEARNED});
	say(&place, (struct run_event){.kind = STEP_PROGRESS, .text = "started: build_id 3506"});
	assert_int_equal(waits, 1);
	close_place(&place);
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
	assert_int_equal(waits, 1);
	close_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_has_an_intent_on_the_disk_when_it_returns),
	        cmocka_unit_test(it_waits_once_for_what_a_step_learned_and_its_intent),
	        cmocka_unit_test(it_has_what_was_learned_on_the_disk_before_anything_leaves),
	        cmocka_unit_test(it_has_what_was_learned_on_the_disk_before_people_read_it),
	        cmocka_unit_test(it_waits_for_no_step_that_only_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

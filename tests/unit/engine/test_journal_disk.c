/* A disk that is full, breaks, or is somebody else's at the moment. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/engine/journal.h"

/* Stand in for libc's: what the disk says to the journal. */
static int write_error, sync_error, cut_error; /* errno, or 0 */
static int reserve_in = -1; /* a folder; write_error lasts as long as state/reserve is there */
static size_t write_most = SIZE_MAX; /* bytes of a line that still fit */

ssize_t write(int fd, const void *data, size_t bytes)
{
	struct stat info;
	bool is_full = write_error && fd > STDERR_FILENO &&
	               (reserve_in < 0 || fstatat(reserve_in, "state/reserve", &info, 0) == 0);

	if (is_full && write_most == 0) {
		errno = write_error;
		return -1;
	}
	if (is_full && write_most < bytes)
		bytes = write_most;
	if (is_full)
		write_most = 0;
	return (ssize_t)syscall(SYS_write, fd, data, bytes);
}

int fdatasync(int fd)
{
	errno = sync_error;
	return sync_error ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t bytes)
{
	errno = cut_error;
	return cut_error ? -1 : (int)syscall(SYS_ftruncate, fd, bytes);
}

struct place {
	char folder[64];
	int directory;
	struct redactor *redactor;
	json_t *head;
	struct event_reader reader;
};

static void heal(void)
{
	write_error = sync_error = cut_error = 0;
	reserve_in = -1;
	write_most = SIZE_MAX;
}

static int try_open(struct place *place, const struct replay *replay, struct gr_error *err)
{
	*err = (struct gr_error){0};
	return journal_open(place->directory, place->head, replay, place->redactor, &place->reader, err);
}

static void open_place(struct place *place)
{
	struct gr_error err;

	*place = (struct place){.folder = "/tmp/gridlane-journal-XXXXXX", .redactor = redactor_new()};
	place->head = json_pack("{s:s, s:i, s:s}", "run_id", "r1", "pid", 7, "host", "here");
	assert_non_null(mkdtemp(place->folder));
	place->directory = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->directory >= 0);
	assert_int_equal(try_open(place, NULL, &err), 0);
}

static void close_journal(struct place *place)
{
	heal();
	assert_int_equal(place->reader.close(place->reader.state, NULL), 0);
}

static void close_place(struct place *place)
{
	GR_AUTO_FREE char *command = gr_printf("rm -rf '%s'", place->folder);

	redactor_free(place->redactor);
	json_decref(place->head);
	assert_int_equal(system(command), 0);
	(void)close(place->directory);
}

static int say(struct place *place, struct run_event event, struct gr_error *err)
{
	*err = (struct gr_error){0};
	event.lane = "main";
	event.step = "s";
	return place->reader.event(place->reader.state, &event, err);
}

static int say_learned(struct place *place, const char *key, struct gr_error *err)
{
	GR_AUTO_JSON json_t *detail = json_pack("{s:i}", key, 1);

	return say(place, (struct run_event){.kind = STEP_LEARNED, .detail = detail}, err);
}

static struct replay *read_back(const struct place *place)
{
	struct replay *replay = NULL;
	struct gr_error err = {0};

	if (replay_read(place->directory, &replay, &err) != 0)
		fail_msg("%s", err.text);
	return replay;
}

static bool knows(const struct replay *replay, const char *key)
{
	const struct replay_step *step = replay_find(replay, "main", "s");

	return step && json_object_get(step->memory, key);
}

static void a_full_disk_is_said_once_and_the_reserve_takes_what_comes(void **state)
{
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	write_error = ENOSPC;
	write_most = 30; /* a part of the line still fits, and is taken back */
	reserve_in = place.directory;
	assert_int_equal(say_learned(&place, "first", &err), -GR_DISK);
	assert_non_null(strstr(err.text, "the space kept for the end is in use now"));
	assert_int_equal(say_learned(&place, "second", &err), 0);
	close_journal(&place);
	replay = read_back(&place);
	assert_true(knows(replay, "first") && knows(replay, "second"));
	assert_int_equal(replay->good_bytes, replay->bytes);
	replay_free(replay);
	close_place(&place);
}

static void a_disk_that_stays_full_breaks_the_journal_and_leaves_it_readable(void **state)
{
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	write_error = ENOSPC;
	write_most = 30;
	assert_int_equal(say_learned(&place, "first", &err), -GR_DISK);
	assert_non_null(strstr(err.text, "cannot be written on"));
	write_error = 0; /* too late: nothing is written behind a gap */
	assert_int_equal(say_learned(&place, "second", &err), 0);
	close_journal(&place);
	replay = read_back(&place);
	assert_false(knows(replay, "first") || knows(replay, "second"));
	assert_int_equal(replay->good_bytes, replay->bytes);
	assert_false(replay->has_verdict);
	replay_free(replay);
	close_place(&place);
}

static void a_line_that_cannot_be_taken_back_is_the_last(void **state)
{
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	write_error = ENOSPC;
	cut_error = EIO;
	write_most = 30;
	assert_int_equal(say_learned(&place, "first", &err), -GR_DISK);
	close_journal(&place);
	replay = read_back(&place);
	assert_int_equal(replay->bytes - replay->good_bytes, 30);
	cut_error = EIO; /* what is torn is cut off before anything is written, or nothing is */
	assert_int_equal(try_open(&place, replay, &err), -GR_DISK);
	heal();
	assert_int_equal(try_open(&place, replay, &err), 0);
	replay_free(replay);
	close_journal(&place);
	replay = read_back(&place);
	assert_int_equal(replay->generation, 2);
	replay_free(replay);
	close_place(&place);
}

static void a_verdict_after_the_journal_broke_stands_beside_it(void **state)
{
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	assert_int_equal(say_learned(&place, "first", &err), 0);
	sync_error = EIO;
	assert_int_equal(say(&place, (struct run_event){.kind = STEP_INTENT, .text = "app_build_run"}, &err), 0);
	assert_int_equal(place.reader.settle(place.reader.state, &err), -GR_DISK);
	heal(); /* a later fdatasync() would succeed, and say nothing of what was lost */
	assert_int_equal(say(&place, (struct run_event){.kind = RUN_JUDGED, .done = 1}, &err), 0);
	close_journal(&place);
	replay = read_back(&place);
	assert_true(replay->has_verdict && replay->is_behind && replay->is_done);
	assert_int_equal(replay->exit_status, 1);
	replay_free(replay);
	assert_int_equal(
	        try_open(&place, NULL, &err), 0); /* another run in this folder: that verdict was not its own */
	close_journal(&place);
	replay = read_back(&place);
	assert_false(replay->has_verdict);
	replay_free(replay);
	close_place(&place);
}

static void add_cases(struct device_run *run, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		device_run_add_case(run)->name = gr_printf("test %u", i);
}

static void a_long_result_comes_back_from_its_file(void **state)
{
	struct device_run run = {.build_number = gr_strdup("7"), .is_complete = true};
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	add_cases(&run, 500);
	assert_int_equal(say(&place, (struct run_event){.kind = RUN_DEVICE_RESULT, .device_run = &run}, &err), 0);
	assert_int_equal(faccessat(place.directory, "state/result-1-1.json", R_OK, 0), 0);
	write_error = ENOSPC;
	write_most = 0;
	reserve_in = place.directory;
	gr_free(run.build_number);
	run.build_number = gr_strdup("8");
	assert_int_equal(
	        say(&place, (struct run_event){.kind = RUN_DEVICE_RESULT, .device_run = &run}, &err), -GR_DISK);
	assert_non_null(strstr(err.text, "the space kept for the end"));
	close_journal(&place);
	replay = read_back(&place);
	assert_int_equal(replay->results.run_count, 2);
	assert_int_equal(replay->results.runs[0].case_count, 500);
	assert_string_equal(replay->results.runs[1].build_number, "8");
	assert_string_equal(replay->results.runs[1].cases[499].name, "test 499");
	replay_free(replay);
	device_run_release(&run);
	close_place(&place);
}

/* No record says that there is a result whose file is not whole. */
static void a_result_that_cannot_be_written_is_not_in_the_journal(void **state)
{
	struct device_run run = {.build_number = gr_strdup("7")};
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	add_cases(&run, 500);
	write_error = EIO;
	write_most = 0;
	assert_int_equal(
	        say(&place, (struct run_event){.kind = RUN_DEVICE_RESULT, .device_run = &run}, &err), -GR_DISK);
	assert_non_null(strstr(err.text, "the journal cannot be written on"));
	close_journal(&place);
	replay = read_back(&place);
	assert_int_equal(replay->results.run_count, 0);
	replay_free(replay);
	device_run_release(&run);
	close_place(&place);
}

static void ends_and_files_come_back(void **state)
{
	char path[] = "artifacts/a.log";
	const struct artifact artifact = {.path = path, .bytes = 12};
	const struct replay_step *step;
	struct gr_error err;
	struct place place;
	struct replay *replay;

	(void)state;
	open_place(&place);
	assert_int_equal(say(&place, (struct run_event){.kind = RUN_ARTIFACT, .artifact = &artifact}, &err), 0);
	assert_int_equal(say(&place,
	                         (struct run_event){.kind = STEP_ENDED,
	                                 .outcome = OUTCOME_ERROR,
	                                 .failure = GR_NETWORK,
	                                 .text = "no answer",
	                                 .done = 1500},
	                         &err),
	        0);
	close_journal(&place);
	replay = read_back(&place);
	step = replay_find(replay, "main", "s");
	assert_int_equal(step->outcome, OUTCOME_ERROR);
	assert_int_equal(step->failure, GR_NETWORK);
	assert_int_equal(step->elapsed_ms, 1500);
	assert_string_equal(step->text, "no answer");
	assert_string_equal(replay->results.artifacts[0].path, path);
	assert_int_equal(replay->results.artifacts[0].bytes, 12);
	replay_free(replay);
	close_place(&place);
}

static void a_folder_that_another_process_has_is_left_alone(void **state)
{
	struct place place, other;
	struct gr_error err;
	struct replay *before;

	(void)state;
	open_place(&place);
	other = place;
	assert_true(journal_is_busy(place.directory));
	before = read_back(&place);
	assert_int_equal(say_learned(&place, "first", &err), 0);
	{
		GR_AUTO_FREE char *path = gr_printf("%s/" JOURNAL_NAME, place.folder);
		int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

		assert_int_equal(try_open(&other, NULL, &err), -GR_BUSY);
		assert_non_null(strstr(err.text, "run r1 (process 7 on here"));
		assert_int_equal(file_write_all(fd, "what is this\nno one knows\n", 26), 0);
		assert_int_equal(close(fd), 0);
		assert_int_equal(try_open(&other, NULL, &err), -GR_BUSY);
		assert_non_null(strstr(err.text, "another gridlane is writing to this output folder"));
	}
	close_journal(&place);
	assert_false(journal_is_busy(place.directory));
	/* it went on since the journal was read */
	assert_int_equal(try_open(&other, before, &err), -GR_BUSY);
	assert_non_null(strstr(err.text, "has just written"));
	replay_free(before);
	close_place(&place);
}

static void a_place_where_no_journal_can_be_is_said(void **state)
{
	struct gr_error err;
	struct place place;

	(void)state;
	open_place(&place);
	close_journal(&place);
	assert_int_equal(unlinkat(place.directory, JOURNAL_NAME, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", place.directory, JOURNAL_NAME), 0);
	assert_int_equal(try_open(&place, NULL, &err), -GR_DISK); /* no link is followed */
	assert_int_equal(unlinkat(place.directory, JOURNAL_NAME, 0), 0);
	assert_int_equal(unlinkat(place.directory, "state", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/tmp", place.directory, "state"), 0);
	assert_int_equal(try_open(&place, NULL, &err), -GR_DISK);
	close_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_full_disk_is_said_once_and_the_reserve_takes_what_comes),
	        cmocka_unit_test(a_disk_that_stays_full_breaks_the_journal_and_leaves_it_readable),
	        cmocka_unit_test(a_line_that_cannot_be_taken_back_is_the_last),
	        cmocka_unit_test(a_verdict_after_the_journal_broke_stands_beside_it),
	        cmocka_unit_test(a_long_result_comes_back_from_its_file),
	        cmocka_unit_test(a_result_that_cannot_be_written_is_not_in_the_journal),
	        cmocka_unit_test(ends_and_files_come_back),
	        cmocka_unit_test(a_folder_that_another_process_has_is_left_alone),
	        cmocka_unit_test(a_place_where_no_journal_can_be_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The journal's format: what a crash may do to it is mended, everything else is refused with its place. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/engine/crc.h"
#include "runner/engine/journal.h"

struct world {
	char path[64];
	int directory;
	struct redactor *redactor;
	json_t *head;
};

static void open_world(struct world *world)
{
	(void)snprintf(world->path, sizeof(world->path), "/tmp/gridlane-journal-XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->directory = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->redactor = redactor_new();
	world->head = json_pack("{s:s, s:i, s:s}", "run_id", "r1", "pid", 7, "host", "here");
}

static void close_world(struct world *world)
{
	GR_AUTO_FREE char *command = gr_printf("rm -rf '%s'", world->path);

	assert_int_equal(system(command), 0);
	(void)close(world->directory);
	redactor_free(world->redactor);
	json_decref(world->head);
}

static struct event_reader begin(struct world *world, const struct replay *replay)
{
	struct event_reader reader = {0};
	struct gr_error err = {0};

	if (journal_open(world->directory, world->head, replay, world->redactor, &reader, &err) != 0)
		fail_msg("%s", err.text);
	return reader;
}

static void say(struct event_reader *reader, enum run_event_kind kind, json_t *detail)
{
	struct run_event event = {.kind = kind, .lane = "main", .step = "s", .detail = detail};

	assert_int_equal(reader->event(reader->state, &event, NULL), 0);
	json_decref(detail);
}

static void end(struct event_reader *reader)
{
	assert_int_equal(reader->close(reader->state, NULL), 0);
}

/* A head and two facts. */
static void write_some(struct world *world)
{
	struct event_reader reader = begin(world, NULL);

	say(&reader, STEP_LEARNED, json_pack("{s:s}", "number", "770"));
	say(&reader, STEP_LEARNED, json_pack("{s:i}", "start_wall_ms", 5));
	end(&reader);
}

static char *read_text(const struct world *world, const char *name)
{
	struct buffer data = {0};

	assert_int_equal(file_read_at(world->directory, name, 1 << 20, GR_DISK, &data, NULL), 0);
	return buffer_take(&data);
}

static void write_text(const struct world *world, const char *text, size_t bytes)
{
	GR_AUTO_FREE char *path = gr_printf("%s/" JOURNAL_NAME, world->path);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(file_write_all(fd, text, bytes), 0);
	(void)close(fd);
}

static struct replay *read_back(const struct world *world)
{
	struct replay *replay = NULL;
	struct gr_error err = {0};

	if (replay_read(world->directory, &replay, &err) != 0)
		fail_msg("%s", err.text);
	return replay;
}

static void expect_refused(const struct world *world, const char *words)
{
	struct replay *replay = NULL;
	struct gr_error err = {0};

	assert_int_equal(replay_read(world->directory, &replay, &err), -GR_DISK);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in: %s", words, err.text);
}

static void a_record_is_its_checksum_and_json(void **state)
{
	struct world world;
	struct stat info;

	(void)state;
	open_world(&world);
	write_some(&world);
	{
		GR_AUTO_FREE char *text = read_text(&world, JOURNAL_NAME);
		char *feed = strchr(text, '\n'), crc[9];

		*feed = '\0';
		(void)snprintf(crc, sizeof(crc), "%08x", crc32c(text + 9, strlen(text + 9)));
		assert_memory_equal(text, crc, 8);
		assert_int_equal(text[8], ' ');
		assert_non_null(strstr(text, "\"seq\":1"));
		assert_non_null(strstr(text, "\"v\":1"));
	}
	assert_int_equal(fstatat(world.directory, JOURNAL_NAME, &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	close_world(&world);
}

static void all_that_was_written_comes_back(void **state)
{
	const struct replay_step *step;
	struct replay *replay;
	struct world world;

	(void)state;
	open_world(&world);
	write_some(&world);
	replay = read_back(&world);
	step = replay_find(replay, "main", "s");
	assert_non_null(step);
	assert_string_equal(json_string_value(json_object_get(step->memory, "number")), "770");
	assert_int_equal(replay->sequence, 3);
	replay_free(replay);
	close_world(&world);
}

/* Cut anywhere in its last line, or with that line's bytes changed: the line before is the last. */
static void a_torn_end_is_cut_off_and_kept(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	write_some(&world);
	{
		GR_AUTO_FREE char *text = read_text(&world, JOURNAL_NAME);
		size_t bytes = strlen(text), last = bytes - 1;

		while (text[last - 1] != '\n')
			last--;
		for (size_t cut = last; cut <= bytes; cut++) {
			struct event_reader reader;
			struct replay *replay;

			write_text(&world, text, cut);
			if (cut == bytes) { /* whole, but a page of it never came to the disk */
				GR_AUTO_FREE char *bad = gr_strdup(text);

				memset(bad + last + 20, 0, 8);
				write_text(&world, bad, bytes);
			}
			replay = read_back(&world);
			assert_int_equal(replay->sequence, 2);
			assert_int_equal(replay->good_bytes, last);
			reader = begin(&world, replay);
			end(&reader);
			replay_free(replay);
			if (cut > last)
				gr_free(read_text(&world, "state/torn-1"));
			replay = read_back(&world);
			assert_int_equal(replay->sequence, 3);
			assert_int_equal(replay->generation, 2);
			replay_free(replay);
		}
	}
	close_world(&world);
}

static void damage_before_the_end_is_refused_with_its_place(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	write_some(&world);
	{
		GR_AUTO_FREE char *text = read_text(&world, JOURNAL_NAME);
		GR_AUTO_FREE char *bad = gr_strdup(text);
		char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
		GR_AUTO_FREE char *gap = gr_printf("%.*s%s", (int)(second - text), text, third);
		GR_AUTO_FREE char *place = gr_printf("damaged at byte %zu", (size_t)(second - text));

		bad[second - text + 30] ^= 1;
		write_text(&world, bad, strlen(bad));
		expect_refused(&world, place);
		write_text(&world, gap, strlen(gap));
		expect_refused(&world, "record 2 is missing");
	}
	close_world(&world);
}

static void a_format_of_another_version_is_refused(void **state)
{
	static const char json[] = "{\"type\":\"head\",\"v\":2,\"seq\":1}";
	GR_AUTO_FREE char *line = gr_printf("%08x %s\n", crc32c(json, strlen(json)), json);
	struct world world;

	(void)state;
	open_world(&world);
	write_some(&world);
	write_text(&world, line, strlen(line));
	expect_refused(&world, "another version");
	close_world(&world);
}

static void the_second_writer_is_told_who_has_it(void **state)
{
	struct event_reader first, second = {0};
	struct gr_error err = {0};
	struct world world;

	(void)state;
	open_world(&world);
	first = begin(&world, NULL);
	assert_true(journal_open(world.directory, world.head, NULL, world.redactor, &second, &err) < 0);
	assert_non_null(strstr(err.text, "process 7 on here"));
	end(&first);
	close_world(&world);
}

static void time_since_a_start_is_that_of_the_boot_clock(void **state)
{
	struct replay_step step = {.start_ms = clock_now_ms() - 4000, .start_wall_ms = clock_wall_ms() + 3600000};

	(void)state;
	(void)clock_boot_id(step.start_boot);
	assert_in_range(replay_since_start(&step), 4000, 60000);
	step.start_boot[0] ^= 1; /* another boot: the wall clock is all there is, and it may have been set back */
	assert_int_equal(replay_since_start(&step), 0);
	step.start_wall_ms = clock_wall_ms() - 5000;
	assert_in_range(replay_since_start(&step), 5000, 60000);
	assert_int_equal(replay_since_start(NULL), 0);
}

static void say_end(struct event_reader *reader, enum outcome outcome)
{
	struct run_event event = {.kind = STEP_ENDED, .lane = "main", .step = "s", .outcome = outcome};

	assert_int_equal(reader->event(reader->state, &event, NULL), 0);
}

static void say_intent(struct event_reader *reader)
{
	struct run_event event = {.kind = STEP_INTENT, .lane = "main", .step = "s", .text = "restart_device_api"};

	assert_int_equal(reader->event(reader->state, &event, NULL), 0);
}

/* A second process that is ended before (or while) it comes to the step again takes nothing from what the first knew.
 */
static void a_step_that_was_not_reached_again_keeps_what_it_had(void **state)
{
	struct event_reader reader;
	struct replay *replay;
	struct world world;

	(void)state;
	open_world(&world);
	reader = begin(&world, NULL);
	say(&reader, STEP_STARTED, NULL);
	say_intent(&reader);
	end(&reader);
	replay = read_back(&world);
	reader = begin(&world, replay);
	say_end(&reader, OUTCOME_NOT_RUN);
	replay_free(replay);
	replay = read_back(&world);
	assert_string_equal(replay_find(replay, "main", "s")->open_operation, "restart_device_api");
	assert_false(replay_is_settled(replay_find(replay, "main", "s")));
	replay_free(replay);

	say_end(&reader, OUTCOME_PASSED);
	say(&reader, STEP_STARTED, NULL);
	replay = read_back(&world);
	assert_true(replay_is_settled(replay_find(replay, "main", "s")));
	replay_free(replay);
	say_end(&reader, OUTCOME_NOT_RUN);
	end(&reader);
	replay = read_back(&world);
	assert_true(replay_is_settled(replay_find(replay, "main", "s")));
	replay_free(replay);
	close_world(&world);
}

static void a_lane_on_another_device_begins_anew(void **state)
{
	struct run_event chosen = {.kind = STEP_ENDED,
	        .lane = "main",
	        .step = "devices.phone" REPLACE_MARK "1",
	        .outcome = OUTCOME_PASSED};
	struct world world;
	struct replay *replay;
	struct event_reader reader;

	(void)state;
	open_world(&world);
	reader = begin(&world, NULL);
	say(&reader, STEP_LEARNED, json_pack("{s:s}", "number", "770"));
	say_intent(&reader);
	say_end(&reader, OUTCOME_FAILED);
	assert_int_equal(reader.event(reader.state, &chosen, NULL), 0);
	end(&reader);
	replay = read_back(&world);
	assert_false(replay_is_settled(replay_find(replay, "main", "s")));
	assert_int_equal(json_object_size(replay_find(replay, "main", "s")->memory), 0);
	assert_null(replay_find(replay, "main", "s")->open_operation);
	assert_true(replay_is_settled(replay_find(replay, "main", "devices.phone" REPLACE_MARK "1")));
	replay_free(replay);
	close_world(&world);
}

static void say_call(struct event_reader *reader, enum run_event_kind kind, json_t *detail)
{
	struct run_event event = {
	        .kind = kind, .lane = "main", .step = "s", .text = "reserve_device", .detail = detail};

	assert_int_equal(reader->event(reader->state, &event, NULL), 0);
	json_decref(detail);
}

static void ask(struct event_reader *reader, const char *comments)
{
	say_call(reader, STEP_INTENT, json_pack("{s:s, s:s*}", "device_id", "40", "comments", comments));
}

static void it_counts_reservations_whose_outcome_is_not_known(void **state)
{
	struct world world;
	struct replay *replay = NULL;
	struct event_reader reader;

	(void)state;
	open_world(&world);
	reader = begin(&world, NULL);
	ask(&reader, "nightly [gr:2e540f5fbd64]"); /* refused */
	say_call(&reader, STEP_ANSWER,
	        json_pack("{s:i, s:b, s:b}", "status", 409, JOURNAL_UNDONE, 1, JOURNAL_MARKED, 1));
	ask(&reader, "[gr:2e540f5fbd64]"); /* made */
	say_call(&reader, STEP_ANSWER, json_pack("{s:i}", "status", 200));
	say(&reader, RUN_RESOURCE_HELD, json_pack("{s:s}", "key", "reservation/1"));
	ask(&reader, "nightly"); /* a call's, which nobody could find */
	ask(&reader, NULL);
	say_call(&reader, STEP_ANSWER, json_pack("{s:i, s:b}", "status", 409, JOURNAL_UNDONE, 1));
	ask(&reader, "[gr:2e540f5fbd64]"); /* lost */
	say(&reader, RUN_RESOURCE_HELD, json_pack("{s:s}", "key", "reservation/1")); /* another process took it over */
	end(&reader);
	assert_int_equal(replay_read(world.directory, &replay, NULL), 0);
	assert_int_equal(replay->lost_reservations, 1);
	assert_int_equal(json_array_size(replay->held), 1);
	assert_in_range(replay_since_reservation(replay), 0, 60000);
	replay_free(replay);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_lane_on_another_device_begins_anew),
	        cmocka_unit_test(it_counts_reservations_whose_outcome_is_not_known),
	        cmocka_unit_test(a_record_is_its_checksum_and_json),
	        cmocka_unit_test(all_that_was_written_comes_back),
	        cmocka_unit_test(a_torn_end_is_cut_off_and_kept),
	        cmocka_unit_test(damage_before_the_end_is_refused_with_its_place),
	        cmocka_unit_test(a_format_of_another_version_is_refused),
	        cmocka_unit_test(a_step_that_was_not_reached_again_keeps_what_it_had),
	        cmocka_unit_test(the_second_writer_is_told_who_has_it),
	        cmocka_unit_test(time_since_a_start_is_that_of_the_boot_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

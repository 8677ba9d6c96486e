/* Many processes at one history, some of them killed in the middle of it: every run is in it whole and once. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/history/place.h"

#define WRITERS 20
#define RUNS_EACH 5
#define KILLS 30
/* More statements than are sent ahead without waiting. */
#define OUTCOMES "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppfes"

static void write_as_child(const struct place *place, int64_t first, int64_t count)
{
	struct history *history = NULL;
	struct gr_error err = {0};

	if (history_open(place->file, &history, &err) < 0)
		_exit(1);
	for (int64_t i = first; i < first + count; i++) {
		struct results results;

		make_run(&results, i, OUTCOMES);
		if (history_record(history, &results, NULL, &err) < 0)
			_exit(2);
		results_release(&results);
	}
	history_close(history);
	_exit(0);
}

static pid_t start_writer(const struct place *place, int64_t first, int64_t count)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		write_as_child(place, first, count);
	return child;
}

static void assert_whole(const json_t *runs)
{
	for (size_t i = 0; i < json_array_size(runs); i++)
		assert_int_equal(number(json_array_get(runs, i), "tests"), strlen(OUTCOMES));
}

/* A killed writer's place is taken by one that writes all its runs again, as a CI system does. */
static void it_loses_nothing_when_twenty_write_at_once_and_are_killed(void **state)
{
	struct place *place = *state;
	struct history *history;
	GR_AUTO_JSON json_t *runs = NULL;
	pid_t children[WRITERS];
	unsigned seed = 7, cut = 0;

	for (int64_t i = 0; i < WRITERS; i++)
		children[i] = start_writer(place, i * RUNS_EACH, RUNS_EACH);
	for (size_t i = 0; i < KILLS; i++) {
		unsigned victim = (seed = seed * 1103515245u + 12345u) / 65536 % WRITERS;
		int status = -1;

		(void)usleep(seed / 65536 % 20000); /* not a wait: where the kill falls */
		assert_int_equal(kill(children[victim], SIGKILL), 0);
		assert_int_equal(waitpid(children[victim], &status, 0), children[victim]);
		cut += WIFSIGNALED(status);
		children[victim] = start_writer(place, victim * RUNS_EACH, RUNS_EACH);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	history = open_it(place);
	runs = list(history);
	assert_true(cut > 0);
	assert_int_equal(json_array_size(runs), (size_t)WRITERS * RUNS_EACH);
	assert_whole(runs);
	history_close(history);
}

static void it_stays_readable_whenever_a_writer_is_killed(void **state)
{
	struct place *place = *state;

	history_close(open_it(place));
	for (unsigned round = 0; round < 12; round++) {
		GR_AUTO_JSON json_t *runs = NULL;
		struct history *history;
		pid_t child = start_writer(place, (int64_t)round * 100000, 100000);

		(void)usleep(1000 + round * 3000); /* not a wait: where the kill falls */
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		history = open_it(place);
		runs = list(history);
		assert_whole(runs);
		history_close(history);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(it_loses_nothing_when_twenty_write_at_once_and_are_killed),
	        CASE(it_stays_readable_whenever_a_writer_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

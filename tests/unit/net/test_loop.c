#include "runner/net/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"

#define TIMERS 1000

struct probe {
	struct loop *loop;
	struct timer timers[TIMERS];
	unsigned order[TIMERS * 2];
	unsigned ran;
	int64_t last_due_ms;
	unsigned signals[8], signal_count;
	int pipe[2];
	unsigned reads;
};

struct slot {
	struct probe *probe;
	unsigned number;
};

static int set_up(void **state)
{
	struct probe *probe = gr_alloc(1, sizeof(*probe));
	struct gr_error err = {0};

	assert_int_equal(loop_new(4, &probe->loop, &err), 0);
	*state = probe;
	return pipe(probe->pipe);
}

static int tear_down(void **state)
{
	struct probe *probe = *state;

	loop_free(probe->loop);
	(void)close(probe->pipe[0]);
	(void)close(probe->pipe[1]);
	gr_free(probe);
	return 0;
}

static void run(struct probe *probe)
{
	struct gr_error err = {0};

	if (loop_run(probe->loop, &err) < 0)
		fail_msg("%s", err.text);
}

static void note(void *context)
{
	struct slot *slot = context;

	slot->probe->order[slot->probe->ran++] = slot->number;
}

static void it_returns_when_nothing_could_wake_it(void **state)
{
	struct probe *probe = *state;

	run(probe);
	assert_int_equal(probe->ran, 0);
}

static void it_runs_a_thousand_timers_in_the_order_of_their_times(void **state)
{
	struct probe *probe = *state;
	struct slot *slots = gr_alloc(TIMERS, sizeof(*slots));
	int64_t now_ms = loop_now(probe->loop);

	for (unsigned i = 0; i < TIMERS; i++) {
		unsigned number = i * 7919 % TIMERS; /* a permutation: 7919 is prime */

		slots[i] = (struct slot){probe, number};
		probe->timers[i] = (struct timer){.on_due = note, .context = &slots[i]};
		loop_timer_set(probe->loop, &probe->timers[i], now_ms + number / 50);
	}
	for (unsigned i = 0; i < TIMERS; i += 2) /* moved away and back */
		loop_timer_set(probe->loop, &probe->timers[i], now_ms + 100000);
	for (unsigned i = 0; i < TIMERS; i += 2)
		loop_timer_set(probe->loop, &probe->timers[i], now_ms + slots[i].number / 50);
	for (unsigned i = 0; i < TIMERS; i++)
		if (slots[i].number % 10 == 3)
			loop_timer_clear(probe->loop, &probe->timers[i]);
	run(probe);
	assert_int_equal(probe->ran, TIMERS - TIMERS / 10);
	for (unsigned i = 0; i < probe->ran; i++) {
		assert_int_not_equal(probe->order[i] % 10, 3);
		assert_true(i == 0 || probe->order[i] / 50 >= probe->order[i - 1] / 50);
	}
	for (unsigned i = 0; i < TIMERS; i++)
		assert_int_equal(probe->timers[i].place, 0);
	assert_true(loop_now(probe->loop) >= now_ms + 19);
	gr_free(slots);
}

static void it_runs_equal_times_in_the_order_of_setting(void **state)
{
	struct probe *probe = *state;
	struct slot slots[20];

	for (unsigned i = 0; i < 20; i++) {
		slots[i] = (struct slot){probe, i};
		probe->timers[i] = (struct timer){.on_due = note, .context = &slots[i]};
		loop_timer_set(probe->loop, &probe->timers[i], 5);
	}
	run(probe);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(probe->order[i], i);
}

static void clear_the_others(void *context)
{
	struct probe *probe = context;

	probe->ran++;
	loop_timer_clear(probe->loop, &probe->timers[1]);
	loop_timer_set(probe->loop, &probe->timers[2], loop_now(probe->loop) + 1);
}

static void it_lets_a_timer_clear_and_move_others_that_are_due(void **state)
{
	struct probe *probe = *state;
	struct slot slots[3];

	probe->timers[0] = (struct timer){.on_due = clear_the_others, .context = probe};
	loop_timer_set(probe->loop, &probe->timers[0], 0);
	for (unsigned i = 1; i < 3; i++) {
		slots[i] = (struct slot){probe, i};
		probe->timers[i] = (struct timer){.on_due = note, .context = &slots[i]};
		loop_timer_set(probe->loop, &probe->timers[i], 1);
	}
	run(probe);
	assert_int_equal(probe->ran, 2);
	assert_int_equal(probe->order[1], 2);
}

static void set_again(void *context)
{
	struct probe *probe = context;

	probe->order[probe->ran++] = 0;
	if (probe->ran < 6)
		loop_timer_set(probe->loop, &probe->timers[0], 0);
}

static void it_runs_a_timer_that_sets_itself_once_a_turn(void **state)
{
	struct probe *probe = *state;
	struct slot slot = {probe, 1};

	probe->timers[0] = (struct timer){.on_due = set_again, .context = probe};
	probe->timers[1] = (struct timer){.on_due = note, .context = &slot};
	loop_timer_set(probe->loop, &probe->timers[0], 0);
	loop_timer_set(probe->loop, &probe->timers[1], 1);
	run(probe);
	assert_int_equal(probe->order[0], 0);
	assert_int_equal(probe->order[1], 1); /* not starved by the other, which is always earlier */
	assert_int_equal(probe->ran, 6);
}

static void it_never_runs_a_timer_inside_of_setting_it(void **state)
{
	struct probe *probe = *state;
	struct slot slot = {probe, 1};
	struct timer timer = {.on_due = note, .context = &slot};

	loop_timer_set(probe->loop, &timer, 0);
	assert_int_equal(probe->ran, 0);
	loop_timer_clear(probe->loop, &timer);
	loop_timer_clear(probe->loop, &timer);
	loop_timer_set(probe->loop, &timer, CLOCK_NEVER);
	run(probe); /* one for never does not keep it */
	assert_int_equal(probe->ran, 0);
}

static void stop(void *context)
{
	struct probe *probe = context;

	probe->ran++;
	loop_stop(probe->loop);
}

static void it_stops_and_goes_on_later(void **state)
{
	struct probe *probe = *state;
	struct slot slot = {probe, 7};

	probe->timers[0] = (struct timer){.on_due = stop, .context = probe};
	probe->timers[1] = (struct timer){.on_due = note, .context = &slot};
	loop_timer_set(probe->loop, &probe->timers[0], 0);
	loop_timer_set(probe->loop, &probe->timers[1], 1);
	run(probe);
	assert_int_equal(probe->ran, 1);
	assert_int_not_equal(probe->timers[1].place, 0);
	run(probe);
	assert_int_equal(probe->ran, 2);
	assert_int_equal(probe->order[1], 7);
}

static void on_signal(void *context, int signal_number)
{
	struct probe *probe = context;

	probe->signals[probe->signal_count++] = (unsigned)signal_number;
	if (probe->signal_count == 2)
		loop_timer_clear(probe->loop, &probe->timers[0]);
}

static void it_hears_of_signals_that_came_before_it_ran(void **state)
{
	struct probe *probe = *state;

	loop_signals_block();
	assert_int_equal(raise(SIGTERM), 0);
	loop_on_signal(probe->loop, on_signal, probe);
	run(probe); /* signals alone do not keep it */
	probe->timers[0] = (struct timer){.on_due = stop, .context = probe};
	loop_timer_set(probe->loop, &probe->timers[0], clock_now_ms() + 60000);
	assert_int_equal(raise(SIGHUP), 0);
	run(probe);
	assert_int_equal(probe->signal_count, 2);
	assert_int_equal(probe->signals[0] + probe->signals[1], SIGTERM + SIGHUP);
	loop_on_signal(probe->loop, NULL, NULL);
}

static void on_readable(void *context)
{
	struct probe *probe = context;
	char byte;

	assert_int_equal(read(probe->pipe[0], &byte, 1), 1);
	if (++probe->reads == 3) {
		loop_unwatch(probe->loop, probe->pipe[0]);
		loop_unwatch(probe->loop, probe->pipe[0]);
		loop_timer_clear(probe->loop, &probe->timers[0]);
	}
}

static void it_calls_back_as_long_as_a_descriptor_is_readable(void **state)
{
	struct probe *probe = *state;
	struct gr_error err = {0};

	assert_int_equal(loop_watch(probe->loop, probe->pipe[0], on_readable, probe, &err), 0);
	run(probe); /* watched descriptors alone do not keep it */
	probe->timers[0] = (struct timer){.on_due = stop, .context = probe};
	loop_timer_set(probe->loop, &probe->timers[0], clock_now_ms() + 60000);
	assert_int_equal(write(probe->pipe[1], "12345", 5), 5);
	run(probe);
	assert_int_equal(probe->reads, 3);
	assert_int_equal(loop_watch(probe->loop, -1, on_readable, probe, &err), -GR_INTERNAL);
}

static void unwatch_other(void *context)
{
	struct probe *probe = context;

	probe->reads++;
	loop_unwatch(probe->loop, probe->pipe[0]);
	loop_unwatch(probe->loop, probe->signals[0] ? (int)probe->signals[0] : 0);
}

static void it_forgets_events_of_what_was_unwatched_in_the_same_turn(void **state)
{
	struct probe *probe = *state;
	int second = dup(probe->pipe[0]);
	struct timer limit = {.on_due = stop, .context = probe};
	struct gr_error err = {0};

	probe->signals[0] = (unsigned)second;
	assert_int_equal(write(probe->pipe[1], "x", 1), 1);
	assert_int_equal(loop_watch(probe->loop, probe->pipe[0], unwatch_other, probe, &err), 0);
	assert_int_equal(loop_watch(probe->loop, second, unwatch_other, probe, &err), 0);
	loop_timer_set(probe->loop, &limit, clock_now_ms() + 5);
	run(probe);
	assert_int_equal(probe->reads, 1);
	(void)close(second);
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        LOOP_TEST(it_returns_when_nothing_could_wake_it),
	        LOOP_TEST(it_runs_a_thousand_timers_in_the_order_of_their_times),
	        LOOP_TEST(it_runs_equal_times_in_the_order_of_setting),
	        LOOP_TEST(it_lets_a_timer_clear_and_move_others_that_are_due),
	        LOOP_TEST(it_runs_a_timer_that_sets_itself_once_a_turn),
	        LOOP_TEST(it_never_runs_a_timer_inside_of_setting_it),
	        LOOP_TEST(it_stops_and_goes_on_later),
	        LOOP_TEST(it_hears_of_signals_that_came_before_it_ran),
	        LOOP_TEST(it_calls_back_as_long_as_a_descriptor_is_readable),
	        LOOP_TEST(it_forgets_events_of_what_was_unwatched_in_the_same_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

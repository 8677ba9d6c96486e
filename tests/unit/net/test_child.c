#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/net/loop.h"

struct probe {
	struct loop *loop;
	struct buffer out, err; /* lines, each with '|' behind it */
	size_t lines, longest, bytes;
	int status, exits;
	struct child *child;
	int kill_with; /* at the first line */
};

static int set_up(void **state)
{
	struct probe *probe = gr_alloc(1, sizeof(*probe));
	struct gr_error err = {0};

	assert_int_equal(loop_new(1, &probe->loop, &err), 0);
	probe->status = -1;
	*state = probe;
	return 0;
}

static int tear_down(void **state)
{
	struct probe *probe = *state;

	loop_free(probe->loop);
	buffer_release(&probe->out);
	buffer_release(&probe->err);
	gr_free(probe);
	return 0;
}

static void on_line(void *context, bool is_stderr, const char *line, size_t bytes)
{
	struct probe *probe = context;
	struct buffer *buffer = is_stderr ? &probe->err : &probe->out;

	assert_int_equal(probe->exits, 0);
	buffer_add(buffer, line, bytes);
	buffer_add_char(buffer, '|');
	probe->lines++;
	probe->bytes += bytes;
	if (bytes > probe->longest)
		probe->longest = bytes;
	if (probe->kill_with)
		child_kill(probe->child, probe->kill_with);
}

static void on_exit_status(void *context, int status)
{
	struct probe *probe = context;

	probe->status = status;
	probe->exits++;
	child_kill(probe->child, SIGKILL); /* too late, and harmless */
}

static const struct child_ops ops = {.on_line = on_line, .on_exit = on_exit_status};

static char text_path[] = "PATH=/usr/bin:/bin", text_own[] = "OWN=value", text_sh[] = "sh", text_c[] = "-c";
static char *const environment[] = {text_path, text_own, NULL};

static int start(struct probe *probe, const char *script, const char *cwd, struct gr_error *err)
{
	GR_AUTO_FREE char *copy = gr_strdup(script);
	char *argv[] = {text_sh, text_c, copy, NULL};

	return child_start(probe->loop, &(struct child_order){argv, environment, cwd, &ops, probe}, &probe->child, err);
}

static void run(struct probe *probe, const char *script, const char *cwd)
{
	struct gr_error err = {0};

	if (start(probe, script, cwd, &err) < 0 || loop_run(probe->loop, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(probe->exits, 1);
}

static void it_tells_the_lines_of_both_outputs_and_then_the_status(void **state)
{
	struct probe *probe = *state;

	run(probe, "echo one; echo two >&2; printf 'no end'; exit 7", NULL);
	assert_string_equal(buffer_text(&probe->out), "one|no end|");
	assert_string_equal(buffer_text(&probe->err), "two|");
	assert_true(WIFEXITED(probe->status));
	assert_int_equal(WEXITSTATUS(probe->status), 7);
}

static void it_gives_the_environment_the_directory_and_no_input(void **state)
{
	struct probe *probe = *state;

	run(probe, "pwd; echo $OWN; env | wc -l; cat; echo end", "/usr");
	assert_true(text_has_prefix(buffer_text(&probe->out), "/usr|value|"));
	assert_true(text_has_suffix_nocase(buffer_text(&probe->out), "|end|"));
	assert_null(strstr(buffer_text(&probe->out), "HOME"));
	assert_int_equal(probe->status, 0);
}

static void it_keeps_empty_lines_and_odd_bytes(void **state)
{
	struct probe *probe = *state;

	run(probe, "printf '\\n\\na\\000b\\n\\r\\n'", NULL);
	assert_int_equal(probe->out.bytes, 8);
	assert_memory_equal(probe->out.data, "||a\0b|\r|", 8);
}

static void it_hands_over_long_lines_in_pieces(void **state)
{
	struct probe *probe = *state;

	run(probe, "yes '1234567 9' | head -c 200000 | tr '\\n' ' '; echo; echo short", NULL);
	assert_true(probe->longest <= 65536 && probe->lines == 5);
	assert_int_equal(probe->bytes, 200005);
	assert_true(text_has_suffix_nocase(buffer_text(&probe->out), "9 1234567 9 |short|"));
}

/* A piece that ends within a word may end within a secret. */
static void it_cuts_no_word_of_a_long_line(void **state)
{
	struct probe *probe = *state;
	const char *text;

	run(probe,
	        "for n in 65530 65533; do head -c $n /dev/zero | tr '\\0' ' '; echo KqSecretZz after; done;"
	        "head -c 65530 /dev/zero | tr '\\0' x; echo KqSecretZz; echo short",
	        NULL);
	text = buffer_text(&probe->out);
	for (const char *at = text; (at = strstr(at, "Kq")) != NULL; at++)
		assert_memory_equal(at, "KqSecretZz", 10);
	assert_int_equal(strstr(text, "Zz") ? strncmp(strstr(text, "Zz") - 8, "KqSecret", 8) : 0, 0);
	assert_true(text_has_suffix_nocase(text, "left out]|short|"));
}

static void it_takes_all_output_before_the_exit(void **state)
{
	struct probe *probe = *state;

	run(probe, "seq 1 20000; seq 1 20000 >&2", NULL);
	assert_int_equal(probe->lines, 40000);
	assert_true(text_has_suffix_nocase(buffer_text(&probe->out), "|20000|"));
	assert_true(text_has_suffix_nocase(buffer_text(&probe->err), "|20000|"));
}

static void it_says_why_a_command_cannot_start(void **state)
{
	struct probe *probe = *state;
	char name[] = "no-such-command-here";
	char *argv[] = {name, NULL};
	struct gr_error err = {0};

	assert_int_equal(child_start(probe->loop, &(struct child_order){argv, environment, NULL, &ops, probe},
	                         &probe->child, &err),
	        -GR_COMMAND);
	assert_string_equal(err.text, "cannot start 'no-such-command-here': No such file or directory");
	assert_int_equal(start(probe, "true", "/no/such/place", &err), -GR_COMMAND);
	assert_non_null(strstr(err.text, "in '/no/such/place'"));
	assert_int_equal(loop_run(probe->loop, &err), 0);
	assert_int_equal(probe->exits, 0);
}

static void it_kills_the_whole_group(void **state)
{
	struct probe *probe = *state;
	int64_t begun_ms = clock_now_ms();

	probe->kill_with = SIGTERM;
	run(probe, "sleep 100 & sleep 100 & echo ready; wait", NULL);
	assert_true(WIFSIGNALED(probe->status));
	assert_int_equal(WTERMSIG(probe->status), SIGTERM);
	assert_true(clock_now_ms() - begun_ms < 20000); /* the sleepers held the pipes */
}

static void it_does_not_wait_for_a_daemon_that_keeps_the_pipes(void **state)
{
	struct probe *probe = *state;
	int64_t begun_ms = clock_now_ms();

	run(probe, "setsid sleep 30 & echo done", NULL);
	assert_string_equal(buffer_text(&probe->out), "done|");
	assert_int_equal(probe->status, 0);
	assert_true(clock_now_ms() - begun_ms < 20000);
}

static void it_gives_children_the_usual_signals(void **state)
{
	struct probe *probe = *state;

	loop_signals_block();
	run(probe, "grep -E 'Sig(Blk|Ign)' /proc/self/status", NULL);
	assert_non_null(strstr(buffer_text(&probe->out), "SigBlk:\t0000000000000000|"));
	/* SIGPIPE is number 13: the lowest bit of the 13th of 16 digits */
	assert_non_null(strstr(buffer_text(&probe->out), "SigIgn:\t"));
	assert_null(strchr("13579bdf", strstr(buffer_text(&probe->out), "SigIgn:\t")[8 + 12]));
}

static void it_leaves_no_descriptor_to_children(void **state)
{
	struct probe *probe = *state;
	int inheritable = dup(2);

	run(probe, "ls /proc/self/fd | tr '\\n' ' '; echo", NULL);
	assert_string_equal(buffer_text(&probe->out), "0 1 2 3 |"); /* 3 is the folder that ls reads */
	(void)close(inheritable);
}

static void stop(void *context)
{
	loop_stop(context);
}

static void it_is_killed_with_the_loop(void **state)
{
	struct probe *probe = *state;
	struct gr_error err = {0};
	struct timer timer = {.on_due = stop, .context = probe->loop};

	assert_int_equal(start(probe, "echo $$; exec sleep 1000", NULL, &err), 0);
	loop_timer_set(probe->loop, &timer, 0);
	assert_int_equal(loop_run(probe->loop, &err), 0);
	loop_free(probe->loop);
	probe->loop = NULL;
	assert_int_equal(probe->exits, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

#define CHILD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CHILD_TEST(it_tells_the_lines_of_both_outputs_and_then_the_status),
	        CHILD_TEST(it_gives_the_environment_the_directory_and_no_input),
	        CHILD_TEST(it_keeps_empty_lines_and_odd_bytes),
	        CHILD_TEST(it_hands_over_long_lines_in_pieces),
	        CHILD_TEST(it_cuts_no_word_of_a_long_line),
	        CHILD_TEST(it_takes_all_output_before_the_exit),
	        CHILD_TEST(it_says_why_a_command_cannot_start),
	        CHILD_TEST(it_kills_the_whole_group),
	        CHILD_TEST(it_does_not_wait_for_a_daemon_that_keeps_the_pipes),
	        CHILD_TEST(it_gives_children_the_usual_signals),
	        CHILD_TEST(it_leaves_no_descriptor_to_children),
	        CHILD_TEST(it_is_killed_with_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The sandbox as a process of its own, and its log. */
#include "tests/unit/sandbox/client.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static void world_join(struct world *world, const struct sandbox_process *process)
{
	int64_t port = 0;

	memset(world, 0, sizeof(*world));
	assert_true(number_parse_int(strrchr(process->url, ':') + 1, &port));
	world->port = (unsigned short)port;
	(void)snprintf(world->token, sizeof(world->token), "%s", process->token);
}

static void it_serves_from_another_process(void **state)
{
	struct sandbox_options options = {.time_scale = 50};
	struct sandbox_process process;
	struct gr_error err = {0};
	struct world world;
	int pid;

	(void)state;
	assert_int_equal(sandbox_fork(&options, &process, &err), 0);
	pid = process.pid;
	assert_true(process.time_scale > 49 && process.time_scale < 51);
	world_join(&world, &process);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_accepted(&world);
	sandbox_end(&process);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	sandbox_end(&process); /* twice is harmless */
	buffer_release(&world.raw);
	json_decref(world.json);
}

static void it_outlives_the_terminals_signals(void **state)
{
	struct sandbox_options options = {0};
	struct sandbox_process process;
	struct gr_error err = {0};
	struct world world;

	(void)state;
	assert_int_equal(sandbox_fork(&options, &process, &err), 0);
	assert_int_not_equal(getpgid(process.pid), getpgrp());
	assert_int_equal(kill(process.pid, SIGINT), 0);
	assert_int_equal(kill(process.pid, SIGTERM), 0);
	assert_int_equal(kill(process.pid, SIGHUP), 0);
	world_join(&world, &process);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_accepted(&world);
	sandbox_end(&process);
	buffer_release(&world.raw);
	json_decref(world.json);
}

static void it_brings_the_childs_error_home(void **state)
{
	struct sandbox_options options = {.scenario_file = "/nonexistent.yml"};
	struct sandbox_process process;
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(sandbox_fork(&options, &process, &err), -GR_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent.yml"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
}

static void it_masks_secrets_in_its_log(void **state)
{
	struct world world;
	GR_AUTO_FREE char *log = NULL;
	const char *line = NULL;
	size_t lines = 0;

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	post(&world, "/api/get-usertoken", "email", "tester@example.com", "password", "sandbox");
	post(&world, "/ci/build_list", TOKENS(&world));
	post(&world, "/api/set-pin-api", TOKEN(&world), "device_id", "27", "pin", "9876");
	log = world_log(&world);
	assert_null(strstr(log, world.token));
	assert_null(strstr(log, world.application));
	assert_null(strstr(log, world.version));
	assert_null(strstr(log, "9876"));
	assert_null(strstr(log, "\"sandbox\""));
	assert_non_null(strstr(log, "tester@example.com"));
	for (line = log; *line != '\0'; line = strchr(line, '\n') + 1, lines++) {
		GR_AUTO_JSON json_t *json = json_loadb(line, strcspn(line, "\n"), 0, NULL);

		assert_int_equal(json_integer_value(json_object_get(json, "n")), lines + 1);
		assert_string_equal(json_string_value(json_object_get(json, "method")), "POST");
		assert_int_equal(json_integer_value(json_object_get(json, "status")), 200);
	}
	assert_int_equal(lines, 4);
	world_close(&world);
}

static void it_says_whether_the_token_was_right(void **state)
{
	struct world world;
	GR_AUTO_FREE char *log = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/user/list", "user_token", "wrong");
	post(&world, "/api/user/list", TOKEN(&world));
	post(&world, "/api/user/list", "x", "y");
	log = world_log(&world);
	assert_non_null(strstr(log, "\"token_ok\":false"));
	assert_non_null(strstr(log, "\"token_ok\":true"));
	assert_non_null(strstr(log, "\"token_ok\":null"));
	world_close(&world);
}

static int set_up(void **state)
{
	(void)state;
	gr_memory_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_serves_from_another_process),
	        cmocka_unit_test(it_outlives_the_terminals_signals),
	        cmocka_unit_test(it_brings_the_childs_error_home),
	        cmocka_unit_test(it_masks_secrets_in_its_log),
	        cmocka_unit_test(it_says_whether_the_token_was_right),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

#include "tests/bench/lanes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NUMBER_FIRST 1000
#define ROOM_BYTES 256 /* a test or a build takes less */

struct answer {
	char *text;
	size_t bytes, room;
};

static void add(struct answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct answer *answer, const char *format, ...)
{
	va_list args;
	int n;

	if (answer->room - answer->bytes < 2 * ROOM_BYTES) {
		answer->room = answer->room * 2 + 4 * ROOM_BYTES;
		answer->text = realloc(answer->text, answer->room);
		if (!answer->text)
			abort();
	}
	va_start(args, format);
	n = vsnprintf(answer->text + answer->bytes, answer->room - answer->bytes, format, args);
	va_end(args);
	answer->bytes += n > 0 ? (size_t)n : 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A field of a multipart form. */
static void take_field(const char *form, const char *name, char value[static 64])
{
	char wanted[64];
	const char *at, *end;

	value[0] = '\0';
	(void)snprintf(wanted, sizeof(wanted), "name=\"%s\"", name);
	at = strstr(form, wanted);
	at = at ? strstr(at, "\r\n\r\n") : NULL;
	end = at ? strstr(at + 4, "\r\n") : NULL;
	if (end && end - at - 4 < 64)
		(void)snprintf(value, 64, "%.*s", (int)(end - at - 4), at + 4);
}

static void start(struct lanes *lanes, const char *form, struct answer *answer)
{
	struct lane_run *run;

	lanes->runs = realloc(lanes->runs, (lanes->count + 1) * sizeof(*lanes->runs));
	if (!lanes->runs)
		abort();
	run = &lanes->runs[lanes->count++];
	*run = (struct lane_run){.start_ms = now_ms()};
	take_field(form, "s_device", run->device);
	add(answer, "{\"status\":true,\"msg\":\"started\",\"build_id\":%zu,\"build_version\":%zu}",
	        lanes->count + 500000, lanes->count + NUMBER_FIRST);
}

static void list(const struct lanes *lanes, struct answer *answer)
{
	add(answer, "{\"status\":1,\"msg\":\"List of builds\",\"build_list\":[");
	for (size_t i = 0; i < lanes->count; i++)
		add(answer, "%s{\"build_number\":\"%zu\",\"created\":\"2025-03-21 10:14:46\"}", i ? "," : "",
		        i + 1 + NUMBER_FIRST);
	add(answer, "]}");
}

static void note_poll(struct lanes *lanes, struct lane_run *run)
{
	int64_t now = now_ms(), late = now - run->asked_ms - lanes->every_ms - lanes->every_ms / 10;

	if (run->asked_ms && late > lanes->late_ms)
		lanes->late_ms = late;
	run->asked_ms = now;
}

static void describe(struct lanes *lanes, const char *form, struct answer *answer)
{
	char number[64];
	struct lane_run *run;
	uint64_t over;
	size_t index;

	take_field(form, "build_number", number);
	index = (size_t)strtoull(number, NULL, 10) - NUMBER_FIRST - 1;
	if (index >= lanes->count) {
		add(answer, "{\"status\":0,\"msg\":\"no such build\"}");
		return;
	}
	run = &lanes->runs[index];
	note_poll(lanes, run);
	over = (uint64_t)(run->asked_ms - run->start_ms) * lanes->tests / (uint64_t)lanes->run_ms;
	over = over < lanes->tests ? over : lanes->tests;
	add(answer,
	        "{\"status\":1,\"msg\":\"execution detail of build\",\"is_build_completed_in_all_devices\":\"%d\","
	        "\"build_number\":\"%s\",\"build_url\":\"http://127.0.0.1/build/apps/%zu\",\"build_devices\":[{",
	        over == lanes->tests, number, index + 1 + 500000);
	add(answer,
	        "\"build_test_id\":\"%zu\",\"device_id\":\"%s\",\"no_of_not_started\":\"%" PRIu64
	        "\",\"no_of_started\":\"0\",\"no_of_pass\":\"%" PRIu64
	        "\",\"no_of_fail\":\"0\",\"no_of_stopped\":\"0\","
	        "\"no_of_skipped\":\"0\",\"is_completed\":%d,\"test_cases\":[",
	        index + 1 + 510000, run->device, lanes->tests - over, over, over == lanes->tests ? 3 : 1);
	for (unsigned i = 0; i < lanes->tests; i++)
		add(answer,
		        "%s{\"build_module_id\":\"12\",\"test_case_name\":\"Case %u\",\"is_network_assert\":\"0\","
		        "\"parameterised_test_data\":\"\",\"test_status\":\"%d\",\"failed_reason\":\"\"}",
		        i ? "," : "", i, i < over ? 2 : 0);
	add(answer, "]}]}");
}

char *lanes_answer(struct lanes *lanes, const char *path, const char *form, size_t *ret_bytes)
{
	struct answer answer = {0};

	if (lanes->tests == 0)
		return NULL;
	if (strcmp(path, "/ci/app_build_run") == 0)
		start(lanes, form, &answer);
	else if (strcmp(path, "/ci/execution_detail") == 0)
		describe(lanes, form, &answer);
	else if (strcmp(path, "/ci/build_list") == 0)
		list(lanes, &answer);
	*ret_bytes = answer.bytes;
	return answer.text;
}

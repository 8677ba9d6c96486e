/* Bodies as clients send them, right and wrong, and parts of files as they ask for them. */
#include "tests/unit/sandbox/client.h"

#define EDGE "multipart/form-data; boundary=edge"
#define PART(head) "--edge\r\nContent-Disposition: form-data; name=\"" head "\r\n\r\n"

static void post_body(struct world *world, const char *type, const char *body, size_t bytes)
{
	struct buffer request = {0};

	buffer_printf(&request,
	        "POST /api/get-user-devices HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %zu\r\n"
	        "Content-Type: %s\r\n\r\n",
	        bytes, type);
	buffer_add(&request, body, bytes);
	client_send(world, &request, 20000);
	buffer_release(&request);
}

/* The last call's violations must say that; NULL: there must be none. */
static void expect_violation(const struct world *world, const char *words)
{
	GR_AUTO_FREE char *log = world_log(world);
	const char *line = log;

	for (const char *next = line; *next != '\0'; next = strchr(next, '\n') + 1)
		line = next;
	if (words == NULL ? strstr(line, "\"violations\":[]") == NULL : strstr(line, words) == NULL)
		fail_msg("not '%s': %s", words != NULL ? words : "[]", line);
}

static void it_says_what_is_wrong_with_a_body(void **state)
{
	static const struct {
		const char *type, *body, *words;
	} rows[] = {
	        {EDGE, PART("user_token\"") "x\r\n--edge--\r\n", NULL},
	        {EDGE, PART("user_token\"") "\xff\r\n--edge--\r\n", "'user_token' is not UTF-8"},
	        {EDGE, PART("user_token\"") "x\r\n" PART("user_token\"") "y\r\n--edge--\r\n",
	                "'user_token' is given twice"},
	        {EDGE, PART("f\"; filename=\"a.apk\"") "PK\r\n--edge--\r\n", "the file 'f' has no Content-Type"},
	        {EDGE, PART("user_token\"") "x", "the form"},
	        {"application/x-www-form-urlencoded", "user_token=x&user_token=y", "'user_token' is given twice"},
	        {"application/x-www-form-urlencoded", "user_token=x", NULL},
	};
	struct world world;

	(void)state;
	world_open(&world, "file_type: needed", FROZEN);
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		post_body(&world, rows[i].type, rows[i].body, strlen(rows[i].body));
		expect_violation(&world, rows[i].words);
	}
	world_close(&world);
}

static void it_keeps_a_limit_on_values_and_none_on_files(void **state)
{
	struct buffer body = {0};
	GR_AUTO_FREE char *many = gr_alloc((2 << 20) + 1, 1);
	struct world world;

	(void)state;
	memset(many, 'x', 2 << 20);
	world_open(&world, NULL, FROZEN);
	buffer_printf(&body, PART("user_token\"") "%s\r\n--edge--\r\n", many);
	post_body(&world, EDGE, buffer_text(&body), body.bytes);
	expect_violation(&world, "'user_token' is too long");
	buffer_clear(&body);
	buffer_printf(&body, PART("f\"; filename=\"a\"") "%s\r\n--edge--\r\n", many);
	post_body(&world, EDGE, buffer_text(&body), body.bytes);
	{
		GR_AUTO_FREE char *log = world_log(&world);

		assert_non_null(strstr(log, "\"bytes\":2097152"));
	}
	buffer_release(&body);
	world_close(&world);
}

static void get_range(struct world *world, const char *path, const char *headers)
{
	struct buffer request = {0};

	buffer_printf(&request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n", path, headers);
	client_send(world, &request, 20000);
	buffer_release(&request);
}

static const char *body_of(const struct world *world)
{
	return strstr(buffer_text(&world->raw), "\r\n\r\n") + 4;
}

/* What the headers bring: a status, and the body from `start` on. */
static void expect_range(struct world *world, const char *path, const char *headers, int status, const char *wanted)
{
	get_range(world, path, headers);
	assert_int_equal(world->status, status);
	assert_string_equal(body_of(world), wanted);
}

static void it_gives_the_rest_of_a_file_that_is_still_the_same(void **state)
{
	struct world world;
	GR_AUTO_FREE char *path = NULL, *whole = NULL, *tag = NULL, *same = NULL, *place = NULL;
	const char *at;

	(void)state;
	world_open(&world, NULL, FAST);
	post(&world, "/api/run-native-test-ios", TOKEN(&world), "build_name", "n", "app_id", "224", "device_id", "29",
	        "file@ui.zip", "PK", "version_id", "482");
	post(&world, "/api/get-native-test-result", TOKEN(&world), "native_test_build_id", "71");
	path = gr_strdup(strstr(dig_text(&world, "data.0.log_path"), "/process/"));
	get(&world, path);
	whole = gr_strdup(body_of(&world));
	at = strstr(world.raw.data, "ETag: ");
	assert_non_null(at);
	tag = gr_strndup(at + 6, strcspn(at + 6, "\r"));
	same = gr_printf("Range: bytes=10-\r\nIf-Range: %s\r\n", tag);
	expect_range(&world, path, same, 206, whole + 10);
	place = gr_printf("Content-Range: bytes 10-%zu/%zu\r\n", strlen(whole) - 1, strlen(whole));
	assert_non_null(strstr(world.raw.data, place));
	expect_range(&world, path, "Range: bytes=10-\r\n", 206, whole + 10);
	expect_range(&world, path, "Range: bytes=10-\r\nIf-Range: \"other\"\r\n", 200, whole);
	expect_range(&world, path, "Range: bytes=10-20\r\n", 200, whole);
	expect_range(&world, path, "Range: bytes=-20\r\n", 200, whole);
	expect_range(&world, path, "Range: bytes=--5-\r\n", 200, whole);
	expect_range(&world, path, "Range: lines=1-\r\n", 200, whole);
	expect_range(&world, path, "Range: bytes=99999999-\r\n", 416, "");
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
	        cmocka_unit_test(it_says_what_is_wrong_with_a_body),
	        cmocka_unit_test(it_keeps_a_limit_on_values_and_none_on_files),
	        cmocka_unit_test(it_gives_the_rest_of_a_file_that_is_still_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

/* What the tests of transfers share: a loop, a scripted server, and one exchange with it. */
#ifndef GRIDLANE_TESTS_TRANSFER_PROBE_H
#define GRIDLANE_TESTS_TRANSFER_PROBE_H

#include "runner/net/transfer.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "tests/unit/net/scripted_server.h"

struct probe {
	struct loop *loop;
	struct scripted_server *server;
	struct transfer_settings settings;
	struct transfer *transfer, *victim;
	struct transfer_result result; /* body: ours */
	unsigned done;
	char path[64];
	struct buffer trace;
};

static inline int set_up(void **state)
{
	struct probe *probe = gr_alloc(1, sizeof(*probe));
	struct gr_error err = {0};
	int fd;

	assert_int_equal(loop_new(4, &probe->loop, &err), 0);
	(void)snprintf(probe->path, sizeof(probe->path), "/tmp/gridlane-test-XXXXXX");
	fd = mkstemp(probe->path);
	assert_true(fd >= 0);
	(void)close(fd);
	*state = probe;
	return 0;
}

static inline int tear_down(void **state)
{
	struct probe *probe = *state;

	loop_free(probe->loop);
	if (probe->server)
		server_stop(probe->server);
	buffer_release(&probe->result.body);
	buffer_release(&probe->trace);
	(void)unlink(probe->path);
	gr_free(probe);
	return 0;
}

static inline void on_done(void *context, struct transfer_result *result)
{
	struct probe *probe = context;

	buffer_release(&probe->result.body);
	probe->result = *result;
	result->body = (struct buffer){0};
	probe->transfer = NULL;
	probe->done++;
}

static const struct transfer_field token_field[] = {
        {"user_token", "sekret", false}, {"name", "a b&c=\"d\"\r\n", false}};

static inline struct transfer_request request_of(unsigned flags)
{
	struct transfer_request request = {
	        .flags = flags, .answer_ms = 20000, .body_most_bytes = 1 << 20, .sink_fd = -1};

	if (flags & TRANSFER_POST) {
		request.fields = token_field;
		request.field_count = GR_COUNT(token_field);
	}
	return request;
}

static inline int start(struct probe *probe, const struct transfer_request *wanted, struct gr_error *err)
{
	struct transfer_request request = *wanted;
	GR_AUTO_FREE char *url =
	        gr_printf("http://127.0.0.1:%u/path?query=sekret", probe->server ? probe->server->port : 1);

	if (!request.url)
		request.url = url;
	request.on_done = on_done;
	request.context = probe;
	return transfer_start(probe->loop, &probe->settings, &request, &probe->transfer, err);
}

static inline void run(struct probe *probe)
{
	struct gr_error err = {0};

	if (loop_run(probe->loop, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(strstr(probe->result.error.text, "sekret"));
}

static inline const struct transfer_result *exchange(struct probe *probe, const struct transfer_request *request)
{
	struct gr_error err = {0};
	unsigned before = probe->done;

	if (start(probe, request, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(probe->done, before); /* never inside of the start */
	run(probe);
	assert_int_equal(probe->done, before + 1);
	return &probe->result;
}

static inline const struct transfer_result *do_once(struct probe *probe, unsigned flags)
{
	struct transfer_request request = request_of(flags);

	return exchange(probe, &request);
}

static inline void serve(struct probe *probe, const struct act *const *scripts)
{
	if (probe->server)
		server_stop(probe->server);
	probe->server = server_start(scripts);
}

#define SERVE(probe, ...)                                                                                              \
	const struct act script_[] = {__VA_ARGS__, {END, NULL, NULL, NULL}};                                           \
	const struct act *const scripts_[] = {script_, NULL};                                                          \
	serve(probe, scripts_)
#define DO(kind)                                                                                                       \
	{                                                                                                              \
		kind, NULL, NULL, NULL                                                                                 \
	}
#define SAY(kind, text)                                                                                                \
	{                                                                                                              \
		kind, text, NULL, NULL                                                                                 \
	}
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static const struct act answer[] = {{ANSWER, OK_ANSWER, NULL, NULL}, {END, NULL, NULL, NULL}};

static inline void write_file(const char *path, const char *text, size_t times)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	while (times--)
		assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static inline int group_set_up(void **state)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	        "GRIDLANE_CA_BUNDLE", "SSL_CERT_FILE"};
	struct gr_error err = {0};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(names); i++)
		(void)unsetenv(names[i]);
	(void)setenv("SSLKEYLOGFILE", "/tmp/never", 1);
	assert_int_equal(transfer_init(&err), 0);
	assert_null(getenv("SSLKEYLOGFILE"));
	return text_has_prefix(transfer_library_version(), "libcurl/") ? 0 : -1;
}

static inline int group_tear_down(void **state)
{
	(void)state;
	transfer_finish();
	return 0;
}

#define TRANSFER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

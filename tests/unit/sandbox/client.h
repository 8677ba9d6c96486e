/* A small HTTP client for the tests of the sandbox, and the world they start. */
#ifndef GRIDLANE_TESTS_SANDBOX_CLIENT_H
#define GRIDLANE_TESTS_SANDBOX_CLIENT_H

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "runner/base/buffer.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "sandbox/sandbox.h"

struct world {
	struct sandbox *sandbox;
	unsigned short port;
	char token[64], folder[64], scenario[96], log[96];
	char *application, *version; /* tokens of Shop */
	struct buffer raw; /* the last answer as received */
	int status; /* of the last answer, 0: none */
	json_t *json; /* its body, or NULL */
};

static inline void world_open(struct world *world, const char *yaml, double time_scale)
{
	struct sandbox_options options = {.time_scale = time_scale};
	struct gr_error err = {0};

	memset(world, 0, sizeof(*world));
	strncpy(world->folder, "/tmp/gridlane-sandbox-XXXXXX", sizeof(world->folder) - 1);
	assert_non_null(mkdtemp(world->folder));
	(void)snprintf(world->log, sizeof(world->log), "%s/log", world->folder);
	(void)snprintf(world->scenario, sizeof(world->scenario), "%s/scenario.yml", world->folder);
	if (yaml != NULL) {
		FILE *file = fopen(world->scenario, "w");

		assert_non_null(file);
		assert_true(fputs(yaml, file) >= 0);
		assert_int_equal(fclose(file), 0);
		options.scenario_file = world->scenario;
	}
	options.log_file = world->log;
	if (sandbox_start(&options, &world->sandbox, &err) != 0)
		fail_msg("%s", err.text);
	world->port = sandbox_port(world->sandbox);
	strncpy(world->token, sandbox_token(world->sandbox), sizeof(world->token) - 1);
}

static inline void world_close(struct world *world)
{
	sandbox_stop(world->sandbox);
	(void)unlink(world->log);
	(void)unlink(world->scenario);
	(void)rmdir(world->folder);
	gr_free(world->application);
	gr_free(world->version);
	buffer_release(&world->raw);
	json_decref(world->json);
	memset(world, 0, sizeof(*world));
}

/* A request has gone; what comes until the end, or until nothing comes for `wait_ms`. */
static inline void client_receive(struct world *world, int fd, int wait_ms)
{
	struct timeval limit = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	const char *body = NULL;
	char piece[4096];
	ssize_t n;
	int64_t status = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		buffer_add(&world->raw, piece, (size_t)n);
	(void)close(fd);
	if (world->raw.bytes < 12)
		return;
	{
		GR_AUTO_FREE char *digits = gr_strndup(world->raw.data + 9, 3);

		assert_true(number_parse_int(digits, &status));
	}
	world->status = (int)status;
	body = strstr(world->raw.data, "\r\n\r\n");
	if (body != NULL)
		world->json = json_loadb(body + 4, world->raw.bytes - (size_t)(body + 4 - world->raw.data), 0, NULL);
}

static inline void client_send(struct world *world, const struct buffer *request, int wait_ms)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(world->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t done = 0;

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	buffer_clear(&world->raw);
	json_decref(world->json);
	world->json = NULL;
	world->status = 0;
	while (done < request->bytes) {
		ssize_t n = send(fd, request->data + done, request->bytes - done, MSG_NOSIGNAL);

		assert_true(n > 0);
		done += (size_t)n;
	}
	client_receive(world, fd, wait_ms);
}

static inline void get(struct world *world, const char *path)
{
	struct buffer request = {0};

	buffer_printf(&request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
	client_send(world, &request, 20000);
	buffer_release(&request);
}

/* fields: "name", "value" pairs, ended by NULL; "name@file.apk" makes the value a file. The token is put in by itself.
 */
static inline void post_for(struct world *world, int wait_ms, const char *path, const char *const *fields)
{
	struct buffer request = {0}, body = {0};

	for (; fields[0] != NULL; fields += 2) {
		const char *at = strchr(fields[0], '@');
		int name = at != NULL ? (int)(at - fields[0]) : (int)strlen(fields[0]);

		buffer_printf(&body, "--edge\r\nContent-Disposition: form-data; name=\"%.*s\"", name, fields[0]);
		if (at != NULL)
			buffer_printf(&body, "; filename=\"%s\"\r\nContent-Type: application/octet-stream", at + 1);
		buffer_printf(&body, "\r\n\r\n%s\r\n", fields[1]);
	}
	buffer_add_text(&body, "--edge--\r\n");
	buffer_printf(&request,
	        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %zu\r\n"
	        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n",
	        path, body.bytes);
	buffer_add(&request, body.data, body.bytes);
	client_send(world, &request, wait_ms);
	buffer_release(&request);
	buffer_release(&body);
}

#define post(world, path, ...) post_for(world, 20000, path, (const char *const[]){__VA_ARGS__, NULL})
#define TOKEN(world) "user_token", (world)->token
#define TOKENS(world)                                                                                                  \
	"user_token", (world)->token, "application_token", (world)->application, "version_token", (world)->version

/* A member of the last answer by its path, "build_devices.0.is_completed"; NULL when it is not there. */
static inline json_t *dig(const struct world *world, const char *path)
{
	json_t *value = world->json;

	while (value != NULL && *path != '\0') {
		size_t bytes = strcspn(path, ".");
		GR_AUTO_FREE char *part = gr_strndup(path, bytes);
		int64_t index = 0;

		if (json_is_array(value) && number_parse_int(part, &index))
			value = json_array_get(value, (size_t)index);
		else
			value = json_object_get(value, part);
		path += bytes + (path[bytes] == '.');
	}
	return value;
}

static inline const char *dig_text(const struct world *world, const char *path)
{
	const char *text = json_string_value(dig(world, path));

	if (text == NULL)
		fail_msg("no text at %s in %s", path, buffer_text(&world->raw));
	return text;
}

/* What a flag says: 1 yes, 0 no, -1 nothing. */
static inline int flag(const struct world *world, const char *key)
{
	const json_t *value = json_object_get(world->json, key);
	const char *text = json_string_value(value);

	if (text != NULL)
		return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	return value == NULL ? -1 : json_is_true(value) || json_integer_value(value) == 1;
}

static inline void assert_refused(const struct world *world, const char *words)
{
	int status = flag(world, "status"), success = flag(world, "success");

	if (status == 1 || success == 1 || (status < 0 && success < 0) || strstr(world->raw.data, words) == NULL)
		fail_msg("not refused with '%s': %s", words, buffer_text(&world->raw));
}

static inline void assert_accepted(const struct world *world)
{
	if (flag(world, "status") != 1 && flag(world, "success") != 1)
		fail_msg("not accepted: %s", buffer_text(&world->raw));
}

/* Find Shop's tokens, as a client would. */
static inline void world_sign_in(struct world *world)
{
	post(world, "/api/user/build/481/", TOKEN(world));
	assert_accepted(world);
	world->application = gr_strdup(dig_text(world, "data.application_token"));
	world->version = gr_strdup(dig_text(world, "data.version_token"));
}

/* Upload an .apk; its app_build_id, the caller's. */
static inline char *world_upload(struct world *world)
{
	post(world, "/ci/upload_app_build", TOKENS(world), "upload_file@app.apk", "PK", "build_name", "nightly");
	assert_accepted(world);
	if (json_is_integer(dig(world, "app_build_id")))
		return gr_printf("%d", (int)json_integer_value(dig(world, "app_build_id")));
	return gr_strdup(dig_text(world, "app_build_id"));
}

/* Start a module on a device; the answer is left to look at. */
static inline void world_run(struct world *world, const char *module, const char *s_device, const char *build)
{
	post(world, "/ci/app_build_run", TOKENS(world), "version_module_id", module, "s_device", s_device,
	        "process_type", "oaa", "app_build_id", build);
}

static inline void world_details(struct world *world, const char *number)
{
	post(world, "/ci/execution_detail", TOKEN(world), "application_token", world->application, "build_number",
	        number);
}

/* The log so far, the caller's. */
static inline char *world_log(const struct world *world)
{
	struct buffer text = {0};
	struct gr_error err = {0};

	assert_int_equal(file_read(world->log, 1 << 24, GR_DISK, &text, &err), 0);
	return buffer_take(&text);
}

/* Emulated seconds a real second: one where nothing moves during a test, one where all is over at the next request. */
#define FROZEN 0.0001
#define FAST 100000000.0

#endif

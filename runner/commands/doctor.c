/* gridlane doctor: is everything there that a run needs? One line a look; nothing on the server is changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/ci.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/commands/online.h"
#include "runner/net/loop.h"
#include "runner/net/transfer.h"

#define SKEW_MOST_MS ((int64_t)60 * 1000) /* reservations are made with wall-clock times */
#define ANSWER_MS ((int64_t)15 * 1000)

struct visit {
	struct online *online;
	struct loop *loop;
	char *url;
	int failures;
	bool is_reached;
};

static void say(struct visit *visit, const char *mark, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct visit *visit, const char *mark, const char *format, ...)
{
	va_list args;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *clean = NULL;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	clean = redactor_text(visit->online->redactor, text);
	printf("%-5s %s\n", mark, clean);
	visit->failures += strcmp(mark, "BAD") == 0;
}

/* ---- the server ---- */

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0';
}

/* The sandbox's address, or the environment's. */
static bool find_url(struct visit *visit)
{
	const char *url = visit->online->has_sandbox ? visit->online->sandbox.url : getenv("TESTGRID_URL");
	struct gr_error err = {0};

	if (url == NULL || *url == '\0')
		say(visit, "BAD",
		        "TESTGRID_URL is not set: export TESTGRID_URL=https://HOST, the address of your TestGrid; "
		        "or try `gridlane doctor --sandbox`");
	else if (url_base(url, false, &visit->url, &err) < 0)
		say(visit, "BAD", "TESTGRID_URL: %s", err.text);
	else
		say(visit, "ok", "the server is %s", visit->url);
	return visit->url != NULL;
}

static void say_clock(struct visit *visit, int64_t server_ms)
{
	int64_t skew_ms = clock_wall_ms() - server_ms;
	int64_t size_ms = skew_ms < 0 ? -skew_ms : skew_ms;
	char text[32];

	if (server_ms < 0)
		say(visit, "note", "the server does not say what time it is");
	else if (size_ms > SKEW_MOST_MS)
		say(visit, "BAD",
		        "this machine's clock is %s %s the server's: set it, or reservations will lie in the %s",
		        number_format_duration(size_ms / 1000 * 1000, text), skew_ms > 0 ? "ahead of" : "behind",
		        skew_ms > 0 ? "future" : "past");
	else
		say(visit, "ok", "the clocks agree to a minute");
}

static void on_answer(void *context, struct transfer_result *result)
{
	struct visit *visit = context;

	visit->is_reached = result->status != 0;
	if (visit->is_reached) {
		say(visit, "ok", "it answers (HTTP %ld, after %lld ms)", result->status, (long long)result->elapsed_ms);
		say_clock(visit, result->server_date_ms);
	} else {
		say(visit, "BAD", "it cannot be reached: %s", result->error.text);
	}
	loop_stop(visit->loop);
}

/* A plain GET of the address: name, connection, TLS; any answer will do. */
static void reach(struct visit *visit)
{
	const struct transfer_settings settings = {.base_url = visit->url};
	const struct transfer_request request = {
	        .url = visit->url, .answer_ms = ANSWER_MS, .sink_fd = -1, .on_done = on_answer, .context = visit};
	struct transfer *transfer = NULL;
	struct gr_error err = {0};

	if (loop_new(1, &visit->loop, &err) < 0 ||
	        transfer_start(visit->loop, &settings, &request, &transfer, &err) < 0 ||
	        loop_run(visit->loop, &err) < 0)
		say(visit, "BAD", "it cannot be reached: %s", err.text);
	loop_free(visit->loop);
	visit->loop = NULL;
}

static void check_token(struct visit *visit)
{
	GR_AUTO_JSON json_t *arguments = json_object();
	GR_AUTO_JSON json_t *answer = NULL;
	struct gr_error err = {0};

	if (!visit->online->has_sandbox && !is_set("TESTGRID_TOKEN") &&
	        !(is_set("TESTGRID_EMAIL") && is_set("TESTGRID_PASSWORD")))
		say(visit, "BAD",
		        "TESTGRID_TOKEN is not set: make a token in the web page of your TestGrid, and keep it as a "
		        "secret "
		        "of the CI");
	else if (!visit->is_reached)
		say(visit, "note", "the token was not tried");
	else if (online_call(visit->online, OP_GET_DEVICE_LIST, arguments, &answer, &err) < 0)
		say(visit, "BAD", "the list of devices could not be read: %s", err.text);
	else
		say(visit, "ok", "the token is good: the list of devices was read");
}

/* ---- this machine ---- */

static void check_proxies(struct visit *visit)
{
	static const char *const names[] = {
	        "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};
	bool is_any = false;

	for (size_t i = 0; i < GR_COUNT(names); i++) {
		const char *value = getenv(names[i]);
		const char *at = value != NULL ? strrchr(value, '@') : NULL; /* before it may stand a password */

		if (value == NULL || *value == '\0')
			continue;
		say(visit, "note", "%s is set: %s%s", names[i], at != NULL ? "***" : "", at != NULL ? at : value);
		is_any = true;
	}
	if (!is_any)
		say(visit, "ok", "no proxy is set");
}

static void check_ci(struct visit *visit)
{
	struct ci ci;

	ci_detect_here(&ci);
	if (ci.provider == NULL)
		say(visit, "note", "this is no CI system that gridlane knows");
	else
		say(visit, "ok", "this is %s%s%s%s%s", ci.provider, ci.branch != NULL ? ", branch " : "",
		        ci.branch != NULL ? ci.branch : "", ci.build_url != NULL ? ", " : "",
		        ci.build_url != NULL ? ci.build_url : "");
	ci_release(&ci);
}

static void check_folder(struct visit *visit)
{
	const char *folder = access("gridlane-out", F_OK) == 0 ? "gridlane-out" : ".";

	if (access(folder, W_OK | X_OK) != 0)
		say(visit, "BAD",
		        "the output folder cannot be written: %s/ is not writable; give another one with --out DIR",
		        folder);
	else
		say(visit, "ok", "the output folder gridlane-out/ can be written");
}

static int finish(const struct visit *visit)
{
	if (visit->failures == 0) {
		printf("\nall is well; next: gridlane validate PIPELINE\n");
		return 0;
	}
	printf("\n%d thing%s to mend\n", visit->failures, visit->failures == 1 ? "" : "s");
	return failure_exit_status(GR_NETWORK);
}

int command_doctor(const struct arguments *arguments)
{
	struct online online;
	struct visit visit = {.online = &online};
	struct gr_error err = {0};
	int status;

	if (online_init(&online, arguments, &err) < 0) {
		status = complain(&err);
	} else {
		if (is_set("TESTGRID_TOKEN"))
			(void)redactor_add(online.redactor, getenv("TESTGRID_TOKEN"));
		if (find_url(&visit))
			reach(&visit);
		check_token(&visit);
		check_proxies(&visit);
		check_ci(&visit);
		check_folder(&visit);
		status = finish(&visit);
	}
	gr_free(visit.url);
	online_release(&online);
	return status;
}

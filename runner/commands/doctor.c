/* gridlane doctor: is everything there that a run needs? One line a look; nothing on the server is changed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/plan.h"
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
	struct plan *plan; /* of the pipeline whose server is looked at, or NULL: the environment's */
	char *ca_file, *client_cert, *client_key, *proxy; /* of it */
	char *token; /* of the environment, which is wiped once it is read; or NULL */
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

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0';
}

/* ---- what the pipeline says of its server ---- */

/* A text of `server:`, else the variable's, else NULL. The caller's. */
static char *setting(struct visit *visit, const struct node *node, const char *variable)
{
	GR_AUTO_JSON json_t *value = NULL;
	struct gr_error err = {0};

	if (node == NULL)
		return variable != NULL && is_set(variable) ? gr_strdup(getenv(variable)) : NULL;
	assert(visit->plan != NULL); /* whose node it is */
	if (node_evaluate(node, visit->plan->early, &value, &err) < 0)
		say(visit, "BAD", "%s:%u: `server` cannot be read: %s", visit->plan->file, node->line, err.text);
	return json_is_string(value) ? gr_strdup(json_string_value(value)) : NULL;
}

/* false: there is a pipeline, and it is wrong; its mistakes are printed. */
static bool read_pipeline(struct visit *visit, const struct arguments *arguments)
{
	const struct plan_options options = {.inputs_are_optional = true, .allow_outside = true};
	struct diagnostics diagnostics = {0};
	GR_AUTO_BUFFER struct buffer text = {0};
	struct gr_error err = {0};
	int r;

	if (arguments->word_count == 0)
		return true;
	r = plan_load(arguments->words[0], &options, &visit->plan, &diagnostics, &err);
	if (r < 0) {
		diagnostics_print_text(&diagnostics, &text);
		(void)fputs(buffer_text(&text), stdout);
		say(visit, "BAD", "'%s' has mistakes", arguments->words[0]);
	} else {
		say(visit, "ok", "'%s' is well formed", arguments->words[0]);
		visit->online->options.server_of = visit->plan;
	}
	diagnostics_release(&diagnostics);
	return r == 0;
}

/* As a run would take them, so that what is said here holds for it. The sandbox needs none. */
static void read_tls(struct visit *visit)
{
	static const struct plan_server none;
	const struct plan_server *server = visit->plan != NULL ? &visit->plan->server : &none;

	if (visit->online->has_sandbox)
		return;
	visit->ca_file = setting(visit, server->ca_file, "GRIDLANE_CA_BUNDLE");
	if (visit->ca_file == NULL)
		visit->ca_file = setting(visit, NULL, "SSL_CERT_FILE");
	visit->client_cert = setting(visit, server->client_cert, "GRIDLANE_CLIENT_CERT");
	visit->client_key = setting(visit, server->client_key, "GRIDLANE_CLIENT_KEY");
	visit->proxy = setting(visit, server->proxy, NULL);
	if (visit->ca_file != NULL)
		say(visit, access(visit->ca_file, R_OK) == 0 ? "ok" : "BAD", "certificates of '%s' are trusted%s",
		        visit->ca_file, access(visit->ca_file, R_OK) == 0 ? "" : ", but it cannot be read");
}

/* ---- the server ---- */

/* The sandbox's address, the pipeline's, or the environment's. */
static bool find_url(struct visit *visit)
{
	const struct node *node = visit->plan != NULL ? visit->plan->server.url : NULL;
	GR_AUTO_FREE char *url = visit->online->has_sandbox ? gr_strdup(visit->online->sandbox.url)
	                                                    : setting(visit, node, "TESTGRID_URL");
	const char *source = node != NULL ? "server.url" : "TESTGRID_URL";
	bool may_be_http = visit->plan != NULL && visit->plan->server.insecure_http;
	struct gr_error err = {0};

	if (url == NULL || *url == '\0')
		say(visit, "BAD",
		        "%s is not set: export TESTGRID_URL=https://HOST, the address of your TestGrid; "
		        "or try `gridlane doctor --sandbox`",
		        source);
	else if (url_base(url, may_be_http, &visit->url, &err) < 0)
		say(visit, "BAD", "%s: %s", source, err.text);
	else
		say(visit, "ok", "the server is %s", visit->url);
	return visit->url != NULL;
}

static void say_clock(struct visit *visit, int64_t server_ms)
{
	int64_t skew_ms = clock_wall_ms() - server_ms;
	int64_t size_ms = skew_ms < 0 ? -skew_ms : skew_ms;
	char text[CLOCK_TEXT_BYTES];

	if (server_ms < 0)
		say(visit, "note", "the server does not say what time it is");
	else if (size_ms > SKEW_MOST_MS)
		say(visit, "BAD",
		        "this machine's clock is %s %s the server's: set it, or reservations will lie in the %s",
		        clock_format_span(size_ms / 1000 * 1000, text), skew_ms > 0 ? "ahead of" : "behind",
		        skew_ms > 0 ? "future" : "past");
	else
		say(visit, "ok", "the clocks agree to a minute");
}

static const char *const proxy_names[] = {
        "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};
#define PROXIES (GR_COUNT(proxy_names) - 2) /* the last two name hosts that need none */

static bool has_proxy(const struct visit *visit)
{
	for (size_t i = 0; i < PROXIES; i++)
		if (is_set(proxy_names[i]))
			return true;
	return visit->proxy != NULL && *visit->proxy != '\0';
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
		if (has_proxy(visit))
			say(visit, "note",
			        "a proxy is set: it may be what cannot be reached, or what does not let through");
	}
	loop_stop(visit->loop);
}

/* A plain GET of the address: name, connection, TLS; any answer will do. */
static void reach(struct visit *visit)
{
	const struct transfer_settings settings = {.base_url = visit->url,
	        .ca_file = visit->ca_file,
	        .client_cert = visit->client_cert,
	        .client_key = visit->client_key,
	        .proxy = visit->online->has_sandbox ? "" : visit->proxy,
	        .insecure_http = visit->plan != NULL && visit->plan->server.insecure_http};
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

/* One that a pipeline names is tried: the reason why it is not there comes from there. */
static bool has_token(const struct visit *visit)
{
	if (visit->plan != NULL && (visit->plan->server.token != NULL || visit->plan->server.email != NULL))
		return true;
	return visit->online->has_sandbox || is_set("TESTGRID_TOKEN") ||
	       (is_set("TESTGRID_EMAIL") && is_set("TESTGRID_PASSWORD"));
}

/* What is not the token's own: from a file or a web page it is easily copied with it. */
static bool has_odd_ends(const char *token)
{
	static const char odd[] = " \t\r\n\"'";

	return token != NULL && *token != '\0' && (strchr(odd, token[0]) || strchr(odd, token[strlen(token) - 1]));
}

/* The server tells the difference in words of its own, when it does. */
static void say_refusal(struct visit *visit, const struct gr_error *err)
{
	say(visit, "BAD", "the list of devices could not be read: %s", err->text);
	if (err->failure == GR_AUTH)
		say(visit, "note",
		        "a token (or password) that is wrong, was revoked, has expired or is of another server: make a "
		        "new one");
	if (err->failure == GR_AUTH && has_odd_ends(visit->token))
		say(visit, "note", "TESTGRID_TOKEN begins or ends with a blank, a line break or a quotation mark");
	if (err->failure != GR_AUTH && err->failure != GR_CONFIG && err->failure != GR_NETWORK)
		say(visit, "note",
		        "is %s the address of TestGrid itself, with the path prefix if it has one, and is the token of "
		        "this server?",
		        visit->url);
}

static void check_token(struct visit *visit)
{
	GR_AUTO_JSON json_t *arguments = json_object();
	GR_AUTO_JSON json_t *answer = NULL;
	struct gr_error err = {0};

	if (!has_token(visit))
		say(visit, "BAD",
		        "TESTGRID_TOKEN is not set: make a token in the web page of your TestGrid, and keep it as a "
		        "secret "
		        "of the CI");
	else if (!visit->is_reached)
		say(visit, "note", "the token was not tried");
	else if (online_call(visit->online, OP_GET_DEVICE_LIST, arguments, &answer, &err) < 0)
		say_refusal(visit, &err);
	else
		say(visit, "ok", "the token is good: the list of devices was read");
}

/* ---- this machine ---- */

static bool say_proxy(struct visit *visit, const char *name, const char *value)
{
	const char *at = value != NULL ? strrchr(value, '@') : NULL; /* before it may stand a password */

	if (value == NULL || *value == '\0')
		return false;
	say(visit, "note", "%s is set: %s%s", name, at != NULL ? "***" : "", at != NULL ? at : value);
	return true;
}

static void check_proxies(struct visit *visit)
{
	bool is_any = say_proxy(visit, "server.proxy", visit->proxy);

	for (size_t i = 0; i < GR_COUNT(proxy_names); i++)
		is_any = say_proxy(visit, proxy_names[i], getenv(proxy_names[i])) || is_any;
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
	GR_AUTO_BUFFER struct buffer next = {0};

	if (visit->plan != NULL)
		buffer_printf(&next, "run %s", visit->plan->file);
	if (visit->failures == 0) {
		printf("\nall is well; next: gridlane %s\n",
		        visit->plan == NULL ? "validate PIPELINE" : buffer_text(&next));
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
		online.options.tries_once = true;
		visit.token = gr_strdup(getenv("TESTGRID_TOKEN"));
		(void)redactor_add(online.redactor, visit.token);
		if (read_pipeline(&visit, arguments)) {
			read_tls(&visit);
			if (find_url(&visit))
				reach(&visit);
			check_token(&visit);
		}
		check_proxies(&visit);
		check_ci(&visit);
		check_folder(&visit);
		status = finish(&visit);
	}
	if (visit.token != NULL)
		explicit_bzero(visit.token, strlen(visit.token));
	gr_free(visit.token);
	gr_free(visit.url);
	gr_free(visit.ca_file);
	gr_free(visit.client_cert);
	gr_free(visit.client_key);
	gr_free(visit.proxy);
	plan_free(visit.plan);
	online_release(&online);
	return status;
}

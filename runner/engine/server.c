/* Which server, with which token: the pipeline's `server:` and `secrets:`, else the environment. Nothing is sent before
 * all of it is known to be there. */
#include "runner/engine/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/credentials.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define SECRET_MOST_BYTES (16 << 10)

extern char **environ;

/* The caller's; NULL when it is not set, or empty. The variable itself is wiped once all are read. */
static char *read_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? gr_strdup(value) : NULL;
}

static int read_secret_file(const char *path, char **ret_secret, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	int r = file_read(path, SECRET_MOST_BYTES, GR_CONFIG, &data, err);

	if (r < 0)
		return r;
	*ret_secret = gr_strndup(buffer_text(&data), strcspn(buffer_text(&data), "\r\n"));
	if (data.data)
		explicit_bzero(data.data, data.bytes);
	return 0;
}

static int fail_without(const struct plan_secret *secret, struct gr_error *err)
{
	if (secret->environment)
		return gr_fail(err, GR_CONFIG, 0, "secret '%s': the variable %s is not set", secret->name,
		        secret->environment);
	return gr_fail(err, GR_CONFIG, 0, "secret '%s': the file '%s' is missing or empty", secret->name, secret->file);
}

void engine_learn_secret_files(const struct plan *plan, struct redactor *redactor)
{
	for (size_t i = 0; i < plan->secret_count; i++) {
		GR_AUTO_FREE char *value = NULL;
		struct gr_error ignored = {0}; /* the run itself says it */

		if (!plan->secrets[i].file || read_secret_file(plan->secrets[i].file, &value, &ignored) < 0)
			continue;
		(void)redactor_add(redactor, value);
		explicit_bzero(value, strlen(value));
	}
}

static int load_secret(struct engine *engine, const struct plan_secret *secret, struct gr_error *err)
{
	GR_AUTO_FREE char *value = NULL;
	GR_AUTO_FREE char *handle = handle_secret(secret->name);
	int r = 0;

	if (secret->environment)
		value = read_variable(secret->environment);
	else
		r = read_secret_file(secret->file, &value, err);
	if (r == 0 && value && *value) {
		vault_put(engine->vault, handle, value);
		explicit_bzero(value, strlen(value));
		return 0;
	}
	if (engine->options->server_url) /* the sandbox has its own token; whoever uses this one is told so */
		return 0;
	err->line = secret->line;
	err->column = secret->column;
	return r < 0 ? gr_context(err, "secret '%s'", secret->name) : fail_without(secret, err);
}

int server_lacks_secret(const struct engine *engine, const char *handle, struct gr_error *err)
{
	for (size_t i = 0; i < engine->plan->secret_count; i++) {
		GR_AUTO_FREE char *own = handle_secret(engine->plan->secrets[i].name);

		if (text_equal(own, handle))
			return fail_without(&engine->plan->secrets[i], err);
	}
	return gr_fail(err, GR_CONFIG, 0, "its secret is not known");
}

static bool is_secret_name(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->plan->secret_count; i++)
		if (text_equal(name, engine->plan->secrets[i].environment))
			return true;
	return variable_is_secret(name, strlen(name));
}

/* Values of variables whose names say that they are secret: never ours to show, whatever they are for. */
static void learn_environment(struct engine *engine)
{
	for (size_t i = 0; i < engine->plan->secret_count; i++)
		if (engine->plan->secrets[i].environment)
			(void)redactor_add(engine->options->redactor, getenv(engine->plan->secrets[i].environment));
	environment_learn(engine->options->redactor);
}

/* The history's URL may hold a password, and was read. Those of proxies stay: libcurl looks for them there. */
static bool is_wiped(const struct engine *engine, const char *name)
{
	return is_secret_name(engine, name) || text_equal(name, "GRIDLANE_HISTORY");
}

/* Their own bytes: /proc/PID/environ shows them for as long as we live, even after unsetenv(). */
static void wipe_environment(const struct engine *engine)
{
	for (char **entry = environ; entry && *entry;) {
		char *equals = strchr(*entry, '=');
		GR_AUTO_FREE char *name = equals ? gr_strndup(*entry, (size_t)(equals - *entry)) : NULL;

		if (!name || !is_wiped(engine, name)) {
			entry++;
			continue;
		}
		explicit_bzero(equals + 1, strlen(equals + 1));
		(void)unsetenv(name); /* what follows moves up */
	}
}

int server_setting(
        struct engine *engine, const struct node *node, const char *variable, char **ret_text, struct gr_error *err)
{
	GR_AUTO_JSON json_t *scope = NULL;
	GR_AUTO_JSON json_t *value = NULL;
	int r;

	*ret_text = NULL;
	if (!node) {
		*ret_text = variable ? gr_strdup(getenv(variable)) : NULL;
		return 0;
	}
	scope = scope_new(engine, engine->main);
	r = node_evaluate(node, scope, &value, err);
	if (r < 0 || json_is_null(value))
		return r;
	*ret_text = json_is_string(value) ? vault_resolve(engine->vault, json_string_value(value))
	                                  : json_dumps(value, JSON_ENCODE_ANY);
	if (!*ret_text) {
		err->line = node->line;
		err->column = node->column;
		return server_lacks_secret(engine, json_string_value(value), err);
	}
	return 0;
}

static int read_url(struct engine *engine, struct gr_error *err)
{
	const struct plan_server *server = &engine->plan->server;
	GR_AUTO_FREE char *url = NULL;
	int r;

	if (engine->options->server_url)
		return url_base(engine->options->server_url, true, &engine->base_url, err);
	r = server_setting(engine, server->url, "TESTGRID_URL", &url, err);
	if (r < 0)
		return gr_context(err, "server.url");
	if (!url || !*url)
		return gr_fail(err, GR_CONFIG, 0,
		        "no server: set TESTGRID_URL (for example https://your-domain.testgrid.io) or `server.url`; "
		        "`gridlane run --sandbox` needs none");
	return url_base(url, server->insecure_http, &engine->base_url, err);
}

static int read_token(struct engine *engine, struct gr_error *err)
{
	const struct plan_server *server = &engine->plan->server;
	GR_AUTO_FREE char *token = NULL;
	int r;

	if (engine->options->server_token) {
		vault_put(engine->vault, VAULT_USER_TOKEN, engine->options->server_token);
		return 0;
	}
	r = server_setting(engine, server->token, NULL, &token, err);
	if (r < 0)
		return gr_context(err, "server.token");
	if (!token && !server->email)
		token = read_variable("TESTGRID_TOKEN");
	if (token && *token) {
		vault_put(engine->vault, VAULT_USER_TOKEN, token);
		explicit_bzero(token, strlen(token));
		return 0;
	}
	r = server_setting(engine, server->email, "TESTGRID_EMAIL", &engine->email, err);
	if (r == 0)
		r = server_setting(engine, server->password, "TESTGRID_PASSWORD", &engine->password, err);
	if (r < 0)
		return gr_context(err, "server");
	if (!engine->email || !engine->password)
		return gr_fail(err, GR_CONFIG, 0,
		        "no token: set TESTGRID_TOKEN (or TESTGRID_EMAIL and TESTGRID_PASSWORD), or `server.token`");
	(void)redactor_add(engine->options->redactor, engine->password);
	return 0;
}

static int read_file_setting(
        struct engine *engine, const struct node *node, const char *variable, char **ret_path, struct gr_error *err)
{
	int r = server_setting(engine, node, variable, ret_path, err);

	if (r == 0 && *ret_path && **ret_path && access(*ret_path, R_OK) != 0)
		return gr_fail(err, GR_CONFIG, 0, "server: '%s' cannot be read", *ret_path);
	return r;
}

static int read_tls(struct engine *engine, struct gr_error *err)
{
	const struct plan_server *server = &engine->plan->server;
	int r = read_file_setting(engine, server->ca_file, "GRIDLANE_CA_BUNDLE", &engine->ca_file, err);

	if (r == 0 && !engine->ca_file)
		r = read_file_setting(engine, NULL, "SSL_CERT_FILE", &engine->ca_file, err);
	if (r == 0)
		r = read_file_setting(engine, server->client_cert, "GRIDLANE_CLIENT_CERT", &engine->client_cert, err);
	if (r == 0)
		r = read_file_setting(engine, server->client_key, "GRIDLANE_CLIENT_KEY", &engine->client_key, err);
	if (r == 0)
		r = server_setting(engine, server->proxy, NULL, &engine->proxy, err);
	if (r == 0 && engine->proxy)
		url_learn_password(engine->options->redactor, engine->proxy);
	return r;
}

static int read_all(struct engine *engine, struct gr_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < engine->plan->secret_count; i++)
		r = load_secret(engine, &engine->plan->secrets[i], err);
	if (r == 0)
		r = hooks_read(engine, err);
	if (r == 0)
		r = read_url(engine, err);
	if (r == 0)
		r = read_token(engine, err);
	if (r == 0 && engine->options->server_user_id) {
		engine->user_id = gr_strdup(engine->options->server_user_id);
		return 0;
	}
	if (r == 0 && !engine->email) /* beside a token it tells which user of the account this is */
		r = server_setting(engine, engine->plan->server.email, "TESTGRID_EMAIL", &engine->email, err);
	if (r == 0)
		r = server_setting(engine, engine->plan->server.user_id, "TESTGRID_USER_ID", &engine->user_id, err);
	if (r == 0 && !engine->options->server_url)
		r = read_tls(engine, err);
	return r;
}

int server_init(struct engine *engine, struct gr_error *err)
{
	int r;

	learn_environment(engine);
	r = read_all(engine, err);
	wipe_environment(engine);
	if (r < 0)
		return r;
	engine->settings = (struct transfer_settings){
	        .base_url = engine->base_url,
	        .ca_file = engine->ca_file,
	        .client_cert = engine->client_cert,
	        .client_key = engine->client_key,
	        .proxy = engine->options->server_url ? "" : engine->proxy, /* the sandbox is on loopback */
	        .insecure_http = engine->plan->server.insecure_http || engine->options->server_url,
	        .trace = engine->options->trace,
	        .on_trace = engine->options->on_trace,
	        .trace_context = engine->options->user,
	};
	engine->results.server = gr_strdup(engine->base_url);
	return 0;
}

void server_release(struct engine *engine)
{
	if (engine->password)
		explicit_bzero(engine->password, strlen(engine->password));
	gr_free(engine->password);
	gr_free(engine->email);
	gr_free(engine->own_build_id);
	gr_free(engine->base_url);
	gr_free(engine->user_id);
	gr_free(engine->ca_file);
	gr_free(engine->client_cert);
	gr_free(engine->client_key);
	gr_free(engine->proxy);
}

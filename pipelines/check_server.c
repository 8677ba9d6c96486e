/* `secrets:`, `server:` and `app:`. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"

const struct key secret_keys[] = {{"env", NULL}, {"file", NULL}, {NULL, NULL}};

static void check_secret(struct check *check, const struct node *name, const struct node *node)
{
	struct plan *plan = check->plan;
	const struct node *environment, *file;
	struct plan_secret *secret;

	plan->secrets = gr_grow(plan->secrets, plan->secret_count, sizeof(*plan->secrets));
	secret = &plan->secrets[plan->secret_count++];
	*secret = (struct plan_secret){.name = gr_strdup(name->text), .line = name->line, .column = name->column};
	(void)check_name(check, name, "the name of a secret");
	if (!check_keys(check, node, "a secret", secret_keys))
		return;
	environment = node_member(node, "env");
	file = node_member(node, "file");
	(void)read_text(check, environment, "`env`", &secret->environment);
	(void)read_text(check, file, "`file`", &secret->file);
	if ((environment == NULL) == (file == NULL))
		check_fail(
		        check, name, NULL, "the secret '%s' needs one of { env: NAME } and { file: PATH }", name->text);
	if (secret->environment != NULL && !is_environment_name(secret->environment))
		check_fail(check, environment, NULL, "'%s' cannot be the name of an environment variable",
		        secret->environment);
}

void check_secrets(struct check *check, const struct node *node)
{
	if (node == NULL)
		return;
	if (node->kind != NODE_MAP) {
		check_fail(check, node, NULL, "`secrets` must be a map of names and { env: NAME } or { file: PATH }");
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		check_secret(check, node->keys[i], node->items[i]);
}

const struct key server_keys[] = {{"url", NULL}, {"token", NULL}, {"email", NULL}, {"password", NULL},
        {"user_id", NULL}, {"ca_file", NULL}, {"client_cert", NULL}, {"client_key", NULL}, {"proxy", NULL},
        {"max_connections", NULL}, {"answer_timeout", NULL}, {"outage", NULL}, {"insecure_http", NULL},
        {"urlencoded", NULL}, {"download_hosts", NULL}, {NULL, NULL}};

/* A text that the engine evaluates; what can be known now is checked now. */
static const struct node *check_setting(struct check *check, const struct node *server, const char *key, bool is_secret)
{
	const struct node *node = node_member(server, key);
	GR_AUTO_JSON json_t *value = NULL;

	if (node == NULL)
		return NULL;
	if (node->kind != NODE_SCALAR) {
		check_fail(check, node, NULL, "`%s` must be text", key);
		return node;
	}
	if (!check_templates(check, node, ROOTS_EARLY | ROOT_SECRETS, is_secret))
		return node;
	if (is_secret && node->template == NULL)
		check_fail(check, node, "name it under `secrets:` and write ${{ secrets.NAME }}",
		        "`%s` is a secret and must not be written into the file", key);
	if (node->template == NULL && node_evaluate(node, check->early, &value, NULL) == 0 && !json_is_string(value) &&
	        !json_is_integer(value))
		check_fail(check, node, NULL, "`%s` must be text", key);
	return node;
}

static const struct node *check_setting_file(struct check *check, const struct node *server, const char *key)
{
	const struct node *node = check_setting(check, server, key, false);

	if (node != NULL && node->kind == NODE_SCALAR && node->template == NULL)
		(void)check_file(check, node, node->text, true, NULL);
	return node;
}

static void read_download_hosts(struct check *check, const struct node *node, struct plan_server *server)
{
	if (node == NULL)
		return;
	if (node->kind != NODE_LIST) {
		check_fail(check, node, NULL, "`download_hosts` must be a list of host names");
		return;
	}
	server->download_hosts = gr_alloc(node->count + 1, sizeof(char *));
	for (size_t i = 0; i < node->count; i++) {
		char **host = &server->download_hosts[i];

		if (!read_text(check, node->items[i], "a host", host))
			*host = gr_strdup("");
		else if (strpbrk(*host, "/:@ \t") != NULL)
			check_fail(check, node->items[i], NULL,
			        "'%s' must be a host name alone, without scheme, port or path", *host);
	}
}

/* A token, or email and password; not half of it, and not both. */
static void check_login(struct check *check, const struct node *node)
{
	const struct node *token = node_member(node, "token"), *email = node_member(node, "email"),
	                  *password = node_member(node, "password");

	if (token != NULL && (email != NULL || password != NULL))
		check_fail(check, email != NULL ? email : password, NULL,
		        "give either `token`, or `email` and `password`");
	else if ((email == NULL) != (password == NULL))
		check_fail(check, email != NULL ? email : password, NULL, "`email` and `password` need each other");
}

static void read_span(
        struct check *check, const struct node *server, const char *key, const char *what, int64_t *ret_ms)
{
	const struct node *node = node_member(server, key);

	if (read_duration(check, node, what, ret_ms) && *ret_ms <= 0)
		check_fail(check, node, NULL, "%s must be longer than 0", what);
}

void check_server(struct check *check, const struct node *node)
{
	struct plan_server *server = &check->plan->server;
	int64_t connections = 8;

	server->max_connections = (unsigned)connections;
	server->outage_ms = 15 * 60 * 1000;
	if (node == NULL || !check_keys(check, node, "`server`", server_keys))
		return;
	server->url = check_setting(check, node, "url", false);
	server->token = check_setting(check, node, "token", true);
	server->email = check_setting(check, node, "email", false);
	server->password = check_setting(check, node, "password", true);
	server->user_id = check_setting(check, node, "user_id", false);
	server->proxy = check_setting(check, node, "proxy", false);
	server->ca_file = check_setting_file(check, node, "ca_file");
	server->client_cert = check_setting_file(check, node, "client_cert");
	server->client_key = check_setting_file(check, node, "client_key");
	check_login(check, node);
	if ((server->client_cert == NULL) != (server->client_key == NULL))
		check_fail(check, server->client_cert != NULL ? server->client_cert : server->client_key, NULL,
		        "`client_cert` and `client_key` need each other");
	(void)read_int(check, node_member(node, "max_connections"), "`max_connections`", (struct bounds){1, 256},
	        &connections);
	server->max_connections = (unsigned)connections;
	read_span(check, node, "answer_timeout", "`answer_timeout`", &server->answer_timeout_ms);
	read_span(check, node, "outage", "`outage`", &server->outage_ms);
	(void)read_bool(check, node_member(node, "insecure_http"), "`insecure_http`", &server->insecure_http);
	(void)read_bool(check, node_member(node, "urlencoded"), "`urlencoded`", &server->urlencoded);
	read_download_hosts(check, node_member(node, "download_hosts"), server);
}

const struct key app_keys[] = {{"name", NULL}, {"id", NULL}, {"token", NULL}, {"platform", NULL}, {NULL, NULL}};
static const char *const platforms[] = {"android", "ios", "web", NULL};

static const struct node *check_app_text(struct check *check, const struct node *app, const char *key)
{
	const struct node *node = node_member(app, key);
	GR_AUTO_FREE char *text = NULL;

	if (node == NULL)
		return NULL;
	node_keep_text(node); /* `id: 223` means these letters */
	(void)read_text(check, node, key, &text);
	return node;
}

void check_app(struct check *check, const struct node *node)
{
	struct plan *plan = check->plan;
	int platform = -1;

	if (node == NULL)
		return;
	plan->has_app = true;
	if (!check_keys(check, node, "`app`", app_keys))
		return;
	plan->app_name = check_app_text(check, node, "name");
	plan->app_id = check_app_text(check, node, "id");
	plan->app_token = check_setting(check, node, "token", true);
	if (node_member(node, "platform") != NULL)
		platform = read_choice(check, node_member(node, "platform"), "`platform`", platforms);
	if (platform >= 0)
		plan->app_platform = gr_strdup(platforms[platform]);
	if (plan->app_name == NULL && plan->app_id == NULL && plan->app_token == NULL)
		check_fail(check, node, NULL, "`app` needs one of name, id and token, to find the application by");
}

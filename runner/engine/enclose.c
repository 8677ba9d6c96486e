/* What a run that starts no program gives up once it has begun: starting programs, files outside of its work, hosts
 * other than its server's. Children would inherit it, and they are the user's own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/confine.h"
#include "runner/base/memory.h"
#include "runner/engine/run.h"

#define PATHS_MOST 48
#define PORTS_MOST 32 /* a pipeline has at most 20 webhooks */
#define DNS_PORT 53 /* over TCP, for long answers */
#define HTTPS_PORT 443

static bool starts_children(const struct plan_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct plan_step *step = &steps[i];

		if (step->kind && step->kind->flags & KIND_LOCAL)
			return true;
		if (starts_children(step->steps, step->step_count)) /* as deep as a file may be */
			return true;
	}
	return false;
}

/* A proxy of the environment or the pipeline: its port is not ours to know before libcurl does. */
static bool has_proxy(const struct engine *engine)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"};

	if (engine->settings.proxy)
		return *engine->settings.proxy;
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return true;
	}
	return false;
}

static size_t add_path(const char **paths, size_t count, const char *path)
{
	if (path && *path && count + 1 < PATHS_MOST)
		paths[count++] = path;
	return count;
}

static void collect_reads(const struct engine *engine, const char **paths)
{
	/* Name look-ups, certificates, time zones; and the folder of the run, where its inputs are. What is named below
	 * /etc is a link to somewhere else on some systems (WSL's resolv.conf, openSUSE's certificates): a rule is for
	 * what it leads to. */
	static const char *const usual[] = {"/etc", "/usr", "/lib", "/lib64", "/run", "/proc", "/dev", "/nix", "/gnu",
	        "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/localtime", "/etc/ssl/certs",
	        "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
	        "/etc/pki/tls/certs/ca-bundle.crt"};
	size_t count = add_path(paths, 0, engine->options->may_read_all ? "/" : ".");

	for (size_t i = 0; i < GR_COUNT(usual); i++)
		count = add_path(paths, count, usual[i]);
	count = add_path(paths, count, engine->ca_file);
	count = add_path(paths, count, engine->client_cert);
	count = add_path(paths, count, engine->client_key);
	for (const char *const *file = engine->options->history_files; file && *file; file++)
		count = add_path(paths, count, *file);
	count = add_path(paths, count, getenv("GRIDLANE_CA_BUNDLE")); /* of webhooks, whatever the server's is */
	count = add_path(paths, count, getenv("SSL_CERT_FILE"));
	(void)add_path(paths, count, getenv("SSL_CERT_DIR"));
}

static void collect_writes(const struct engine *engine, const char **paths)
{
	size_t count = add_path(paths, add_path(paths, 0, engine->options->output_path), "/dev/null");

	for (const char *const *path = engine->options->writes; path && *path; path++)
		count = add_path(paths, count, *path);
}

/* The server's, name servers', that of downloads from elsewhere, those of the webhooks and of the history. Ended by 0.
 */
static void collect_ports(const struct engine *engine, unsigned ports[static PORTS_MOST])
{
	const struct hook_list *hooks = engine->options->hooks;
	size_t count = 0;

	ports[count++] = url_port(engine->base_url);
	ports[count++] = DNS_PORT;
	for (size_t i = 0; hooks && i < hooks->count && count + 3 < PORTS_MOST; i++)
		if (hooks->items[i].url)
			ports[count++] = url_port(hooks->items[i].url);
	if (engine->plan->server.download_hosts)
		ports[count++] = HTTPS_PORT;
	ports[count++] = engine->options->history_port; /* 0: it is a file, and this is the end */
	ports[count] = 0;
}

static bool keep_to_places(const struct engine *engine)
{
	const char *reads[PATHS_MOST] = {NULL}, *writes[PATHS_MOST] = {NULL};
	unsigned ports[PORTS_MOST];
	const struct confine_places places = {
	        .reads = reads, .writes = writes, .ports = has_proxy(engine) ? NULL : ports};

	collect_reads(engine, reads);
	collect_writes(engine, writes);
	collect_ports(engine, ports);
	return confine_to_places(&places);
}

static void trace(const struct engine *engine, const char *what)
{
	GR_AUTO_FREE char *why = gr_printf("not confined (%s): %s", what, strerror(errno));

	if (engine->options->trace && engine->options->on_trace)
		engine->options->on_trace(engine->options->user, why);
}

void engine_enclose(const struct engine *engine)
{
	const struct plan *plan = engine->plan;

	if (starts_children(plan->steps, plan->step_count) || starts_children(plan->finally, plan->finally_count))
		return;
	if (!keep_to_places(engine))
		trace(engine, "files");
	if (!confine_to_itself())
		trace(engine, "calls");
}

/* gridlane init: a first pipeline, and a job for the CI that runs it. Asks on a terminal, takes flags and defaults
 * elsewhere. Never writes over a file. */
#include "runner/commands/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/schema.h"
#include "runner/base/ci.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"

#define TEMPLATE_PIPELINE "ci/nightly.yml" /* as the templates name it */
#define DEFAULT_PIPELINE "ci/device-tests.yml"
#define APP_MOST_BYTES 1024

/* What the sandbox knows, so that the first run needs nothing else. */
static const struct starter {
	const char *platform, *application, *device, *module;
} starters[] = {{"android", "Shop", "{ platform: android }", "Smoke"},
        {"ios", "Shop iOS", "{ platform: ios }", "iOS Smoke"}, {"web", "Shop Web", "{ platform: web }", "Web Smoke"}};

struct answers {
	char *platform, *ci, *app, *name, *file;
};

static void release(struct answers *answers)
{
	gr_free(answers->platform);
	gr_free(answers->ci);
	gr_free(answers->app);
	gr_free(answers->name);
	gr_free(answers->file);
}

/* The option's value, else what a person says, else the default; *ret NULL: none of them. */
static void ask(
        const struct arguments *arguments, enum option_id id, const char *question, const char *fallback, char **ret)
{
	const char *given = argument_value(arguments, id);
	char line[APP_MOST_BYTES];

	*ret = gr_strdup(given != NULL ? given : fallback);
	if (given != NULL || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
		return;
	printf("%s [%s]: ", question, fallback != NULL ? fallback : "none");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return;
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0')
		return;
	gr_free(*ret);
	*ret = gr_strdup(line);
}

static const struct starter *find_starter(const char *platform, struct gr_error *err)
{
	for (size_t i = 0; i < GR_COUNT(starters); i++) {
		if (strcmp(starters[i].platform, platform) == 0)
			return &starters[i];
	}
	(void)gr_fail(err, GR_USAGE, 0, "--platform: '%s' is none of android, ios, web", platform);
	return NULL;
}

/* "github, gitlab, ... or none" */
static char *template_names(void)
{
	GR_AUTO_BUFFER struct buffer names = {0};

	for (const struct ci_template *at = ci_templates; at->name != NULL; at++)
		buffer_printf(&names, "%s%s", at == ci_templates ? "" : ", ", at->name);
	buffer_add_text(&names, " or none");
	return buffer_take(&names);
}

static int find_template(const char *name, const struct ci_template **ret_template, struct gr_error *err)
{
	*ret_template = NULL;
	if (strcmp(name, "none") == 0)
		return 0;
	for (const struct ci_template *at = ci_templates; at->name != NULL; at++) {
		if (strcmp(at->name, name) == 0)
			*ret_template = at;
	}
	if (*ret_template == NULL) {
		GR_AUTO_FREE char *names = template_names();

		return gr_fail(err, GR_USAGE, 0, "--ci: there is no template for '%s'; it is one of %s", name, names);
	}
	return 0;
}

/* The word of --ci for the CI that this is. */
static const char *ci_here(void)
{
	const char *found = "none";
	struct ci ci;

	ci_detect_here(&ci);
	for (const struct ci_template *at = ci_templates; ci.provider != NULL && at->name != NULL; at++) {
		if (text_contains_nocase(ci.provider, at->name))
			found = at->name;
	}
	ci_release(&ci);
	return found;
}

/* Text between single quotes, as YAML has it. */
static char *quoted(const char *text)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	buffer_add_char(&out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buffer_add_char(&out, '\'');
		buffer_add_char(&out, *text);
	}
	buffer_add_char(&out, '\'');
	return buffer_take(&out);
}

static void add_build(struct buffer *out, bool is_web)
{
	if (!is_web)
		buffer_add_text(out, "  - id: version\n    uses: create_version\n"
		                     "    with: { name: \"${{ inputs.label }}\", reuse: true }\n"
		                     "  - id: build\n    uses: upload_build\n"
		                     "    with: { file: \"${{ inputs.app }}\", version: \"${{ steps.version }}\" }\n   "
		                     " timeout: 15m\n");
	buffer_add_text(out, "  - id: devices\n    matrix: { device: \"${{ devices.chosen }}\" }\n    steps:\n");
	if (!is_web)
		buffer_add_text(out,
		        "      - uses: install\n"
		        "        with: { build: \"${{ steps.build }}\", device: \"${{ matrix.device }}\" }\n");
}

static void add_head(struct buffer *out, const struct answers *answers)
{
	GR_AUTO_FREE char *app = answers->app != NULL ? quoted(answers->app) : NULL;

	buffer_printf(out,
	        "# yaml-language-server: $schema=./gridlane.schema.json\n"
	        "# Try it without an account: gridlane run --sandbox %s%s\n"
	        "version: 1\nname: device-tests\ntimeout: 60m\n\ninputs:\n",
	        answers->file, app == NULL && strcmp(answers->platform, "web") != 0 ? " --input app=FILE" : "");
	if (strcmp(answers->platform, "web") == 0)
		buffer_add_text(out,
		        "  build: { type: string, default: \"301\" }   # id of the application's build on the server\n"
		        "  site: { type: string, default: \"https://shop.example.com\" }\n");
	else if (app != NULL)
		buffer_printf(out, "  app: { type: file, default: %s }\n", app);
	else
		buffer_add_text(out, "  app: { type: file, required: true }       # --input app=FILE\n");
	if (strcmp(answers->platform, "web") != 0)
		buffer_add_text(
		        out, "  label: { type: string, default: \"1\" }     # the version that the build goes into\n");
}

static char *make_pipeline(const struct answers *answers, const struct starter *starter)
{
	bool is_web = strcmp(starter->platform, "web") == 0;
	GR_AUTO_FREE char *name = quoted(answers->name);
	GR_AUTO_BUFFER struct buffer out = {0};

	add_head(&out, answers);
	buffer_printf(&out,
	        "  module: { type: string, default: %s }\n\n"
	        "app: { name: %s, platform: %s }            # as it is called on the server\n\n"
	        "devices:\n  chosen:\n    any_of:                                 # in order of preference\n      - "
	        "%s\n"
	        "    count: 1\n    wait: 10m\n\nsteps:\n",
	        starter->module, name, starter->platform, starter->device);
	add_build(&out, is_web);
	buffer_printf(&out,
	        "      - id: tests\n        uses: app_build_run\n        with:\n          build: \"${{ %s }}\"\n%s"
	        "          device: \"${{ matrix.device }}\"\n          module: \"${{ inputs.module }}\"\n"
	        "        poll: { timeout: 30m }\n\nreports: { junit: junit.xml, summary: summary.md }\n"
	        "artifacts: { bundle: \"${{ name }}-${{ run.id }}.tar.gz\" }\n",
	        is_web ? "inputs.build" : "steps.build",
	        is_web ? "          website_url: \"${{ inputs.site }}\"\n" : "");
	return buffer_take(&out);
}

/* The template, with the pipeline's own place in it. */
static char *make_job(const struct ci_template *template, const char *pipeline)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const char *at = template->text, *found;

	while ((found = strstr(at, TEMPLATE_PIPELINE)) != NULL) {
		buffer_add(&out, at, (size_t)(found - at));
		buffer_add_text(&out, pipeline);
		at = found + strlen(TEMPLATE_PIPELINE);
	}
	buffer_add_text(&out, at);
	return buffer_take(&out);
}

static int check_free(const char *path, struct gr_error *err)
{
	if (path != NULL && access(path, F_OK) == 0)
		return gr_fail(err, GR_USAGE, 0,
		        "'%s' is there already, and is not written over; give --out-file, or --ci none", path);
	return 0;
}

static int write_file(const char *path, const char *text, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	GR_AUTO_CLOSE int here = -1;
	const char *slash = strrchr(path, '/');
	GR_AUTO_FREE char *folder =
	        slash == NULL ? gr_strdup(".") : gr_strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int r = file_make_directory(folder, &here, err);

	if (r == 0)
		r = file_create(here, slash != NULL ? slash + 1 : path, 0644, &writer, err);
	if (r < 0)
		return r;
	file_write_text(writer, text);
	return file_commit(&writer, err);
}

/* Beside the pipeline, whose first line names it. One that is there stays. */
static int write_schema(const char *pipeline, char **ret_written, struct gr_error *err)
{
	const char *slash = strrchr(pipeline, '/');
	GR_AUTO_FREE char *path =
	        gr_printf("%.*sgridlane.schema.json", slash ? (int)(slash - pipeline + 1) : 0, pipeline);
	GR_AUTO_JSON json_t *schema = NULL;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *line = NULL;
	int r;

	*ret_written = NULL;
	if (access(path, F_OK) == 0)
		return 0;
	schema = schema_make();
	text = json_dumps(schema, JSON_COMPACT);
	line = gr_printf("%s\n", text);
	r = write_file(path, line, err);
	if (r == 0)
		*ret_written = gr_take(&path);
	return r;
}

static void say_next(const struct answers *answers, const struct starter *starter, bool has_job)
{
	bool needs_app = answers->app == NULL && strcmp(starter->platform, "web") != 0;

	printf("next: gridlane validate %s\n      gridlane run --sandbox %s%s\n", answers->file, answers->file,
	        needs_app ? " --input app=FILE" : "");
	if (needs_app && has_job)
		printf("then: the job names no app yet: add --input app=FILE to its `gridlane run`, or a default to\n"
		       "      the pipeline\n");
	printf("then: TESTGRID_URL and TESTGRID_TOKEN become variables of the CI; `gridlane doctor` tries them\n");
}

static int write_all(const struct answers *answers, const struct starter *starter, const struct ci_template *template,
        struct gr_error *err)
{
	GR_AUTO_FREE char *pipeline = make_pipeline(answers, starter);
	GR_AUTO_FREE char *job = template != NULL ? make_job(template, answers->file) : NULL;
	GR_AUTO_FREE char *schema = NULL;
	int r = check_free(answers->file, err);

	if (r == 0)
		r = check_free(template != NULL ? template->target : NULL, err);
	if (r == 0)
		r = write_file(answers->file, pipeline, err);
	if (r == 0 && template != NULL)
		r = write_file(template->target, job, err);
	if (r == 0)
		r = write_schema(answers->file, &schema, err);
	if (r < 0)
		return r;
	printf("wrote %s\n", answers->file);
	if (template != NULL)
		printf("wrote %s\n", template->target);
	if (schema != NULL)
		printf("wrote %s, for editors\n", schema);
	say_next(answers, starter, template != NULL);
	return 0;
}

static const char *platform_of(const char *app)
{
	return app != NULL && text_has_suffix_nocase(app, ".ipa") ? "ios" : "android";
}

static bool is_below_here(const char *path)
{
	char *here = realpath(".", NULL), *there = realpath(path, NULL);
	bool is_below = here != NULL && there != NULL && text_has_prefix(there, here) &&
	                (here[1] == '\0' || there[strlen(here)] == '/');

	free(here); /* realpath()'s own */
	free(there);
	return is_below;
}

static int check_app(const struct arguments *arguments, const struct answers *answers, struct gr_error *err)
{
	const char *app = answers->app;

	if (strcmp(answers->platform, "web") == 0 && argument_is_given(arguments, OPT_APP))
		return gr_fail(err, GR_USAGE, 0, "--app: a pipeline for the web uploads none");
	if (app != NULL && access(app, R_OK) != 0)
		return gr_fail(err, GR_USAGE, 0, "--app: there is no file '%s'", app);
	if (app != NULL && !is_below_here(app))
		return gr_fail(err, GR_USAGE, 0,
		        "--app: '%s' lies outside of this folder, and a run takes files from there only with "
		        "--allow-outside; without --app the file is asked for with --input app=FILE",
		        app);
	if (app != NULL && strcmp(answers->platform, platform_of(app)) != 0)
		return gr_fail(err, GR_USAGE, 0, "--app: '%s' is no app for %s", app, answers->platform);
	return 0;
}

/* Each template has the name where a shell, YAML, Groovy or Kotlin reads it. */
static int check_name(const struct answers *answers, const struct ci_template *template, struct gr_error *err)
{
	size_t bytes = strlen(answers->file);
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

	if (bytes == 0 || answers->file[bytes - 1] == '/')
		return gr_fail(err, GR_USAGE, 0, "--out-file: '%s' names no file", answers->file);
	if (template != NULL && (answers->file[0] == '-' || answers->file[strspn(answers->file, plain)] != '\0'))
		return gr_fail(err, GR_USAGE, 0,
		        "--out-file: a CI job names the file, so letters, digits and ._/- alone are taken, not '%s'",
		        answers->file);
	return 0;
}

static int make(const struct arguments *arguments, struct answers *answers, struct gr_error *err)
{
	GR_AUTO_FREE char *names = template_names();
	GR_AUTO_FREE char *question = gr_printf("CI: %s", names);
	const struct ci_template *template = NULL;
	const struct starter *starter;

	ask(arguments, OPT_PLATFORM, "Platform: android, ios or web", platform_of(argument_value(arguments, OPT_APP)),
	        &answers->platform);
	starter = find_starter(answers->platform, err);
	if (starter == NULL)
		return -(int)err->failure;
	if (strcmp(answers->platform, "web") != 0)
		ask(arguments, OPT_APP, "The app's file", NULL, &answers->app);
	if (check_app(arguments, answers, err) < 0)
		return -(int)err->failure;
	ask(arguments, OPT_NAME, "Name of the application on the server", starter->application, &answers->name);
	ask(arguments, OPT_CI, question, ci_here(), &answers->ci);
	ask(arguments, OPT_OUT_FILE, "File for the pipeline", DEFAULT_PIPELINE, &answers->file);
	if (find_template(answers->ci, &template, err) < 0 || check_name(answers, template, err) < 0)
		return -(int)err->failure;
	return write_all(answers, starter, template, err);
}

int command_init(const struct arguments *arguments)
{
	struct answers answers = {0};
	struct gr_error err = {0};
	int status = make(arguments, &answers, &err) < 0 ? complain(&err) : 0;

	release(&answers);
	return status;
}

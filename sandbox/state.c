#include "sandbox/state.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "sandbox/catalogue.h"
#include "sandbox/runs.h"

const char *member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

double member_number(const json_t *object, const char *key, double fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : fallback;
}

char *member_id(const json_t *object, const char *key, const char *fallback)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value))
		return gr_strdup(json_string_value(value));
	if (json_is_integer(value))
		return gr_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value)) /* 14.2 as an OS version */
		return gr_printf("%g", json_real_value(value));
	return gr_strdup(fallback);
}

void member_set_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);

	(void)json_object_set_new(object, key, value != NULL ? value : json_string(""));
}

json_t *list_find(const json_t *list, const char *key, const char *value)
{
	size_t i;
	json_t *entry;

	json_array_foreach (list, i, entry)
		if (strcmp(member_text(entry, key), value) == 0)
			return entry;
	return NULL;
}

/* Finer than clock_now_ms: at a high time_scale a millisecond is hours. */
static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double state_now(const struct state *state)
{
	return (double)(now_ns() - state->started_ns) / 1e9 * state->time_scale;
}

char *state_time_text(const struct state *state, double emulated)
{
	char text[CLOCK_TEXT_BYTES];

	return gr_strdup(clock_format_api(state->started_wall_ms + (int64_t)(emulated * 1000.0), text));
}

/* xorshift64*: the same scenario and the same calls give the same outcomes. */
double state_chance(struct state *state)
{
	state->random ^= state->random >> 12;
	state->random ^= state->random << 25;
	state->random ^= state->random >> 27;
	return (double)((state->random * UINT64_C(0x2545F4914F6CDD1D)) >> 11) / 9007199254740992.0;
}

char *state_next_id(struct state *state)
{
	return gr_printf("%" PRId64, ++state->last_id);
}

char *state_new_token(void)
{
	unsigned char bytes[16];
	char *text = gr_alloc(33, 1);
	size_t i;

	number_random(bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++) {
		text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	return text;
}

const char *state_word(const struct state *state, const char *name)
{
	return member_text(state->scenario, name);
}

bool state_word_is(const struct state *state, const char *name, const char *word)
{
	return strcmp(state_word(state, name), word) == 0;
}

double state_number(const struct state *state, const char *name)
{
	return member_number(state->scenario, name, 0);
}

json_t *app_of_token(const struct state *state, const char *token)
{
	return list_find(state->apps, "application_token", token);
}

static json_t *version_find(const struct state *state, const char *key, const char *value, json_t **ret_app)
{
	size_t i;
	json_t *app;

	json_array_foreach (state->apps, i, app) {
		json_t *version = list_find(json_object_get(app, "versions"), key, value);

		if (version != NULL) {
			if (ret_app != NULL)
				*ret_app = app;
			return version;
		}
	}
	return NULL;
}

json_t *version_of_token(const struct state *state, const char *token, json_t **ret_app)
{
	return version_find(state, "version_token", token, ret_app);
}

json_t *version_of_id(const struct state *state, const char *id, json_t **ret_app)
{
	return version_find(state, "version_id", id, ret_app);
}

json_t *build_of_id(const struct state *state, const char *id)
{
	return list_find(state->builds, "app_build_id", id);
}

/* How many builds the version has had: its next one carries the number after. */
static size_t builds_of_version(const struct state *state, const char *version_id)
{
	size_t i, count = 0;
	json_t *build;

	json_array_foreach (state->builds, i, build)
		count += strcmp(member_text(build, "version_id"), version_id) == 0;
	return count;
}

void build_set_id(const struct state *state, json_t *build, const char *id)
{
	const char *extension = strrchr(member_text(build, "file_name"), '.');
	GR_AUTO_FREE char *url = gr_printf("%s/app_build/%s/%s/builds/%s%s", state->base_url,
	        member_text(build, "app_id"), member_text(build, "version_id"), id, extension != NULL ? extension : "");

	member_set_text(build, "app_build_id", id);
	member_set_text(build, "build_server_url", url);
}

json_t *build_add(struct state *state, const json_t *app, const json_t *version, const char *name, const char *file)
{
	GR_AUTO_FREE char *id = state_next_id(state);
	GR_AUTO_FREE char *number = NULL;
	json_t *build = json_object();

	number = gr_printf("%zu", builds_of_version(state, member_text(version, "version_id")) + 1);
	member_set_text(build, "app_build_id", id);
	member_set_text(build, "app_id", member_text(app, "app_id"));
	member_set_text(build, "app_build_version", number);
	member_set_text(build, "build_name", name);
	member_set_text(build, "file_name", file);
	member_set_text(build, "user_id", "1");
	member_set_text(build, "version_id", member_text(version, "version_id"));
	member_set_text(build, "platform_type",
	        text_has_suffix_nocase(file, ".ipa") ? "ios"
	                                             : (text_has_suffix_nocase(file, ".apk") ? "android" : "web"));
	member_set_text(build, "bundle_id", "org.example.shop");
	build_set_id(state, build, id);
	(void)json_array_append_new(state->builds, build);
	return build;
}

static uint64_t random_seed(const json_t *scenario)
{
	uint64_t seed = (uint64_t)member_number(scenario, "seed", 1);

	return (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

int state_init(struct state *state, json_t *scenario, double time_scale, struct gr_error *err)
{
	state->scenario = scenario;
	state->time_scale = time_scale > 0 ? time_scale : state_number(state, "time_scale");
	if (state->time_scale <= 0)
		return gr_fail(err, GR_CONFIG, 0, "scenario: time_scale must be more than 0");
	state->started_ns = now_ns();
	state->started_wall_ms = clock_wall_ms();
	state->random = random_seed(scenario);
	state->last_id = 500;
	state->users = json_array();
	state->apps = json_array();
	state->builds = json_array();
	state->devices = json_array();
	state->modules = json_array();
	state->teams = json_array();
	state->groups = json_array();
	state->sessions = json_array();
	state->contents = json_object();
	state->calls = json_object();
	state->violations = json_array();
	if (catalogue_fill(state, err) != 0)
		return -GR_CONFIG;
	runs_add_old(state);
	return 0;
}

static void runs_release(struct state *state)
{
	size_t i;

	for (i = 0; i < state->run_count; i++) {
		gr_free(state->runs[i].build_number);
		gr_free(state->runs[i].build_id);
		gr_free(state->runs[i].build_test_id);
		gr_free(state->runs[i].tests);
	}
	gr_free(state->runs);
	for (i = 0; i < state->native_count; i++) {
		gr_free(state->natives[i].id);
		gr_free(state->natives[i].name);
		gr_free(state->natives[i].file);
	}
	gr_free(state->natives);
	for (i = 0; i < state->install_count; i++)
		gr_free(state->installs[i].id);
	gr_free(state->installs);
	for (i = 0; i < state->reservation_count; i++) {
		gr_free(state->reservations[i].id);
		gr_free(state->reservations[i].comments);
	}
	gr_free(state->reservations);
}

void state_release(struct state *state)
{
	runs_release(state);
	json_decref(state->users);
	json_decref(state->apps);
	json_decref(state->builds);
	json_decref(state->devices);
	json_decref(state->modules);
	json_decref(state->teams);
	json_decref(state->groups);
	json_decref(state->sessions);
	json_decref(state->contents);
	json_decref(state->calls);
	json_decref(state->violations);
	json_decref(state->scenario);
	memset(state, 0, sizeof(*state));
}

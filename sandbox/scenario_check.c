/* What a scenario may hold, as a table: nothing in it is read and then ignored. */
#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/echo.h"
#include "sandbox/faults.h"
#include "sandbox/files.h"
#include "sandbox/routes.h"
#include "sandbox/scenario.h"

enum value_kind {
	VALUE_WORD, /* text; `words`, if any, are those allowed, with | between */
	VALUE_ID, /* text or a number */
	VALUE_NUMBER, /* 0 or more */
	VALUE_OFFSET, /* any number */
	VALUE_BOOL,
	VALUE_ENCODINGS, /* a list of names that echo.h knows */
	VALUE_LIST, /* of mappings with the keys of rows "PLACE." */
	VALUE_MAP, /* of any names, each value as row "PLACE.*" says */
	VALUE_MAPPING /* with the keys of rows "PLACE." */
};

struct rule {
	const char *place; /* the mapping it belongs to; "" is the top */
	const char *key; /* "*": any */
	enum value_kind kind;
	const char *words;
};

#define OUTCOMES "pass|fail|stopped|skipped|not_started|unknown"
#define PLATFORMS "android|ios|web"

#define TEST_RULES(place)                                                                                              \
	{place, "id", VALUE_ID, NULL}, {place, "name", VALUE_WORD, NULL}, {place, "repeat", VALUE_NUMBER, NULL},       \
	        {place, "outcome", VALUE_WORD, OUTCOMES}, {place, "seconds", VALUE_NUMBER, NULL},                      \
	        {place, "reason", VALUE_WORD, NULL}, {place, "flaky", VALUE_NUMBER, NULL},                             \
	        {place, "fails", VALUE_NUMBER, NULL}, {place, "data", VALUE_WORD, NULL},                               \
	        {place, "status", VALUE_WORD, NULL},                                                                   \
	{                                                                                                              \
		place, "tags", VALUE_WORD, NULL                                                                        \
	}

static const struct rule rules[] = {
        {"", "seed", VALUE_NUMBER, NULL},
        {"", "token", VALUE_WORD, NULL},
        {"", "time_scale", VALUE_NUMBER, NULL},
        {"", "queue_seconds", VALUE_NUMBER, NULL},
        {"", "install_seconds", VALUE_NUMBER, NULL},
        {"", "settle_seconds", VALUE_NUMBER, NULL},
        {"", "next_build_id", VALUE_NUMBER, NULL},
        {"", "next_native_id", VALUE_NUMBER, NULL},
        {"", "errors", VALUE_WORD, "answer|http"},
        {"", "build_number_is", VALUE_WORD, "build_version|build_id"},
        {"", "types", VALUE_WORD, "documented|text|numbers|mixed"},
        {"", "single", VALUE_WORD, "object|list"},
        {"", "empty", VALUE_WORD, "list|object|text|absent|refused"},
        {"", "nested_lists", VALUE_WORD, "text|list"},
        {"", "forms", VALUE_WORD, "any|urlencoded|multipart"},
        {"", "file_type", VALUE_WORD, "any|needed"},
        {"", "download_urls", VALUE_WORD, "escaped|plain"},
        {"", "native_status", VALUE_WORD, "text|number"},
        {"", "completed_flag", VALUE_WORD, "normal|absent|early"},
        {"", "devices_shape", VALUE_WORD, "data|devices|by_platform"},
        {"", "execution_top", VALUE_WORD, "plain|data"},
        {"", "queued_run", VALUE_WORD, "told|refused"},
        {"", "busy_device", VALUE_WORD, "queue|refuse"},
        {"", "reservation_begins", VALUE_WORD, "now|later"},
        {"", "reservation_start", VALUE_WORD, "any|future"},
        {"", "reservation_status", VALUE_WORD, "Accepted|Pending|Rejected"},
        {"", "tokens_in_answers", VALUE_BOOL, NULL},
        {"", "echo_token", VALUE_ENCODINGS, NULL},
        {"", "timezones", VALUE_MAP, NULL},
        {"timezones", "*", VALUE_OFFSET, NULL},
        {"", "users", VALUE_LIST, NULL},
        {"users", "id", VALUE_ID, NULL},
        {"users", "email", VALUE_WORD, NULL},
        {"users", "password", VALUE_WORD, NULL},
        {"users", "name", VALUE_WORD, NULL},
        {"users", "token", VALUE_WORD, NULL},
        {"", "applications", VALUE_LIST, NULL},
        {"applications", "id", VALUE_ID, NULL},
        {"applications", "name", VALUE_WORD, NULL},
        {"applications", "platform", VALUE_WORD, PLATFORMS},
        {"applications", "token", VALUE_WORD, NULL},
        {"applications", "old_builds", VALUE_NUMBER, NULL},
        {"applications", "versions", VALUE_LIST, NULL},
        {"applications.versions", "id", VALUE_ID, NULL},
        {"applications.versions", "name", VALUE_ID, NULL},
        {"applications.versions", "token", VALUE_WORD, NULL},
        {"applications.versions", "builds", VALUE_LIST, NULL},
        {"applications.versions.builds", "id", VALUE_ID, NULL},
        {"applications.versions.builds", "name", VALUE_WORD, NULL},
        {"applications.versions.builds", "file", VALUE_WORD, NULL},
        {"", "modules", VALUE_LIST, NULL},
        {"modules", "id", VALUE_ID, NULL},
        {"modules", "name", VALUE_WORD, NULL},
        {"modules", "application", VALUE_WORD, NULL},
        {"modules", "platform", VALUE_WORD, PLATFORMS},
        {"modules", "suite", VALUE_WORD, NULL},
        {"modules", "tests", VALUE_LIST, NULL},
        TEST_RULES("modules.tests"),
        {"modules", "run", VALUE_WORD, "stopped|never_starts|never_ends"},
        {"modules", "stop_after", VALUE_NUMBER, NULL},
        {"modules", "stops", VALUE_NUMBER, NULL},
        {"modules", "queue_seconds", VALUE_NUMBER, NULL},
        {"", "suites", VALUE_MAP, NULL},
        {"suites", "*", VALUE_LIST, NULL},
        TEST_RULES("suites.*"),
        {"", "native", VALUE_LIST, NULL},
        {"native", "match", VALUE_WORD, NULL},
        {"native", "platform", VALUE_WORD, "android|ios"},
        {"native", "all", VALUE_NUMBER, NULL},
        {"native", "passed", VALUE_NUMBER, NULL},
        {"native", "failed", VALUE_NUMBER, NULL},
        {"native", "seconds", VALUE_NUMBER, NULL},
        {"native", "queue_seconds", VALUE_NUMBER, NULL},
        {"native", "log", VALUE_WORD, NULL},
        {"native", "status", VALUE_ID, NULL},
        {"native", "status_text", VALUE_WORD, NULL},
        {"native", "recording", VALUE_BOOL, NULL},
        {"native", "tests", VALUE_LIST, NULL},
        {"native.tests", "class", VALUE_WORD, NULL},
        {"native.tests", "name", VALUE_WORD, NULL},
        {"native.tests", "outcome", VALUE_WORD, "pass|fail|skipped"},
        {"native.tests", "reason", VALUE_WORD, NULL},
        {"", "devices", VALUE_LIST, NULL},
        {"devices", "id", VALUE_ID, NULL},
        {"devices", "name", VALUE_WORD, NULL},
        {"devices", "platform", VALUE_WORD, PLATFORMS},
        {"devices", "os", VALUE_ID, NULL},
        {"devices", "manufacturer", VALUE_WORD, NULL},
        {"devices", "udid", VALUE_ID, NULL},
        {"devices", "s_device", VALUE_ID, NULL},
        {"devices", "tags", VALUE_WORD, NULL},
        {"devices", "downloads", VALUE_WORD, NULL},
        {"devices", "flags", VALUE_MAPPING, NULL},
        {"devices.flags", "is_run_generator", VALUE_ID, NULL},
        {"devices.flags", "is_run_build", VALUE_ID, NULL},
        {"devices.flags", "is_run_local_execution", VALUE_ID, NULL},
        {"devices.flags", "is_run_virtual_usb", VALUE_ID, NULL},
        {"devices.flags", "is_run_device_cloud", VALUE_ID, NULL},
        {"devices.flags", "is_offline", VALUE_ID, NULL},
        {"devices.flags", "is_connected", VALUE_ID, NULL},
        {"devices.flags", "is_device_offline", VALUE_ID, NULL},
        {"devices.flags", "is_unauthorised", VALUE_ID, NULL},
        {"devices.flags", "is_rebooting", VALUE_ID, NULL},
        {"devices.flags", "is_reserved", VALUE_ID, NULL},
        {"devices.flags", "is_preparing", VALUE_ID, NULL},
        {"devices.flags", "is_cleaning", VALUE_ID, NULL},
        {"devices", "reserved_by", VALUE_WORD, NULL},
        {"devices", "install", VALUE_WORD, "ok|fail|never"},
        {"devices", "reason", VALUE_WORD, NULL},
        {"devices", "offline_from", VALUE_NUMBER, NULL},
        {"devices", "offline_until", VALUE_NUMBER, NULL},
        {"", "overrides", VALUE_LIST, NULL},
        {"overrides", "device", VALUE_WORD, NULL},
        {"overrides", "module", VALUE_ID, NULL},
        {"overrides", "test", VALUE_WORD, NULL},
        {"overrides", "outcome", VALUE_WORD, OUTCOMES},
        {"overrides", "reason", VALUE_WORD, NULL},
        {"overrides", "seconds", VALUE_NUMBER, NULL},
        {"overrides", "status", VALUE_WORD, NULL},
        {"", "faults", VALUE_LIST, NULL},
        {"faults", "operation", VALUE_WORD, NULL},
        {"faults", "kind", VALUE_WORD, NULL},
        {"faults", "call", VALUE_NUMBER, NULL},
        {"faults", "from", VALUE_NUMBER, NULL},
        {"faults", "until", VALUE_NUMBER, NULL},
        {"faults", "status", VALUE_NUMBER, NULL},
        {"faults", "headers", VALUE_MAP, NULL},
        {"faults.headers", "*", VALUE_ID, NULL},
        {"faults", "body", VALUE_WORD, NULL},
        {"faults", "url", VALUE_WORD, NULL},
        {"faults", "bytes", VALUE_NUMBER, NULL},
        {"faults", "seconds", VALUE_NUMBER, NULL},
        {"faults", "where", VALUE_WORD, "before|after"},
        {"faults", "count", VALUE_NUMBER, NULL},
        {"faults", "device", VALUE_WORD, NULL},
        {"faults", "work", VALUE_BOOL, NULL},
};

struct checking {
	const char *name;
	struct gr_error *err;
};

static const struct rule *rule_find(const char *place, const char *key)
{
	size_t i;

	for (i = 0; i < GR_COUNT(rules); i++)
		if (strcmp(rules[i].place, place) == 0 &&
		        (strcmp(rules[i].key, key) == 0 || strcmp(rules[i].key, "*") == 0))
			return &rules[i];
	return NULL;
}

static bool words_have(const char *words, const char *word)
{
	size_t bytes = strlen(word);

	for (; words != NULL; words = strchr(words, '|') != NULL ? strchr(words, '|') + 1 : NULL)
		if (strncmp(words, word, bytes) == 0 && (words[bytes] == '|' || words[bytes] == '\0'))
			return true;
	return false;
}

static const char *kind_words(enum value_kind kind)
{
	switch (kind) {
	case VALUE_WORD:
		return "text";
	case VALUE_ID:
		return "text or a number";
	case VALUE_NUMBER:
		return "a number, 0 or more";
	case VALUE_OFFSET:
		return "a number";
	case VALUE_BOOL:
		return "true or false";
	case VALUE_ENCODINGS:
		return "a list of encodings (docs/sandbox.md names them)";
	case VALUE_LIST:
		return "a list of mappings";
	case VALUE_MAP:
	case VALUE_MAPPING:
		break;
	}
	return "a mapping";
}

static bool are_encodings(const json_t *value)
{
	size_t i;
	json_t *entry;

	json_array_foreach (value, i, entry)
		if (!json_is_string(entry) || !echo_encoding_is_known(json_string_value(entry)))
			return false;
	return json_is_array(value);
}

static bool kind_fits(enum value_kind kind, const json_t *value)
{
	switch (kind) {
	case VALUE_WORD:
		return json_is_string(value);
	case VALUE_ID:
		return json_is_string(value) || json_is_number(value);
	case VALUE_NUMBER:
		return json_is_number(value) && json_number_value(value) >= 0 && json_number_value(value) <= 1e12;
	case VALUE_OFFSET:
		return json_is_number(value);
	case VALUE_BOOL:
		return json_is_boolean(value);
	case VALUE_ENCODINGS:
		return are_encodings(value);
	case VALUE_LIST:
		return json_is_array(value);
	case VALUE_MAP:
	case VALUE_MAPPING:
		break;
	}
	return json_is_object(value);
}

static int mapping_check(const struct checking *checking, const char *place, const json_t *mapping);

static int list_check(const struct checking *checking, const char *place, const json_t *list)
{
	size_t i;
	json_t *entry;

	json_array_foreach (list, i, entry) {
		if (!json_is_object(entry))
			return gr_fail(checking->err, GR_CONFIG, 0, "%s: %s: entry %zu must be a mapping",
			        checking->name, place, i + 1);
		if (mapping_check(checking, place, entry) != 0)
			return -GR_CONFIG;
	}
	return 0;
}

static int value_check(const struct checking *checking, const struct rule *rule, const char *key, const json_t *value)
{
	GR_AUTO_FREE char *place = gr_printf("%s%s%s", rule->place, *rule->place != '\0' ? "." : "", rule->key);

	if (!kind_fits(rule->kind, value))
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: '%s' must be %s", checking->name, key,
		        kind_words(rule->kind));
	if (rule->words != NULL && !words_have(rule->words, json_string_value(value)))
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: '%s' is one of %s", checking->name, key, rule->words);
	if (rule->kind == VALUE_LIST)
		return list_check(checking, place, value);
	if (rule->kind == VALUE_MAP || rule->kind == VALUE_MAPPING)
		return mapping_check(checking, place, value);
	return 0;
}

/* As deep as the places of the table, which is 4. */
static int mapping_check(const struct checking *checking, const char *place, const json_t *mapping)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)mapping, key, value) {
		const struct rule *rule = rule_find(place, key);

		if (rule == NULL)
			return gr_fail(checking->err, GR_CONFIG, 0, "%s: the key '%s'%s%s is not known", checking->name,
			        key, *place != '\0' ? " of " : "", place);
		if (value_check(checking, rule, key, value) != 0)
			return -GR_CONFIG;
	}
	return 0;
}

/* What would never happen is a mistake, too. */
static int fault_place_check(const struct checking *checking, const json_t *fault)
{
	const char *kind = member_text(fault, "kind"), *operation = member_text(fault, "operation");

	if (*operation != '\0' && !fault_can_happen(kind, operation))
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: faults: '%s' cannot happen to %s, but to %s",
		        checking->name, kind, operation, fault_kind_operations(kind));
	if (member_number(fault, "call", 1) < 1 || member_number(fault, "until", 1) < 1)
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: faults: calls are counted from 1", checking->name);
	return 0;
}

static int fault_check(const struct checking *checking, const json_t *fault)
{
	const char *kind = member_text(fault, "kind");
	const char *operation = member_text(fault, "operation");
	double status = member_number(fault, "status", 200);

	if (!fault_kind_is_known(kind))
		return gr_fail(
		        checking->err, GR_CONFIG, 0, "%s: faults: the kind '%s' is not known", checking->name, kind);
	if (*operation != '\0' && route_of_id(operation) == NULL && !file_route_is_known(operation))
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: faults: the operation '%s' is not known",
		        checking->name, operation);
	if (status < 200 || status > 599)
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: faults: a status is from 200 to 599", checking->name);
	if (strcmp(kind, "redirect") == 0 && *member_text(fault, "url") == '\0')
		return gr_fail(checking->err, GR_CONFIG, 0, "%s: faults: a redirect needs its url", checking->name);
	return fault_place_check(checking, fault);
}

int scenario_check(const json_t *scenario, const char *name, struct gr_error *err)
{
	struct checking checking = {.name = name, .err = err};
	const json_t *fault;
	size_t i;

	if (mapping_check(&checking, "", scenario) != 0)
		return -GR_CONFIG;
	json_array_foreach (json_object_get(scenario, "faults"), i, fault)
		if (fault_check(&checking, fault) != 0)
			return -GR_CONFIG;
	return 0;
}

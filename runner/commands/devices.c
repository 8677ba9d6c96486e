/* gridlane devices: a table of devices and why each is or is not available. */
#include <stdio.h>
#include <string.h>

#include "reporters/words.h"
#include "runner/api/model.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/online.h"

static char *harmless(const struct online *online, const char *text)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	GR_AUTO_FREE char *clean = NULL;

	if (!text)
		return gr_strdup("-");
	clean = redactor_text(online->redactor, text);
	text_neutralise(&out, clean, strlen(clean), 60);
	return buffer_take(&out);
}

static void print_row(const struct online *online, const struct device *device)
{
	GR_AUTO_FREE char *id = harmless(online, device->device_id);
	GR_AUTO_FREE char *name = harmless(online, device->name);
	GR_AUTO_FREE char *os = harmless(online, device->os_version);
	GR_AUTO_FREE char *tags = harmless(online, device->tags);
	GR_AUTO_FREE char *who = device->reserved_by ? harmless(online, device->reserved_by) : gr_strdup("");
	GR_AUTO_BUFFER struct buffer row = {0};
	bool by = device->state == DEVICE_RESERVED && *who;

	words_pad(&row, id, 7);
	words_pad(&row, name, 28);
	buffer_printf(&row, " %-8s ", platform_name(device->platform));
	words_pad(&row, os, 11);
	words_pad(&row, tags, 24);
	printf("%s %s%s%s\n", buffer_text(&row),
	        device->state == DEVICE_FREE ? "free" : device_state_words(device->state), by ? " by " : "",
	        by ? who : "");
}

static void print_json(const struct online *online, const struct device_list *devices, enum platform wanted)
{
	GR_AUTO_JSON json_t *list = json_array();

	for (size_t i = 0; i < devices->count; i++) {
		const struct device *device = &devices->devices[i];
		json_t *one;

		if (wanted != PLATFORM_UNKNOWN && device->platform != wanted)
			continue;
		one = device_to_json(device);
		(void)json_object_set_new(one, "available", json_boolean(device->state == DEVICE_FREE));
		(void)json_object_set_new(one, "state",
		        json_string(device->state == DEVICE_FREE ? "free" : device_state_words(device->state)));
		(void)json_array_append_new(list, one);
	}
	online_print(online, list, false);
}

static void print_table(const struct online *online, const struct device_list *devices, enum platform wanted)
{
	size_t shown = 0, available = 0;

	printf("%-6s %-28s %-8s %-10s %-24s %s\n", "ID", "NAME", "PLATFORM", "OS", "TAGS", "STATE");
	for (size_t i = 0; i < devices->count; i++) {
		const struct device *device = &devices->devices[i];

		if (wanted != PLATFORM_UNKNOWN && device->platform != wanted)
			continue;
		print_row(online, device);
		shown++;
		available += device->state == DEVICE_FREE;
	}
	printf("\n%zu device%s, %zu free\n", shown, shown == 1 ? "" : "s", available);
}

static int show(struct online *online, enum platform wanted, struct gr_error *err)
{
	GR_AUTO_JSON json_t *arguments = json_object();
	GR_AUTO_JSON json_t *answer = NULL;
	struct device_list devices = {0};
	int r = online_call(online, OP_GET_DEVICE_LIST, arguments, &answer, err);

	if (r == 0)
		r = device_list_decode(answer, &devices, err);
	if (r < 0)
		return r;
	if (argument_is_given(online->arguments, OPT_JSON))
		print_json(online, &devices, wanted);
	else
		print_table(online, &devices, wanted);
	device_list_release(&devices);
	return 0;
}

int command_devices(const struct arguments *arguments)
{
	const char *name = argument_value(arguments, OPT_PLATFORM);
	enum platform wanted = name ? platform_parse(name) : PLATFORM_UNKNOWN;
	struct online online;
	struct gr_error err = {0};
	int status = 0;

	if (name && wanted == PLATFORM_UNKNOWN) {
		(void)gr_fail(&err, GR_USAGE, 0, "--platform: '%s' is none of android, ios, web", name);
		return complain(&err);
	}
	if (online_init(&online, arguments, &err) < 0 || show(&online, wanted, &err) < 0)
		status = complain(&err);
	online_release(&online);
	return status;
}

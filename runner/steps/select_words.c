/* Why devices were taken, or not, in words. */
#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/select_state.h"

const char *select_refusal(const struct select_state *state, const struct device *device)
{
	return device->device_id != NULL ? json_string_value(json_object_get(state->refused, device->device_id)) : NULL;
}

static void say_state(const struct step *step, const struct device *device, struct buffer *words)
{
	const struct select_state *state = step->state;

	if (select_is_held(step, device)) {
		buffer_printf(words, "held by devices.%s of this run", select_other_group(step, device));
		return;
	}
	buffer_add_text(words, device_state_words(device->state));
	if (device->state == DEVICE_RESERVED && device->reserved_by != NULL)
		buffer_printf(words, " by %s", device->reserved_by);
	if (select_refusal(state, device) != NULL)
		buffer_printf(words, ", and its reservation %s", select_refusal(state, device));
}

/* Why the matching devices are not ours, one after the other. */
static void say_why(const struct step *step, struct buffer *words)
{
	const struct select_state *state = step->state;

	for (size_t i = 0; i < state->list.count && words->bytes < 350; i++) {
		const struct device *device = &state->list.devices[i];
		GR_AUTO_FREE char *name = device_words(device);

		if (!select_matches(step, device))
			continue;
		buffer_printf(words, "%s%s is ", words->bytes > 0 ? "; " : "", name);
		say_state(step, device, words);
	}
}

int select_give_up(const struct step *step, const struct event *event, struct gr_error *err)
{
	const struct select_state *state = step->state;
	GR_AUTO_BUFFER struct buffer words = {0};
	char span[CLOCK_TEXT_BYTES];
	size_t had = json_array_size(state->chosen);

	for (size_t i = 0; i < state->order_count; i++)
		had += select_refusal(state, &state->list.devices[state->order[i]]) == NULL;
	say_why(step, &words);
	return gr_fail(err, GR_NO_DEVICE, 0, "after %s, %zu of %lld devices were to be had: %s",
	        clock_format_span(event->now_ms - state->since_ms, span), had, (long long)state->count,
	        buffer_text(&words));
}

static const char *other_group(const struct step *step, const json_t *chosen)
{
	const json_t *taken = json_object_get(step->with, "taken");

	return json_string_value(json_object_get(
	        json_object_get(taken, json_string_value(json_object_get(chosen, "device_id"))), "group"));
}

/* Which devices were taken, and why not the others that match. */
char *select_say_taken(const struct step *step)
{
	const struct select_state *state = step->state;
	GR_AUTO_BUFFER struct buffer taken = {0}, others = {0};
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (state->chosen, i, item) {
		const char *group = other_group(step, item);

		buffer_printf(&taken, "%s%s", i > 0 ? ", " : "", json_string_value(json_object_get(item, "name")));
		if (group != NULL)
			buffer_printf(&taken, " (which devices.%s has, too: the lanes share it)", group);
	}
	for (i = 0; i < state->list.count && others.bytes < 350; i++) {
		const struct device *device = &state->list.devices[i];

		if (!select_matches(step, device) ||
		        (device->state == DEVICE_FREE && select_refusal(state, device) == NULL))
			continue;
		buffer_printf(&others, "%s%s is ", others.bytes > 0 ? ", " : "; not taken: ",
		        device->name != NULL ? device->name : device->device_id);
		say_state(step, device, &others);
	}
	return gr_printf("took %s%s", buffer_text(&taken), buffer_text(&others));
}

/* What was looked for: "name Galaxy S2*, os >=13; tag regression". */
static void say_wanted(const struct step *step, struct buffer *words)
{
	json_t *entry = NULL, *value = NULL;
	const char *key = NULL;
	size_t i = 0;

	json_array_foreach (json_object_get(step->with, "any_of"), i, entry) {
		const char *before = i > 0 ? "; " : "";

		json_object_foreach (entry, key, value) {
			if (!json_is_string(value))
				continue;
			buffer_printf(words, "%s%s %s", before, key, json_string_value(value));
			before = ", ";
		}
	}
}

int select_say_none(const struct step *step, struct gr_error *err)
{
	const struct select_state *state = step->state;
	const char *platform = step->context->platform;
	GR_AUTO_BUFFER struct buffer wanted = {0};

	say_wanted(step, &wanted);
	return gr_fail(err, GR_NO_DEVICE, 0, "none of the account's %zu devices matches any_of (%s)%s%s",
	        state->list.count, buffer_text(&wanted), platform != NULL ? " on " : "",
	        platform != NULL ? platform : "");
}

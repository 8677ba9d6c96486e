#include "runner/steps/remains.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"

static const struct {
	const char *kind;
	int (*remains)(struct step *step, const struct event *event, struct action *ret_action);
} kinds[] = {{"app_build_run", app_build_run_remains}, {"native_test", native_test_remains}};

struct device_run *remains_of(const char *kind, const char *lane, const char *step, const json_t *memory)
{
	const struct step_context context = {.lane = lane, .step = step};
	struct step stopped = {.context = &context, .memory = (json_t *)(uintptr_t)memory};
	struct event event = {.kind = EVENT_STOP};
	struct action action = {0};
	struct device_run *run = NULL;

	if (!json_is_true(json_object_get(memory, "intent")))
		return NULL;
	(void)gr_fail(&event.error, GR_CANCELLED, 0, "the process that followed this run was killed");
	for (size_t i = 0; i < GR_COUNT(kinds); i++)
		if (text_equal(kinds[i].kind, kind) && kinds[i].remains(&stopped, &event, &action) == 0)
			run = gr_take(&action.device_run);
	if (run != NULL)
		run->started_wall_ms = memory_int(&stopped, "start_wall_ms", TIME_UNKNOWN);
	action_release(&action);
	return run;
}

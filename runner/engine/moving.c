/* How far each file is that is under way, up or down: said at the pace of displays, from the ticks of the run. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/engine/run.h"

#define SAY_EVERY_MS 500

static void say(struct task *task)
{
	const char *sends = NULL, *gets = NULL, *path, *slash;
	const struct transfer *up = call_transfer(task->call, &sends);
	const struct transfer *down = download_transfer(task->download, &gets);
	int64_t sent, send_total, received, receive_total;
	GR_AUTO_JSON json_t *detail = NULL;
	struct run_event event = {.kind = STEP_MOVED, .lane = task->lane->name, .step = task->plan->id};

	if (!(up && sends) && !(down && gets))
		return;
	path = up && sends ? sends : gets;
	slash = strrchr(path, '/');
	transfer_progress(path == sends ? up : down, &sent, &send_total, &received, &receive_total);
	event.text = slash ? slash + 1 : path;
	event.done = path == sends ? sent : received;
	event.total = path == sends ? send_total : receive_total;
	if (event.done == task->moved_bytes)
		return;
	task->moved_bytes = event.done;
	detail = json_pack("{s:s}", "direction", path == sends ? "upload" : "download");
	event.detail = detail;
	engine_emit(task->engine, &event);
}

/* Lanes in lanes are as deep as a matrix in a matrix: as the file's own limit. */
static void say_all(const struct lane *lane)
{
	if (!lane || !lane->task)
		return;
	say(lane->task);
	for (size_t i = 0; i < lane->task->lane_count; i++)
		say_all(lane->task->lanes[i]);
}

void moving_say(struct engine *engine)
{
	int64_t now_ms = loop_now(engine->loop);

	if (now_ms - engine->moved_ms < SAY_EVERY_MS)
		return;
	engine->moved_ms = now_ms;
	say_all(engine->main);
	say_all(engine->finally);
}

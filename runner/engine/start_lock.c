/* One runner of this host at a time starts runs on a server, from the list before the start to its answer: so that,
 * should the answer get lost, what is new in the list is ours or comes from elsewhere, but not from next door. A
 * flock() in the user's state folder, which dies with its process. Best effort: where it cannot be had, starts go on
 * without. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/engine/run.h"

#define WAIT_MOST_MS 300000 /* longer than any start, its answer and the search for it take: somebody is stuck */
#define AGAIN_MS 200

/* The caller's; NULL: there is no home. */
static char *make_folder(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && state[0] == '/')
		return gr_printf("%s/gridlane", state);
	return home && home[0] == '/' ? gr_printf("%s/.local/state/gridlane", home) : NULL;
}

void start_lock_open(struct engine *engine)
{
	GR_AUTO_FREE char *folder = make_folder();
	GR_AUTO_FREE char *name = NULL;
	GR_AUTO_CLOSE int directory = -1;
	struct gr_error why = {0};
	char hex[65];

	engine->start_lock.fd = -1;
	if (engine->options->server_url || !folder || file_make_directory(folder, &directory, &why) < 0)
		return; /* a sandbox inside is nobody else's */
	file_sha256_memory(engine->base_url, strlen(engine->base_url), hex);
	name = gr_printf("start-%.12s.lock", hex);
	engine->start_lock.fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void start_lock_close(struct engine *engine)
{
	if (engine->start_lock.fd > 0)
		(void)close(engine->start_lock.fd);
	engine->start_lock.fd = -1;
}

bool start_lock_take(struct engine *engine, int64_t since_ms, int64_t *ret_again_ms)
{
	struct start_lock *lock = &engine->start_lock;

	*ret_again_ms = engine_scaled(engine, AGAIN_MS) + 1;
	if (lock->holders == 0 && lock->fd > 0 && flock(lock->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
	        loop_now(engine->loop) - since_ms < engine_scaled(engine, WAIT_MOST_MS))
		return false;
	lock->holders++;
	return true;
}

void start_lock_give(struct engine *engine, bool *holds)
{
	struct start_lock *lock = &engine->start_lock;

	if (!*holds)
		return;
	*holds = false;
	if (--lock->holders == 0 && lock->fd > 0)
		(void)flock(lock->fd, LOCK_UN); /* nothing can go wrong with a lock that is ours */
}

/* What loop.c shares with the other files of this room alone. */
#ifndef GRIDLANE_NET_LOOP_PRIVATE_H
#define GRIDLANE_NET_LOOP_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/net/loop.h"

struct multi;

struct watch {
	void (*on_readable)(void *context); /* one of the two is set */
	void (*on_socket)(void *context, int fd, uint32_t events); /* events: EPOLLIN ... */
	void *context;
	uint32_t generation; /* tells an event of this watch from one of an earlier watch of the same number */
	bool is_set;
};

struct due { /* an entry of the heap */
	struct timer *timer;
	int64_t due_ms;
	uint64_t sequence; /* equal times run in the order of setting */
};

struct loop {
	int epoll, clock, signals; /* clock: a timerfd of CLOCK_BOOTTIME, which a suspend does not stop */
	int64_t now_ms, armed_ms;
	bool is_stopped;
	struct due *heap;
	unsigned due_count;
	uint64_t sequence;
	struct timer **batch; /* those that run in this turn; NULL where one was cleared or moved meanwhile */
	unsigned batch_count;
	struct watch *watches; /* by descriptor */
	unsigned watch_count;
	uint32_t generation;
	void (*on_signal)(void *context, int signal_number);
	void *signal_context;
	struct child *children;
	struct multi *multi; /* from the first transfer on */
	unsigned max_connections;
};

/* Add a watch, or change what an existing one waits for. */
int loop_watch_events(struct loop *loop, int fd, uint32_t events, const struct watch *watch, struct gr_error *err);
void children_release(struct loop *loop); /* kill and forget, no call backs */

#endif

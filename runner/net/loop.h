/* The one wait: timers, HTTP transfers, child processes and signals all wake the same place. One thread. Callbacks run
 * from loop_run() alone and may start or cancel anything. */
#ifndef GRIDLANE_NET_LOOP_H
#define GRIDLANE_NET_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/error.h"

struct loop;
/* max_connections: how many connections libcurl may hold open at once (the rest queue inside it). */
int loop_new(unsigned max_connections, struct loop **ret_loop, struct gr_error *err);
void loop_free(struct loop *loop); /* cancels what is left, without calling back */

/* Run until loop_stop(), or until nothing is left that could wake it (signals and watched descriptors alone do not
 * count). */
int loop_run(struct loop *loop, struct gr_error *err);
void loop_stop(struct loop *loop);
int64_t loop_now(const struct loop *loop); /* CLOCK_BOOTTIME ms, read once a turn */

/* A timer is part of its owner; zeroed is a valid unset one. Setting a set timer moves it. Due timers run in the order
 * of their times; setting one for a past time makes it run in the next turn, never inside the call. */
struct timer {
	int64_t due_ms; /* CLOCK_BOOTTIME */
	void (*on_due)(void *context);
	void *context;
	unsigned place; /* in the heap, 1-based; 0: not set */
};
void loop_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void loop_timer_clear(struct loop *loop, struct timer *timer); /* an unset timer is fine */

/* SIGINT, SIGTERM and SIGHUP arrive here as values (signalfd; they are blocked from loop_signals_block() on, which main
 * calls first of all so that none is lost before there is a loop). SIGPIPE is ignored. */
void loop_signals_block(void);
sigset_t loop_signals(void); /* the three */
void loop_on_signal(struct loop *loop, void (*on_signal)(void *context, int signal_number), void *context);

/* Call back whenever fd is readable (or hung up), until removed. */
int loop_watch(struct loop *loop, int fd, void (*on_readable)(void *context), void *context, struct gr_error *err);
void loop_unwatch(struct loop *loop, int fd);

/* A child process in its own process group, SIGTERM on our death. Its stdout and stderr arrive line by line (a line of
 * over 64 KiB in pieces). `environment` is complete (NULL-terminated "K=V"); cwd may be NULL. GR_COMMAND when it cannot
 * start. */
struct child;
struct child_ops {
	void (*on_line)(void *context, bool is_stderr, const char *line, size_t bytes);
	void (*on_exit)(void *context, int status); /* wait status; the child is released afterwards */
};
struct child_order { /* borrowed for the time of the call, but ops and context */
	char *const *argv;
	char *const *environment;
	const char *cwd;
	const struct child_ops *ops;
	void *context;
};
int child_start(struct loop *loop, const struct child_order *order, struct child **ret_child, struct gr_error *err);
void child_kill(struct child *child, int signal_number); /* the whole group */

#endif

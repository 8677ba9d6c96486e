#include "runner/net/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/net/loop_private.h"
#include "runner/net/multi.h"

#define EVENTS_A_TURN 64
#define IN_BATCH 0x80000000U /* in timer.place: the rest is an index into the batch, not a place in the heap */

/* ---- timers: a binary heap; timer.place is the index + 1 ---- */

static bool is_before(const struct due *a, const struct due *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void put(struct loop *loop, unsigned index, struct due due)
{
	loop->heap[index] = due;
	due.timer->place = index + 1;
}

static void sift_up(struct loop *loop, unsigned index, struct due due)
{
	while (index > 0 && is_before(&due, &loop->heap[(index - 1) / 2])) {
		put(loop, index, loop->heap[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	put(loop, index, due);
}

static void sift_down(struct loop *loop, unsigned index, struct due due)
{
	for (;;) {
		unsigned child = index * 2 + 1;

		if (child + 1 < loop->due_count && is_before(&loop->heap[child + 1], &loop->heap[child]))
			child++;
		if (child >= loop->due_count || !is_before(&loop->heap[child], &due))
			break;
		put(loop, index, loop->heap[child]);
		index = child;
	}
	put(loop, index, due);
}

static void heap_remove(struct loop *loop, unsigned index)
{
	struct due last = loop->heap[--loop->due_count];

	loop->heap[index].timer->place = 0;
	if (index == loop->due_count)
		return;
	if (index > 0 && is_before(&last, &loop->heap[(index - 1) / 2]))
		sift_up(loop, index, last);
	else
		sift_down(loop, index, last);
}

void loop_timer_clear(struct loop *loop, struct timer *timer)
{
	if (timer->place & IN_BATCH)
		loop->batch[timer->place & ~IN_BATCH] = NULL;
	else if (timer->place)
		heap_remove(loop, timer->place - 1);
	timer->place = 0;
}

void loop_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms)
{
	struct due due = {.timer = timer, .due_ms = due_ms, .sequence = loop->sequence++};

	loop_timer_clear(loop, timer);
	timer->due_ms = due_ms;
	if (due_ms == CLOCK_NEVER)
		return; /* nothing to wake for */
	loop->heap = gr_grow(loop->heap, loop->due_count, sizeof(*loop->heap));
	sift_up(loop, loop->due_count++, due);
}

/* All that are due leave the heap before the first one runs: what they set anew waits for the next turn. */
static void collect_due(struct loop *loop)
{
	loop->batch_count = 0;
	while (loop->due_count && loop->heap[0].due_ms <= loop->now_ms) {
		struct timer *timer = loop->heap[0].timer;

		heap_remove(loop, 0);
		loop->batch = gr_grow(loop->batch, loop->batch_count, sizeof(struct timer *));
		timer->place = IN_BATCH | loop->batch_count;
		loop->batch[loop->batch_count++] = timer;
	}
}

static void run_timers(struct loop *loop)
{
	collect_due(loop);
	for (unsigned i = 0; i < loop->batch_count; i++) {
		struct timer *timer = loop->batch[i];

		if (!timer)
			continue;
		loop->batch[i] = NULL;
		timer->place = 0;
		if (loop->is_stopped)
			loop_timer_set(loop, timer, timer->due_ms);
		else
			timer->on_due(timer->context);
	}
	loop->batch_count = 0;
}

/* ---- descriptors ---- */

static struct watch *watch_of(const struct loop *loop, int fd)
{
	return fd >= 0 && (unsigned)fd < loop->watch_count && loop->watches[fd].is_set ? &loop->watches[fd] : NULL;
}

static void make_place(struct loop *loop, unsigned fd)
{
	unsigned count = loop->watch_count;

	if (fd < count)
		return;
	loop->watch_count = fd + 1 < 64 ? 64 : (fd + 1) * 2;
	loop->watches = gr_resize(loop->watches, loop->watch_count, sizeof(*loop->watches));
	memset(loop->watches + count, 0, (loop->watch_count - count) * sizeof(*loop->watches));
}

int loop_watch_events(struct loop *loop, int fd, uint32_t events, const struct watch *watch, struct gr_error *err)
{
	bool is_new = !watch_of(loop, fd);
	uint32_t generation = is_new ? ++loop->generation : loop->watches[fd].generation;
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd};

	if (fd < 0)
		return gr_fail(err, GR_INTERNAL, EBADF, "cannot wait for a descriptor");
	if (epoll_ctl(loop->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0 &&
	        (is_new || errno != ENOENT || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0))
		return gr_fail(err, GR_INTERNAL, errno, "cannot wait for descriptor %d", fd);
	make_place(loop, (unsigned)fd);
	loop->watches[fd] = *watch;
	loop->watches[fd].generation = generation;
	loop->watches[fd].is_set = true;
	return 0;
}

int loop_watch(struct loop *loop, int fd, void (*on_readable)(void *context), void *context, struct gr_error *err)
{
	struct watch watch = {.on_readable = on_readable, .context = context};

	return loop_watch_events(loop, fd, EPOLLIN, &watch, err);
}

void loop_unwatch(struct loop *loop, int fd)
{
	struct watch *watch = watch_of(loop, fd);

	if (!watch)
		return;
	*watch = (struct watch){0};
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL); /* closed ones have left by themselves */
}

static void dispatch(struct loop *loop, const struct epoll_event *event)
{
	int fd = (int)(event->data.u64 & 0xFFFFFFFFU);
	struct watch *watch = watch_of(loop, fd);

	if (!watch || watch->generation != event->data.u64 >> 32)
		return; /* unwatched by an earlier call back of this turn */
	if (watch->on_socket)
		watch->on_socket(watch->context, fd, event->events);
	else
		watch->on_readable(watch->context);
}

/* ---- signals ---- */

sigset_t loop_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	return set;
}

void loop_signals_block(void)
{
	sigset_t set = loop_signals();
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* neither can fail with valid arguments */
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static void read_signals(void *context)
{
	struct loop *loop = context;
	struct signalfd_siginfo info;

	while (loop->on_signal && read(loop->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop->on_signal(loop->signal_context, (int)info.ssi_signo);
}

void loop_on_signal(struct loop *loop, void (*on_signal)(void *context, int signal_number), void *context)
{
	loop->on_signal = on_signal;
	loop->signal_context = context;
	if (!on_signal)
		loop_unwatch(loop, loop->signals); /* they stay pending for who asks next */
	else
		(void)loop_watch(loop, loop->signals, read_signals, loop, NULL); /* was tried in loop_new() */
}

/* ---- the wait ---- */

static void read_clock(void *context)
{
	struct loop *loop = context;
	uint64_t expirations;

	if (read(loop->clock, &expirations, sizeof(expirations)) > 0)
		loop->armed_ms = CLOCK_NEVER;
}

static int open_descriptors(struct loop *loop, struct gr_error *err)
{
	sigset_t set = loop_signals();
	int r;

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0)
		loop->clock = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->clock >= 0)
		loop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signals < 0)
		return gr_fail(err, GR_INTERNAL, errno, "cannot make the event loop");
	r = loop_watch(loop, loop->clock, read_clock, loop, err);
	if (r == 0)
		r = loop_watch(loop, loop->signals, read_signals, loop, err);
	if (r == 0)
		loop_unwatch(loop, loop->signals);
	return r;
}

int loop_new(unsigned max_connections, struct loop **ret_loop, struct gr_error *err)
{
	struct loop *loop = gr_alloc(1, sizeof(*loop));
	int r;

	loop->epoll = loop->clock = loop->signals = -1;
	loop->armed_ms = CLOCK_NEVER;
	loop->now_ms = clock_now_ms();
	loop->max_connections = max_connections ? max_connections : 1;
	r = open_descriptors(loop, err);
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	multi_free(loop->multi);
	children_release(loop);
	close_one(loop->epoll);
	close_one(loop->clock);
	close_one(loop->signals);
	gr_free(loop->heap);
	gr_free(loop->batch);
	gr_free(loop->watches);
	gr_free(loop);
}

int64_t loop_now(const struct loop *loop)
{
	return loop->now_ms;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

/* libcurl's own timer only keeps idle connections tidy when there is no transfer. */
static bool has_work(const struct loop *loop)
{
	return loop->children || multi_is_busy(loop->multi) || loop->due_count > multi_timer_count(loop->multi);
}

/* Have the timerfd wake at the nearest time. Returns epoll's timeout: 0 when that time has come. */
static int arm_clock(struct loop *loop)
{
	int64_t due_ms = loop->due_count ? loop->heap[0].due_ms : CLOCK_NEVER;
	struct itimerspec when = {.it_value = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000}};

	if (due_ms <= loop->now_ms)
		return 0;
	if (due_ms == CLOCK_NEVER || due_ms == loop->armed_ms)
		return -1; /* one that is armed still for a timer since cleared only costs a turn */
	if (timerfd_settime(loop->clock, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return (int)(due_ms - loop->now_ms > 1000 ? 1000 : due_ms - loop->now_ms);
	loop->armed_ms = due_ms;
	return -1;
}

static int turn(struct loop *loop, struct gr_error *err)
{
	struct epoll_event events[EVENTS_A_TURN];
	int count = epoll_wait(loop->epoll, events, EVENTS_A_TURN, arm_clock(loop));

	if (count < 0 && errno != EINTR)
		return gr_fail(err, GR_INTERNAL, errno, "cannot wait for events");
	loop->now_ms = clock_now_ms();
	for (int i = 0; i < count && !loop->is_stopped; i++)
		dispatch(loop, &events[i]);
	run_timers(loop);
	if (loop->multi)
		multi_turn(loop->multi);
	return 0;
}

int loop_run(struct loop *loop, struct gr_error *err)
{
	int r = 0;

	loop->now_ms = clock_now_ms();
	if (loop->multi)
		multi_turn(loop->multi);
	while (r == 0 && !loop->is_stopped && has_work(loop))
		r = turn(loop, err);
	loop->is_stopped = false;
	return r;
}

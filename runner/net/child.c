#include "runner/net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/net/loop_private.h"

#define LINE_MOST_BYTES 65536
/* After its end all that a child wrote itself is in the pipes. Someone that it left behind may hold them open for ever
 * (a daemon such as adb's server): so much longer is waited for the last words of that one. */
#define DRAIN_MS 500
#define DRAIN_READS 64 /* 1 MiB, the most that a pipe holds */
#define KILL_WAIT_MS 1000
/* Where the kernel has no pidfd (or a sandbox forbids it), a look this often tells of a child's end. */
#define LOOK_MS 20

struct stream {
	struct child *child;
	int fd; /* -1: at its end */
	bool is_stderr, is_left_out; /* is_left_out: the rest of a word that had no end, until one comes */
	struct buffer line; /* begun, not ended */
};

struct child {
	struct loop *loop;
	struct child *next;
	const struct child_ops *ops;
	void *context;
	pid_t pid; /* a zombie until its pipes are drained: its number stays ours, and so does its group's */
	int pidfd;
	bool is_dead, is_reaped;
	struct stream streams[2];
	struct timer timer; /* looks for the end without a pidfd; then for the end of the pipes */
};

/* ---- in the child, between fork and exec: async-signal-safe calls alone ---- */

struct start {
	char *const *argv, *const *environment;
	const char *cwd;
	int out[2], err[2], report[2]; /* pipes; report takes errno when exec fails */
	pid_t parent;
};

static void restore_signals(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaction(SIGPIPE, &usual, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Out of the way of 0, 1 and 2, one of which it may be when we were started without them. */
static bool move_up(int *fd)
{
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	return *fd >= 0;
}

static bool connect_streams(const struct start *start)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), out = start->out[1], err = start->err[1];

	return null >= 0 && move_up(&null) && move_up(&out) && move_up(&err) && dup2(null, 0) >= 0 &&
	       dup2(out, 1) >= 0 && dup2(err, 2) >= 0;
}

static bool prepare(const struct start *start)
{
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return false;
	if (getppid() != start->parent) /* died before we asked to be told */
		_exit(1);
	if (!connect_streams(start) || (start->cwd && chdir(start->cwd) < 0))
		return false;
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* what others opened without it; old kernels cannot */
	restore_signals();
	return true;
}

static void __attribute__((noreturn)) run_child(const struct start *start)
{
	int report = start->report[1], errnum;

	if (!move_up(&report))
		_exit(127);
	if (prepare(start)) {
		environ = (char **)(uintptr_t)start->environment; /* PATH is looked up there too */
		(void)execvp(start->argv[0], start->argv);
	}
	errnum = errno;
	_exit(write(report, &errnum, sizeof(errnum)) < 0 ? 126 : 127);
}

/* ---- in the parent ---- */

static void child_release(struct child *child)
{
	struct child **place = &child->loop->children;

	while (*place && *place != child)
		place = &(*place)->next;
	if (*place)
		*place = child->next;
	loop_timer_clear(child->loop, &child->timer);
	for (size_t i = 0; i < 2; i++) {
		if (child->streams[i].fd >= 0) {
			loop_unwatch(child->loop, child->streams[i].fd);
			(void)close(child->streams[i].fd);
		}
		buffer_release(&child->streams[i].line);
	}
	if (child->pidfd >= 0) {
		loop_unwatch(child->loop, child->pidfd);
		(void)close(child->pidfd);
	}
	gr_free(child);
}

static void finish(struct child *child)
{
	int status = 0;

	for (size_t i = 0; i < 2; i++) {
		struct buffer line = child->streams[i].line;

		child->streams[i].line = (struct buffer){0};
		if (line.bytes)
			child->ops->on_line(child->context, i == 1, line.data, line.bytes);
		buffer_release(&line);
	}
	if (waitpid(child->pid, &status, 0) < 0)
		status = 127 << 8; /* someone took our child's status: cannot be a success */
	child->is_reaped = true;
	child->ops->on_exit(child->context, status);
	child_release(child);
}

static bool is_over(const struct child *child)
{
	return child->is_dead && child->streams[0].fd < 0 && child->streams[1].fd < 0;
}

/* A line that is full is handed on up to its last blank, for what is cut within a word may be cut within a secret, and
 * no half of it is one that a redactor knows. Without a blank it is left out, whatever follows it up to one included.
 */
static void hand_on_part(struct stream *stream)
{
	static const char left_out[] = "[text of more than 64 KiB without a blank: left out]";
	struct buffer *line = &stream->line;
	size_t whole = text_whole_words(line->data, line->bytes, line->bytes - 1);
	const struct child *child = stream->child;

	if (whole > 0) {
		child->ops->on_line(child->context, stream->is_stderr, line->data, whole);
		memmove(line->data, line->data + whole, line->bytes - whole);
		line->bytes -= whole;
		line->data[line->bytes] = '\0';
		return;
	}
	child->ops->on_line(child->context, stream->is_stderr, left_out, sizeof(left_out) - 1);
	buffer_clear(line);
	stream->is_left_out = true;
}

/* The rest of a word that was left out. */
static size_t skip_word(struct stream *stream, const char *data, size_t bytes)
{
	size_t skipped = 0;

	while (skipped < bytes && !strchr(" \t\r\n", data[skipped]))
		skipped++;
	stream->is_left_out = skipped == bytes;
	if (skipped < bytes && data[skipped] == '\n')
		skipped++; /* its line has been said */
	return skipped;
}

static void take_lines(struct stream *stream, const char *data, size_t bytes)
{
	const struct child *child = stream->child;

	while (bytes) {
		size_t room = LINE_MOST_BYTES - stream->line.bytes, part;
		const char *end;

		part = stream->is_left_out ? skip_word(stream, data, bytes) : 0;
		data += part;
		bytes -= part;
		end = memchr(data, '\n', bytes < room ? bytes : room);
		part = end ? (size_t)(end - data) : bytes < room ? bytes : room;
		buffer_add(&stream->line, data, part);
		if (end) {
			child->ops->on_line(
			        child->context, stream->is_stderr, buffer_text(&stream->line), stream->line.bytes);
			buffer_clear(&stream->line);
		} else if (stream->line.bytes == LINE_MOST_BYTES) {
			hand_on_part(stream);
		}
		data += part + (end != NULL);
		bytes -= part + (end != NULL);
	}
}

/* false: nothing more for now, or ever (then it is closed). */
static bool read_some(struct stream *stream)
{
	char data[16384];
	ssize_t bytes = read(stream->fd, data, sizeof(data));

	if (bytes > 0) {
		take_lines(stream, data, (size_t)bytes);
		return true;
	}
	if (bytes < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	loop_unwatch(stream->child->loop, stream->fd);
	(void)close(stream->fd);
	stream->fd = -1;
	return false;
}

static void on_output(void *context)
{
	struct stream *stream = context;

	(void)read_some(stream);
	if (is_over(stream->child))
		finish(stream->child);
}

/* Whoever holds the pipes now is not our child. What that one wrote itself is all here, at most a pipe full. */
static void on_drain_due(void *context)
{
	struct child *child = context;

	for (unsigned i = 0; i < 2 * DRAIN_READS; i++) {
		struct stream *stream = &child->streams[i / DRAIN_READS];

		if (stream->fd >= 0 && !read_some(stream))
			i |= DRAIN_READS - 1; /* on to the other one */
	}
	finish(child);
}

static void on_death(void *context)
{
	struct child *child = context;

	child->is_dead = true;
	loop_unwatch(child->loop, child->pidfd);
	if (is_over(child)) {
		finish(child);
		return;
	}
	child->timer.on_due = on_drain_due;
	loop_timer_set(child->loop, &child->timer, loop_now(child->loop) + DRAIN_MS);
}

static void look_for_death(void *context)
{
	struct child *child = context;
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
		on_death(child);
	else
		loop_timer_set(child->loop, &child->timer, loop_now(child->loop) + LOOK_MS);
}

static int watch_death(struct child *child, struct gr_error *err)
{
	child->timer = (struct timer){.on_due = look_for_death, .context = child};
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd >= 0)
		return loop_watch(child->loop, child->pidfd, on_death, child, err);
	loop_timer_set(child->loop, &child->timer, loop_now(child->loop) + LOOK_MS);
	return 0;
}

static void close_pipe(int ends[2])
{
	for (size_t i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			(void)close(ends[i]);
		ends[i] = -1;
	}
}

static int open_pipes(struct start *start, struct gr_error *err)
{
	if (pipe2(start->out, O_CLOEXEC) < 0 || pipe2(start->err, O_CLOEXEC) < 0 ||
	        pipe2(start->report, O_CLOEXEC) < 0 || fcntl(start->out[0], F_SETFL, O_NONBLOCK) < 0 ||
	        fcntl(start->err[0], F_SETFL, O_NONBLOCK) < 0)
		return gr_fail(err, GR_COMMAND, errno, "cannot make pipes for '%s'", start->argv[0]);
	return 0;
}

/* Waits until exec has closed the report pipe or said why it failed: a moment, for nothing else happens there. */
static int exec_result(struct start *start)
{
	int errnum = 0;
	ssize_t bytes;

	(void)close(start->report[1]);
	start->report[1] = -1;
	do
		bytes = read(start->report[0], &errnum, sizeof(errnum));
	while (bytes < 0 && errno == EINTR);
	return bytes == (ssize_t)sizeof(errnum) ? errnum : 0;
}

static int spawn(struct start *start, pid_t *ret_pid, struct gr_error *err)
{
	pid_t pid = fork();
	int errnum;

	if (pid < 0)
		return gr_fail(err, GR_COMMAND, errno, "cannot start '%s'", start->argv[0]);
	if (pid == 0)
		run_child(start);
	(void)setpgid(pid, pid); /* whoever comes first; fails once the other has done it and run exec */
	errnum = exec_result(start);
	if (errnum) {
		(void)waitpid(pid, NULL, 0);
		if (start->cwd)
			return gr_fail(
			        err, GR_COMMAND, errnum, "cannot start '%s' in '%s'", start->argv[0], start->cwd);
		return gr_fail(err, GR_COMMAND, errnum, "cannot start '%s'", start->argv[0]);
	}
	*ret_pid = pid;
	return 0;
}

static int watch_child(struct child *child, struct start *start, struct gr_error *err)
{
	int *ends[2] = {&start->out[0], &start->err[0]};
	int r;

	for (size_t i = 0; i < 2; i++) {
		child->streams[i] = (struct stream){.child = child, .fd = *ends[i], .is_stderr = i == 1};
		*ends[i] = -1;
		r = loop_watch(child->loop, child->streams[i].fd, on_output, &child->streams[i], err);
		if (r < 0)
			return r;
	}
	return watch_death(child, err);
}

static void kill_at_once(struct child *child)
{
	struct pollfd death = {.fd = child->pidfd, .events = POLLIN};

	if (child->is_reaped)
		return;
	(void)kill(-child->pid, SIGKILL);
	for (int waited_ms = 0; waited_ms < KILL_WAIT_MS && waitpid(child->pid, NULL, WNOHANG) == 0;
	        waited_ms += LOOK_MS)
		(void)poll(&death, 1, LOOK_MS); /* one stuck in the kernel is left to init */
}

static struct child *adopt(struct loop *loop, pid_t pid, const struct child_ops *ops, void *context)
{
	struct child *child = gr_alloc(1, sizeof(*child));

	child->loop = loop;
	child->pid = pid;
	child->ops = ops;
	child->context = context;
	child->pidfd = child->streams[0].fd = child->streams[1].fd = -1;
	child->next = loop->children;
	loop->children = child;
	return child;
}

int child_start(struct loop *loop, const struct child_order *order, struct child **ret_child, struct gr_error *err)
{
	struct start start = {.argv = order->argv,
	        .environment = order->environment,
	        .cwd = order->cwd,
	        .out = {-1, -1},
	        .err = {-1, -1},
	        .report = {-1, -1},
	        .parent = getpid()};
	struct child *child = NULL;
	pid_t pid = -1;
	int r = open_pipes(&start, err);

	if (r == 0)
		r = spawn(&start, &pid, err);
	if (r == 0) {
		child = adopt(loop, pid, order->ops, order->context);
		r = watch_child(child, &start, err);
	}
	close_pipe(start.out);
	close_pipe(start.err);
	close_pipe(start.report);
	if (r < 0 && child) {
		kill_at_once(child);
		child_release(child);
	}
	if (r == 0)
		*ret_child = child;
	return r;
}

void child_kill(struct child *child, int signal_number)
{
	if (!child->is_reaped)
		(void)kill(-child->pid, signal_number); /* ESRCH: all are gone already */
}

void children_release(struct loop *loop)
{
	while (loop->children) {
		kill_at_once(loop->children);
		child_release(loop->children);
	}
}

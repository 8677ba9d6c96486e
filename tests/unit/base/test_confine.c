#include "runner/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum seen { SEEN_ALL_REFUSED, SEEN_NOT_SUPPORTED, SEEN_EXEC, SEEN_PTRACE, SEEN_IO_URING, SEEN_MOUNT, SEEN_USUAL_CALLS };

static enum seen probe(void)
{
	char *const nothing[] = {NULL};

	if (!confine_to_itself())
		return SEEN_NOT_SUPPORTED;
	if (execve("/bin/true", nothing, nothing) == 0 || errno != EPERM)
		return SEEN_EXEC;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
		return SEEN_PTRACE;
	if (syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != EPERM)
		return SEEN_IO_URING;
	if (syscall(SYS_mount, NULL, NULL, NULL, 0UL, NULL) == 0 || errno != EPERM)
		return SEEN_MOUNT;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 || socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ||
	        fork() < 0)
		return SEEN_USUAL_CALLS;
	return SEEN_ALL_REFUSED;
}

enum place_seen { PLACES_KEPT, PLACES_NOT_SUPPORTED, PLACES_READ, PLACES_WRITE, PLACES_INSIDE, PLACES_OPEN };

static bool may_open(const char *folder, const char *name, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static enum place_seen probe_places(const char *inside, const char *outside)
{
	const char *const reads[] = {"/etc", "/not/there", NULL}, *const writes[] = {inside, NULL};
	int kept = -1;

	if (!may_open(outside, "file", O_RDWR | O_CREAT))
		return PLACES_OPEN;
	kept = open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!confine_to_places(&(struct confine_places){.reads = reads, .writes = writes}))
		return PLACES_NOT_SUPPORTED;
	if (may_open(outside, "file", O_RDONLY) || openat(kept, "file", O_RDONLY | O_CLOEXEC) >= 0)
		return PLACES_READ;
	if (may_open(outside, "other", O_WRONLY | O_CREAT) || may_open("/etc", "passwd", O_WRONLY))
		return PLACES_WRITE;
	if (!may_open(inside, "new", O_RDWR | O_CREAT) || !may_open("/etc", "passwd", O_RDONLY) ||
	        !may_open(inside, "new", O_RDONLY))
		return PLACES_INSIDE;
	return PLACES_KEPT;
}

static int call_port(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	(void)close(fd);
	return r;
}

/* Nobody listens there: a port that may be called refuses, any other is not even asked. */
static enum place_seen probe_ports(void)
{
	const char *const none[] = {NULL};
	const unsigned ports[] = {9, 0};

	if (!confine_to_places(&(struct confine_places){.reads = none, .writes = none, .ports = ports}))
		return PLACES_NOT_SUPPORTED;
	if (call_port(10) != EACCES)
		return PLACES_NOT_SUPPORTED; /* a kernel that knows files alone */
	return call_port(9) == ECONNREFUSED ? PLACES_KEPT : PLACES_INSIDE;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	assert_true(pid >= 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* In a process of its own: there is no way back. */
static int probe_apart(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit((int)probe());
	return wait_for(pid);
}

static void it_starts_no_program_any_more_and_works_on(void **state)
{
	int seen = probe_apart();

	(void)state;
	if (seen == SEEN_NOT_SUPPORTED)
		skip(); /* a sanitizer's build, or a kernel without filters */
	assert_int_equal(seen, SEEN_ALL_REFUSED);
}

static void it_opens_no_file_outside_its_places(void **state)
{
	char inside[] = "/tmp/gridlane-in-XXXXXX", outside[] = "/tmp/gridlane-out-XXXXXX", path[64];
	int seen;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(inside));
	assert_non_null(mkdtemp(outside));
	pid = fork();
	if (pid == 0)
		_exit((int)probe_places(inside, outside));
	seen = wait_for(pid);
	(void)snprintf(path, sizeof(path), "%s/new", inside);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/file", outside);
	(void)unlink(path);
	(void)rmdir(inside);
	(void)rmdir(outside);
	if (seen == PLACES_NOT_SUPPORTED)
		skip(); /* a kernel without Landlock */
	assert_int_equal(seen, PLACES_KEPT);
}

static void it_calls_no_port_but_its_own(void **state)
{
	int seen;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit((int)probe_ports());
	seen = wait_for(pid);
	if (seen == PLACES_NOT_SUPPORTED)
		skip();
	assert_int_equal(seen, PLACES_KEPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_starts_no_program_any_more_and_works_on),
	        cmocka_unit_test(it_opens_no_file_outside_its_places),
	        cmocka_unit_test(it_calls_no_port_but_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

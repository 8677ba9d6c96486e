#include "runner/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	if (open("/etc/hosts", O_RDONLY | O_CLOEXEC) < 0 || socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ||
	        fork() < 0)
		return SEEN_USUAL_CALLS;
	return SEEN_ALL_REFUSED;
}

/* In a process of its own: there is no way back. */
static int probe_apart(void)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit((int)probe());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void it_starts_no_program_any_more_and_works_on(void **state)
{
	int seen = probe_apart();

	(void)state;
	if (seen == SEEN_NOT_SUPPORTED)
		skip(); /* a sanitizer's build, or a kernel without filters */
	assert_int_equal(seen, SEEN_ALL_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_starts_no_program_any_more_and_works_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* run RESULT COMMAND...: run it, and write what it cost: wall ns, user us, system us, most KiB resident, exit status.
 * A program of its own, as what a process had resident before its exec counts too, and a driver in Python is large. */
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t micros(const struct timeval *time)
{
	return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

int main(int argc, char **argv)
{
	extern char **environ;
	struct rusage usage;
	int64_t start = now_ns(), end;
	int status = 0;
	FILE *file;
	pid_t pid;

	if (argc < 3 || posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
	        waitpid(pid, &status, 0) != pid)
		return 127;
	end = now_ns();
	(void)getrusage(RUSAGE_CHILDREN, &usage); /* and all that it waited for */
	file = fopen(argv[1], "we");
	if (!file)
		return 127;
	fprintf(file, "%" PRId64 " %" PRId64 " %" PRId64 " %ld %d\n", end - start, micros(&usage.ru_utime),
	        micros(&usage.ru_stime), usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return fclose(file) == 0 ? 0 : 127;
}

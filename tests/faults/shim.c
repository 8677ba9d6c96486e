/* Stands before the C library of a process under test (LD_PRELOAD) and has the Nth call of a kind go wrong, as
 * GRIDLANE_FAULT says: "malloc N" (no memory), "short N" (half of a write), "interrupted N" (EINTR), "ahead N" and
 * "back N" (the wall clock is set by an hour from that look at it on), "exit N" (a library ends the process, as
 * libarchive does without memory). Without it, or with N 0, it only counts, and
 * says at the end how many there were: a line "KIND COUNT" for each in GRIDLANE_FAULT_COUNTS. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *reallocarray(void *memory, size_t count, size_t bytes);

enum kind { KIND_MALLOC, KIND_SHORT, KIND_INTERRUPTED, KIND_AHEAD, KIND_BACK, KIND_EXIT, KIND_COUNT };

static const char *const names[] = {"malloc", "short", "interrupted", "ahead", "back", "exit"};
static atomic_long counts[KIND_COUNT];
static long due[KIND_COUNT];
static pid_t self; /* children of the process are left alone */

__attribute__((constructor)) static void begin(void)
{
	const char *fault = getenv("GRIDLANE_FAULT");

	self = getpid();
	for (int kind = 0; fault && kind < KIND_COUNT; kind++) {
		size_t length = strlen(names[kind]);

		if (strncmp(fault, names[kind], length) == 0 && fault[length] == ' ')
			due[kind] = atol(fault + length + 1);
	}
	for (int kind = 0; kind < KIND_COUNT; kind++)
		counts[kind] = 0; /* the loader's own do not count */
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("GRIDLANE_FAULT_COUNTS");
	int fd = path && getpid() == self ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600)
	                                  : -1;
	char line[64];

	for (int kind = 0; fd >= 0 && kind < KIND_COUNT; kind++) {
		int bytes = snprintf(line, sizeof(line), "%s %ld\n", names[kind], atomic_load(&counts[kind]));

		(void)syscall(SYS_write, fd, line, (size_t)bytes);
	}
}

static bool is_due(enum kind kind)
{
	return self && atomic_fetch_add(&counts[kind], 1) + 1 == due[kind] && getpid() == self;
}

static bool has_no_memory(void)
{
	if (!is_due(KIND_MALLOC))
		return false;
	errno = ENOMEM;
	return true;
}

static bool is_interrupted(void)
{
	if (!is_due(KIND_INTERRUPTED))
		return false;
	errno = EINTR;
	return true;
}

void *malloc(size_t bytes)
{
	return has_no_memory() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return has_no_memory() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	return has_no_memory() ? NULL : __libc_realloc(memory, bytes);
}

void *reallocarray(void *memory, size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(memory, all);
}

/* Half of it, if that is anything. */
static size_t shorten(size_t bytes)
{
	return is_due(KIND_SHORT) && bytes > 1 ? bytes / 2 : bytes;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
	return is_interrupted() ? -1 : syscall(SYS_write, fd, data, shorten(bytes));
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
	return is_interrupted() ? -1 : syscall(SYS_pwrite64, fd, data, shorten(bytes), offset);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset)
{
	return pwrite(fd, data, bytes, offset);
}

int fsync(int fd)
{
	return is_interrupted() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return is_interrupted() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int close(int fd)
{
	int result = (int)syscall(SYS_close, fd);

	return is_interrupted() ? -1 : result; /* Linux closes all the same */
}

/* Of libarchive, once a member of the bundle. gridlane asks for it by its name, as the library is loaded late. */
static void (*real_set_pathname)(void *entry, const char *path);

static void set_pathname(void *entry, const char *path)
{
	if (is_due(KIND_EXIT))
		exit(1);
	real_set_pathname(entry, path);
}

void *dlsym(void *restrict library, const char *restrict name)
{
	void *(*real)(void *, const char *);
	void *symbol = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34"), *ours;
	void (*replacement)(void *, const char *) = set_pathname;

	memcpy(&real, &symbol, sizeof(real));
	symbol = real(library, name);
	if (strcmp(name, "archive_entry_set_pathname") != 0)
		return symbol;
	memcpy(&real_set_pathname, &symbol, sizeof(symbol));
	memcpy(&ours, &replacement, sizeof(ours));
	return ours;
}

static bool is_past(enum kind kind)
{
	long number = atomic_fetch_add(&counts[kind], 1) + 1;

	return self && due[kind] && number >= due[kind];
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, id, now);

	if (id != CLOCK_REALTIME)
		return result;
	now->tv_sec += is_past(KIND_AHEAD) ? 3600 : 0;
	now->tv_sec -= is_past(KIND_BACK) ? 3600 : 0;
	return result;
}

/* From argv to a command, and its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"

static int unknown_command(const char *name)
{
	const char *names[64] = {0};
	const char *near;
	size_t count = 0;

	for (const struct command *command = commands; command->name && count + 1 < GR_COUNT(names); command++)
		names[count++] = command->name;
	near = text_suggest(name, names);
	fprintf(stderr, "gridlane: there is no command '%s'%s%s%s; see `gridlane --help`\n", name,
	        near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	return failure_exit_status(GR_USAGE);
}

/* A core dump would hold the token; so would what another process of the same user reads out of this one. And a file
 * with the keys of its TLS connections is nothing that a variable may ask for. */
static void keep_memory_private(void)
{
	static const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)unsetenv("SSLKEYLOGFILE");
	/* reports are for everybody to read, unless the user's own mask says less; state files ask for 0600 by
	 * themselves */
	(void)umask(umask(022) | 022);
}

/* With one of the three closed by our parent, the next file opened would take its place: the console would then write
 * into the journal. */
static bool keep_standard_files(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return false;
	return true;
}

/* main() has come to its end. */
static bool is_over;

/* A library that gives up by itself (libarchive without memory: exit(1)) does not make its status a verdict on tests.
 */
static void keep_status(void)
{
	static const char words[] = "gridlane: a library ended the process, most likely for want of memory; `gridlane "
	                            "resume` goes on with this run\n";

	if (is_over)
		return;
	_exit(write(STDERR_FILENO, words, sizeof(words) - 1) < 0 ? 3 : failure_exit_status(GR_INTERNAL));
}

/* Who takes what was printed for the whole of it must hear that it is not. A reader that went away did not want more; a
 * run's verdict stands on reports that are files, and its console may be gone. */
static int check_printed(const char *command, int status)
{
	static const char *const runs[] = {"run", "resume", "cleanup"};
	struct pollfd reader = {.fd = STDOUT_FILENO};
	struct gr_error err = {0};

	for (size_t i = 0; i < GR_COUNT(runs); i++)
		if (strcmp(command, runs[i]) == 0)
			return status;
	errno = 0;
	if ((fflush(stdout) == 0 && ferror(stdout) == 0) || status != 0 ||
	        (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0))
		return status;
	(void)gr_fail(&err, GR_DISK, errno, "what was printed could not be written");
	return complain(&err);
}

static int run(int argc, char **argv)
{
	const struct command *command;
	struct arguments arguments = {0};
	struct gr_error err = {0};
	int status;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		command = argc > 2 ? command_find(argv[2]) : NULL;
		if (argc > 2 && command == NULL)
			return unknown_command(argv[2]);
		if (command != NULL)
			help_print_command(command);
		else
			help_print_all();
		return argc < 2 ? failure_exit_status(GR_USAGE) : 0;
	}
	command = command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	if (arguments_parse(command, argc - 2, argv + 2, &arguments, &err) < 0) {
		status = complain(&err);
	} else if (argument_is_given(&arguments, OPT_HELP)) {
		help_print_command(command);
		status = 0;
	} else {
		status = check_printed(command->name, command->run(&arguments));
	}
	arguments_release(&arguments);
	return status;
}

int main(int argc, char **argv)
{
	int status;

	if (!keep_standard_files() || atexit(keep_status) != 0)
		return failure_exit_status(GR_INTERNAL);
	libraries_init();
	keep_memory_private();
	status = run(argc, argv);
	is_over = true;
	return status;
}

/* The sandbox in a process of its own, which ends with the one that asked for it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "sandbox/server.h"

struct greeting { /* child to parent, through a pipe: both are the same program */
	int rc;
	struct gr_error error;
	unsigned short port;
	char token[64], user_id[32];
	double time_scale;
};

/* The terminal's signals are the parent's business: the sandbox must outlive them to see the releases. */
static void signals_settle(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	sigset_t none;
	size_t i;

	for (i = 0; i < GR_COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
}

/* Keep only the two pipes and standard error: a pipe of the parent's that stays open here would keep its reader
 * waiting. */
static void handles_settle(int lifeline, int answer)
{
	int low = lifeline < answer ? lifeline : answer;
	int high = lifeline < answer ? answer : lifeline;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
	}
	if (low > 3)
		(void)close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0U, 0);
}

static void child_main(const struct sandbox_options *options, int lifeline, int answer)
{
	struct greeting greeting = {0};
	struct sandbox *sandbox = NULL;

	signals_settle();
	handles_settle(lifeline, answer);
	greeting.rc = sandbox_open(options, &sandbox, &greeting.error);
	if (sandbox != NULL) {
		const char *token = sandbox_token(sandbox);
		size_t bytes = strlen(token);

		greeting.port = sandbox_port(sandbox);
		greeting.time_scale = sandbox_time_scale(sandbox);
		(void)snprintf(greeting.user_id, sizeof(greeting.user_id), "%s", sandbox_user_id(sandbox));
		if (bytes >= sizeof(greeting.token))
			greeting.rc =
			        gr_fail(&greeting.error, GR_CONFIG, 0, "scenario: the token is longer than 63 bytes");
		else
			memcpy(greeting.token, token, bytes);
	}
	if (file_write_all(answer, &greeting, sizeof(greeting)) == 0 && greeting.rc == 0) {
		(void)close(answer);
		sandbox_serve(sandbox, lifeline);
	}
	if (sandbox != NULL)
		sandbox_close(sandbox);
	_exit(0);
}

static bool greeting_read(int fd, struct greeting *ret_greeting)
{
	char *place = (char *)ret_greeting;
	size_t done = 0;

	while (done < sizeof(*ret_greeting)) {
		ssize_t n = read(fd, place + done, sizeof(*ret_greeting) - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static int greet(int fd, struct sandbox_process *process, struct gr_error *err)
{
	struct greeting greeting;
	GR_AUTO_FREE char *url = NULL;

	if (!greeting_read(fd, &greeting))
		return gr_fail(err, GR_INTERNAL, 0, "the sandbox ended before it had begun");
	if (greeting.rc != 0) {
		if (err != NULL)
			*err = greeting.error;
		return greeting.rc;
	}
	url = gr_printf("http://127.0.0.1:%u", greeting.port);
	memcpy(process->url, url, strlen(url) + 1);
	memcpy(process->token, greeting.token, sizeof(process->token));
	memcpy(process->user_id, greeting.user_id, sizeof(process->user_id));
	process->time_scale = greeting.time_scale;
	return 0;
}

int sandbox_fork(const struct sandbox_options *options, struct sandbox_process *ret_process, struct gr_error *err)
{
	struct sandbox_process process = {.pid = -1, .lifeline = -1};
	int lifeline[2], answer[2], rc = 0;

	if (pipe2(lifeline, O_CLOEXEC) != 0)
		return gr_fail(err, GR_INTERNAL, errno, "the sandbox's lifeline");
	if (pipe2(answer, O_CLOEXEC) != 0) {
		rc = gr_fail(err, GR_INTERNAL, errno, "the sandbox's pipe");
		(void)close(lifeline[0]);
		(void)close(lifeline[1]);
		return rc;
	}
	process.pid = fork();
	if (process.pid == 0)
		child_main(options, lifeline[0], answer[1]);
	(void)close(lifeline[0]);
	(void)close(answer[1]);
	process.lifeline = lifeline[1];
	rc = process.pid < 0 ? gr_fail(err, GR_INTERNAL, errno, "the sandbox's process")
	                     : greet(answer[0], &process, err);
	(void)close(answer[0]);
	if (rc != 0) {
		sandbox_end(&process);
		return rc;
	}
	*ret_process = process;
	return 0;
}

void sandbox_end(struct sandbox_process *process)
{
	if (process->lifeline >= 0)
		(void)close(process->lifeline);
	while (process->pid > 0 && waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	process->lifeline = process->pid = -1;
}

/* gridlane sandbox: the emulated TestGrid, until a signal. */
#include <signal.h>
#include <stdio.h>

#include "runner/base/number.h"
#include "runner/commands/command.h"
#include "runner/net/loop.h"
#include "sandbox/sandbox.h"

int command_sandbox(const struct arguments *arguments)
{
	struct sandbox_options options = {
	        .scenario_file = argument_value(arguments, OPT_SCENARIO),
	        .log_file = argument_value(arguments, OPT_LOG),
	};
	const char *port = argument_value(arguments, OPT_PORT);
	const char *scale = argument_value(arguments, OPT_TIME_SCALE);
	struct sandbox *sandbox = NULL;
	struct gr_error err = {0};
	sigset_t signals = loop_signals();
	int64_t number = 0;
	int got;

	if (port && (!number_parse_int(port, &number) || number < 0 || number > 65535)) {
		(void)gr_fail(&err, GR_USAGE, 0, "--port: '%s' is not a number from 0 to 65535", port);
		return complain(&err);
	}
	if (scale && (!number_parse_real(scale, &options.time_scale) || options.time_scale <= 0)) {
		(void)gr_fail(&err, GR_USAGE, 0, "--time-scale: '%s' is not a positive number", scale);
		return complain(&err);
	}
	options.port = (unsigned short)number;
	(void)sigprocmask(SIG_BLOCK, &signals, NULL); /* the server's thread inherits it; sigwait takes them here */
	if (sandbox_start(&options, &sandbox, &err) < 0)
		return complain(&err);
	printf("TESTGRID_URL=http://127.0.0.1:%u\nTESTGRID_TOKEN=%s\n", sandbox_port(sandbox), sandbox_token(sandbox));
	(void)fflush(stdout);
	(void)sigwait(&signals, &got);
	sandbox_stop(sandbox);
	return 0;
}

/* bench_server's runs: each start is a run of its own, with tests that end one after the other as time passes. */
#ifndef GRIDLANE_BENCH_LANES_H
#define GRIDLANE_BENCH_LANES_H

#include <stddef.h>
#include <stdint.h>

struct lane_run {
	char device[64];
	int64_t start_ms, asked_ms; /* asked_ms: the last poll, 0: none */
};

struct lanes {
	unsigned tests; /* of each run; 0: there are no runs, all answers are files */
	int64_t run_ms, every_ms; /* how long a run is, and how often it should be asked for */
	struct lane_run *runs;
	size_t count;
	int64_t late_ms; /* the most that a poll came after its time and a tenth */
};

/* The answer to a start, a poll or a list, the caller's (free); NULL: none of these. `form` is the request's body. */
char *lanes_answer(struct lanes *lanes, const char *path, const char *form, size_t *ret_bytes);

#endif

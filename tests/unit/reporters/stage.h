/* A console for tests, and what it wrote. */
#ifndef GRIDLANE_TESTS_REPORTERS_STAGE_H
#define GRIDLANE_TESTS_REPORTERS_STAGE_H

#include "tests/unit/reporters/sample.h"

/* A console that writes into a file without a name, and what it wrote so far. */
struct stage {
	FILE *file;
	struct event_reader reader;
};

static inline void stage_open(struct stage *stage, unsigned flags, struct redactor *redactor)
{
	stage->file = tmpfile();
	assert_non_null(stage->file);
	assert_int_equal(console_open(fileno(stage->file), flags, redactor, &stage->reader, NULL), 0);
}

static inline void say(struct stage *stage, struct run_event event)
{
	assert_int_equal(stage->reader.event(stage->reader.state, &event, NULL), 0);
}

/* What was written, the caller's. */
static inline char *heard(struct stage *stage)
{
	long bytes = lseek(fileno(stage->file), 0, SEEK_END);
	char *text = gr_alloc((size_t)bytes + 1, 1);

	assert_int_equal(pread(fileno(stage->file), text, (size_t)bytes, 0), bytes);
	return text;
}

/* Close, and what was written, the caller's. */
static inline char *stage_close(struct stage *stage)
{
	char *text;

	assert_int_equal(stage->reader.close(stage->reader.state, NULL), 0);
	text = heard(stage);
	(void)fclose(stage->file);
	return text;
}

static inline void expect(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("'%s' is not in:\n%s", piece, text);
}

static inline void expect_none(const char *text, const char *piece)
{
	if (strstr(text, piece))
		fail_msg("'%s' is in:\n%s", piece, text);
}

#define LANE .lane = "phones/0 Galaxy S21", .step = "regression"

#endif

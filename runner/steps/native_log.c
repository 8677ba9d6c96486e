#include "runner/steps/native_log.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

#define NAME_MOST_BYTES 4096

bool native_log_next(const char **at, const char *end, struct native_log_line *ret_line)
{
	const char *line = *at;
	const char *stop;

	if (line >= end)
		return false;
	stop = memchr(line, '\n', (size_t)(end - line));
	if (stop == NULL)
		stop = end;
	*at = stop < end ? stop + 1 : end;
	if (stop > line && stop[-1] == '\r')
		stop--;
	*ret_line = (struct native_log_line){line, (size_t)(stop - line)};
	return true;
}

bool native_log_skip(struct native_log_line *line, const char *prefix)
{
	size_t bytes = strlen(prefix);

	if (line->bytes < bytes || memcmp(line->text, prefix, bytes) != 0)
		return false;
	line->text += bytes;
	line->bytes -= bytes;
	return true;
}

char *native_log_copy(const char *text, size_t bytes)
{
	return gr_strndup(text, text_whole_words(text, bytes, NAME_MOST_BYTES));
}

struct test_case *native_log_add(struct native_log *log, char *class_name, char *name)
{
	struct test_case *test;

	if (log->case_count >= NATIVE_LOG_MOST_CASES) {
		log->is_full = true;
		gr_free(class_name);
		gr_free(name);
		return NULL;
	}
	log->cases = gr_grow(log->cases, log->case_count, sizeof(*log->cases));
	test = &log->cases[log->case_count++];
	*test = (struct test_case){
	        .name = name, .class_name = class_name, .status = STATUS_PASSED, .time_ms = TIME_UNKNOWN};
	return test;
}

void native_log_end(struct test_case *test, enum case_status status, char *reason)
{
	test->status = status;
	test->failure = status == STATUS_FAILED ? GR_FAILED : status == STATUS_ERROR ? GR_STOPPED : GR_NONE;
	gr_free(test->reason);
	test->reason = reason;
}

bool native_log_parse(const char *text, size_t bytes, struct native_log *ret_log)
{
	*ret_log = (struct native_log){0};
	native_log_instrumentation(text, bytes, ret_log);
	if (ret_log->case_count == 0)
		native_log_xctest(text, bytes, ret_log);
	return ret_log->case_count > 0;
}

void native_log_release(struct native_log *log)
{
	for (size_t i = 0; i < log->case_count; i++)
		test_case_release(&log->cases[i]);
	gr_free(log->cases);
	gr_free(log->trouble);
	*log = (struct native_log){0};
}

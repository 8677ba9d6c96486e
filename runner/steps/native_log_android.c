/* Android's instrumentation, in its two forms. `am instrument -r` prints blocks of INSTRUMENTATION_STATUS lines, each
 * ended by a code: 1 a test starts, 0 it passed, -1 and -2 it failed, -3 and -4 it was skipped. Without -r it prints
 * each class with a dot for every test that passed, failures by name with their stack, and a summary. */
#include <ctype.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/steps/native_log.h"

#define OPEN_MOST 64

struct reader {
	struct native_log *log;
	/* the block being read */
	char *class_name, *test, *last_key;
	struct buffer stack;
	/* the tests under way, in the raw form: indexes; some runners have several at a time */
	size_t open[OPEN_MOST], open_count;
	bool is_raw;
	/* the form for people */
	char *header; /* the class whose dots come */
	size_t unnamed; /* dots of that class so far */
	size_t failing; /* the failure whose stack comes: an index plus 1 */
	bool was_empty; /* the last line was */
};

/* ---- raw ---- */

static void add_stack_line(struct reader *reader, struct native_log_line line)
{
	if (reader->stack.bytes + line.bytes + 1 > NATIVE_LOG_REASON_BYTES)
		return;
	if (reader->stack.bytes > 0)
		buffer_add_char(&reader->stack, '\n');
	buffer_add(&reader->stack, line.text, line.bytes);
}

static void clear_block(struct reader *reader)
{
	gr_free(reader->class_name);
	gr_free(reader->test);
	gr_free(reader->last_key);
	reader->class_name = reader->test = reader->last_key = NULL;
	buffer_clear(&reader->stack);
}

static void set_text(char **place, struct native_log_line value)
{
	gr_free(*place);
	*place = native_log_copy(value.text, value.bytes);
}

/* "class=org.example.ShopTest" */
static void take_status(struct reader *reader, struct native_log_line line)
{
	const char *equals = memchr(line.text, '=', line.bytes);
	struct native_log_line value;

	if (equals == NULL)
		return;
	value = (struct native_log_line){equals + 1, line.bytes - (size_t)(equals + 1 - line.text)};
	set_text(&reader->last_key, (struct native_log_line){line.text, (size_t)(equals - line.text)});
	if (strcmp(reader->last_key, "class") == 0)
		set_text(&reader->class_name, value);
	else if (strcmp(reader->last_key, "test") == 0)
		set_text(&reader->test, value);
	else if (strcmp(reader->last_key, "stack") == 0)
		add_stack_line(reader, value);
	else if (strcmp(reader->last_key, "Error") == 0 && reader->log->trouble == NULL)
		reader->log->trouble = native_log_copy(value.text, value.bytes);
}

static void open_test(struct reader *reader)
{
	struct test_case *test = native_log_add(reader->log, gr_take(&reader->class_name), gr_take(&reader->test));

	if (test == NULL)
		return;
	if (reader->open_count == OPEN_MOST) /* the first will not end */
		memmove(reader->open, reader->open + 1, --reader->open_count * sizeof(*reader->open));
	reader->open[reader->open_count++] = reader->log->case_count - 1;
	native_log_end(test, STATUS_ERROR, gr_strdup("started, and never ended"));
}

/* Which of those under way the block is about, or open_count. */
static size_t find_open(const struct reader *reader)
{
	size_t i = 0;

	for (; i < reader->open_count; i++) {
		const struct test_case *open = &reader->log->cases[reader->open[i]];

		if (text_equal(open->class_name, reader->class_name) && text_equal(open->name, reader->test))
			break;
	}
	return i;
}

/* An end without a start: the log's beginning is missing. An app may send blocks of its own while a test runs. */
static void close_test(struct reader *reader, enum case_status status)
{
	size_t at = find_open(reader);

	if (at == reader->open_count && reader->open_count > 0)
		return;
	if (at == reader->open_count)
		open_test(reader);
	if (at == reader->open_count)
		return; /* the log is full */
	native_log_end(&reader->log->cases[reader->open[at]], status,
	        reader->stack.bytes > 0 ? buffer_take(&reader->stack) : NULL);
	reader->open_count--;
	memmove(reader->open + at, reader->open + at + 1, (reader->open_count - at) * sizeof(*reader->open));
}

static void take_code(struct reader *reader, struct native_log_line line)
{
	GR_AUTO_FREE char *text = native_log_copy(line.text, line.bytes);
	int64_t code = 0;

	if (reader->class_name != NULL && reader->test != NULL && number_parse_int(text, &code)) {
		if (code == 1)
			open_test(reader);
		else if (code == 0)
			close_test(reader, STATUS_PASSED);
		else if (code == -1 || code == -2)
			close_test(reader, STATUS_FAILED);
		else if (code == -3 || code == -4)
			close_test(reader, STATUS_SKIPPED);
	}
	clear_block(reader);
}

/* The process that ran the tests went away: those under way failed by it. */
static void take_trouble(struct reader *reader, struct native_log_line words)
{
	gr_free(reader->log->trouble);
	reader->log->trouble = native_log_copy(words.text, words.bytes);
	for (size_t i = 0; i < reader->open_count; i++)
		native_log_end(&reader->log->cases[reader->open[i]], STATUS_FAILED,
		        gr_printf("the test did not end: the runner says: %s", reader->log->trouble));
	reader->open_count = 0;
}

static void take_raw(struct reader *reader, struct native_log_line line)
{
	if (native_log_skip(&line, "STATUS: ")) {
		reader->is_raw = true;
		take_status(reader, line);
	} else if (native_log_skip(&line, "STATUS_CODE: "))
		take_code(reader, line);
	else if (native_log_skip(&line, "RESULT: shortMsg=") || native_log_skip(&line, "FAILED: ") ||
	         native_log_skip(&line, "ABORTED: "))
		take_trouble(reader, line);
	else
		clear_block(reader);
}

/* ---- for people ---- */

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '.';
}

static size_t count_dots(const char *text, size_t bytes)
{
	size_t count = 0;

	while (count < bytes && text[count] == '.')
		count++;
	return count;
}

static void add_unnamed(struct reader *reader, size_t dots)
{
	for (size_t i = 0; i < dots; i++)
		(void)native_log_add(reader->log, gr_strdup(reader->header),
		        gr_printf("(passed test %zu, not named in the log)", ++reader->unnamed));
}

/* "org.example.ShopTest:..." */
static bool take_header(struct reader *reader, struct native_log_line line)
{
	size_t name = 0, dots = 0;

	while (name < line.bytes && is_name_byte(line.text[name]))
		name++;
	if (name == 0 || name == line.bytes || line.text[name] != ':' || memchr(line.text, '.', name) == NULL)
		return false;
	dots = count_dots(line.text + name + 1, line.bytes - name - 1);
	if (dots != line.bytes - name - 1 || (reader->failing > 0 && !reader->was_empty))
		return false;
	set_text(&reader->header, (struct native_log_line){line.text, name});
	reader->unnamed = 0;
	add_unnamed(reader, dots);
	return true;
}

/* "testPay(org.example.ShopTest):" after "Error in ", or "testPay:" in older runners. */
static void take_failure(struct reader *reader, struct native_log_line line)
{
	const char *open = memrchr(line.text, '(', line.bytes); /* a name with values in it may have more */
	char *class_name = gr_strdup(reader->header);
	size_t name = line.bytes;

	if (name > 0 && line.text[name - 1] == ':')
		name--;
	if (open != NULL && name > 0 && line.text[name - 1] == ')') {
		gr_free(class_name);
		class_name = native_log_copy(open + 1, (size_t)(line.text + name - 1 - (open + 1)));
		name = (size_t)(open - line.text);
	}
	if (native_log_add(reader->log, class_name, native_log_copy(line.text, name)) == NULL)
		return;
	reader->failing = reader->log->case_count;
	native_log_end(&reader->log->cases[reader->failing - 1], STATUS_FAILED, NULL);
	buffer_clear(&reader->stack);
}

static void end_failure(struct reader *reader)
{
	struct test_case *test = reader->failing > 0 ? &reader->log->cases[reader->failing - 1] : NULL;

	if (test == NULL)
		return;
	while (reader->stack.bytes > 0 && reader->stack.data[reader->stack.bytes - 1] == '\n')
		reader->stack.data[--reader->stack.bytes] = '\0';
	if (test->reason == NULL && reader->stack.bytes > 0)
		test->reason = buffer_take(&reader->stack);
	buffer_clear(&reader->stack);
	reader->failing = 0;
}

static bool is_summary(struct native_log_line line)
{
	static const char *const words[] = {"Time: ", "OK (", "FAILURES!!!", "There was 1 failure", "There were ",
	        "Test results for ", "Tests run: "};

	for (size_t i = 0; i < GR_COUNT(words); i++)
		if (native_log_skip(&line, words[i]))
			return true;
	return false;
}

/* "Tests run: 5,  Failures: 1" of a log that does not show the failure: its beginning is lost, and with it the names.
 */
static void take_counts(struct reader *reader, struct native_log_line line)
{
	static const char word[] = "Failures: ";
	const char *count = memmem(line.text, line.bytes, word, sizeof(word) - 1);
	const char *end = line.text + line.bytes;

	count = count != NULL ? count + sizeof(word) - 1 : end;
	if (count == end || *count < '1' || *count > '9' || reader->log->trouble != NULL)
		return;
	for (size_t i = 0; i < reader->log->case_count; i++)
		if (reader->log->cases[i].status == STATUS_FAILED)
			return;
	reader->log->trouble = native_log_copy(line.text, line.bytes);
}

/* The last line of a summary. A log may have more runs: shards, or tests that are run one by one. */
static bool ends_summary(struct native_log_line line)
{
	return native_log_skip(&line, "OK (") || native_log_skip(&line, "Tests run: ");
}

/* true: the summary begins, which repeats what is known. */
static bool take_plain(struct reader *reader, struct native_log_line line)
{
	size_t dots = count_dots(line.text, line.bytes);

	if (native_log_skip(&line, "Error in ") || native_log_skip(&line, "Failure in ")) {
		end_failure(reader);
		take_failure(reader, line);
	} else if (is_summary(line)) {
		end_failure(reader);
		return true;
	} else if (dots > 0 && dots == line.bytes && reader->header != NULL) {
		end_failure(reader);
		add_unnamed(reader, dots);
	} else if (take_header(reader, line)) {
		end_failure(reader);
	} else if (reader->failing > 0) {
		add_stack_line(reader, line);
	}
	return false;
}

void native_log_instrumentation(const char *text, size_t bytes, struct native_log *log)
{
	struct reader reader = {.log = log};
	const char *at = text, *end = text + bytes;
	struct native_log_line line;
	bool is_over = false;

	while (native_log_next(&at, end, &line)) {
		struct native_log_line rest = line;

		if (native_log_skip(&rest, "INSTRUMENTATION_")) {
			end_failure(&reader);
			take_raw(&reader, rest);
		} else if (reader.is_raw) {
			if (reader.last_key != NULL && strcmp(reader.last_key, "stack") == 0)
				add_stack_line(&reader, line);
		} else {
			is_over = (is_over || take_plain(&reader, line)) && !ends_summary(line);
			if (native_log_skip(&rest, "Tests run: "))
				take_counts(&reader, line);
		}
		reader.was_empty = line.bytes == 0;
	}
	end_failure(&reader);
	clear_block(&reader);
	buffer_release(&reader.stack);
	gr_free(reader.header);
}

/* Swift Testing: "✔ Test adds() passed after 0.1 seconds." and its like, each after a mark that is no ASCII. Tests run
 * side by side and no line says of which suite, so a test is known by its name alone. What failed is told before:
 * "✘ Test pays() recorded an issue at CartTests.swift:7:2: Expectation failed: …", with more after "↳". */
#include <ctype.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/steps/native_log_apple.h"

#define UNDER_WAY_MOST 2048 /* side by side; of more than that, an end is read and a missing end is not */
#define TRIES_MOST 10
/* A log that starts so many and ends none is no log: what follows is not read. */
#define STARTS_MOST (2 * NATIVE_LOG_MOST_CASES)

struct swift_test {
	char *name;
	size_t bytes;
	unsigned crashes; /* tries that ended with the process */
	bool is_lost; /* the last of them, and not run again yet */
};

enum happening { STARTED, PASSED, FAILED, SKIPPED, CANCELLED, ISSUE, OTHER };

static const struct {
	const char *words;
	enum happening happening;
} happenings[] = {
        {" started.", STARTED},
        {" passed after ", PASSED},
        {" failed after ", FAILED},
        {" was cancelled after ", CANCELLED},
        {" skipped", SKIPPED},
        {" recorded an issue", ISSUE},
        {" recorded a known issue", OTHER},
        {" recorded a warning", OTHER},
};

/* ---- the line ---- */

/* Is there a mark right before `at`, but for blanks and the codes of colours? */
static bool is_marked(struct native_log_line line, const char *at)
{
	while (at > line.text) {
		const char *escape = NULL;

		if (at[-1] == ' ') {
			at--;
			continue;
		}
		if (at[-1] != 'm')
			return (unsigned char)at[-1] >= 0x80;
		escape = memrchr(line.text, '\x1b', (size_t)(at - line.text));
		if (escape == NULL || at - escape > 16)
			return false;
		at = escape;
	}
	return false;
}

/* What follows the mark and "Test ". */
static bool skip_to_test(struct native_log_line *line)
{
	const char *at = apple_find(*line, "Test ");

	if (at == NULL || !is_marked(*line, at))
		return false;
	*line = apple_after(*line, at + strlen("Test "));
	return true;
}

/* " with 3 test cases" of a test that was given arguments. */
static void skip_case_count(struct native_log_line *line)
{
	struct native_log_line rest = *line;

	if (!native_log_skip(&rest, " with "))
		return;
	while (rest.bytes > 0 && isdigit((unsigned char)*rest.text)) {
		rest.text++;
		rest.bytes--;
	}
	if (native_log_skip(&rest, " test cases") || native_log_skip(&rest, " test case"))
		*line = rest;
}

static bool take_happening(struct native_log_line *line, enum happening *ret_happening)
{
	struct native_log_line rest = *line;

	skip_case_count(&rest);
	for (size_t i = 0; i < GR_COUNT(happenings); i++) {
		if (!native_log_skip(&rest, happenings[i].words))
			continue;
		*line = rest;
		*ret_happening = happenings[i].happening;
		return true;
	}
	return false;
}

/* `adds()`, `adds(one:two:)` or "Adds one": the name, which may be anything, ends where something happens to it. */
static bool take_name(struct native_log_line *line, struct native_log_line *ret_name, enum happening *ret_happening)
{
	char last = line->bytes > 0 && *line->text == '"' ? '"' : ')';

	for (size_t i = 1; i < line->bytes; i++) {
		struct native_log_line rest = apple_after(*line, line->text + i);

		if (line->text[i] != ' ' || line->text[i - 1] != last || !take_happening(&rest, ret_happening))
			continue;
		*ret_name = (struct native_log_line){line->text, i};
		if (last == '"' && i > 2)
			*ret_name = (struct native_log_line){line->text + 1, i - 2};
		*line = rest;
		return true;
	}
	return false;
}

/* ---- tests under way ---- */

static bool is_named(const struct swift_test *test, struct native_log_line name)
{
	return test->bytes == name.bytes && memcmp(test->name, name.text, name.bytes) == 0;
}

/* The first of this name that is lost, or that is not. */
static struct swift_test *find_test(struct apple_reader *reader, struct native_log_line name, bool is_lost)
{
	for (size_t i = 0; i < reader->swift_count; i++)
		if (reader->swift[i].is_lost == is_lost && is_named(&reader->swift[i], name))
			return &reader->swift[i];
	return NULL;
}

static void start(struct apple_reader *reader, struct native_log_line name)
{
	struct swift_test *lost = reader->swift_lost > 0 ? find_test(reader, name, true) : NULL;

	if (reader->swift_starts++ >= STARTS_MOST)
		reader->log->is_full = true;
	if (lost != NULL) {
		lost->is_lost = false;
		reader->swift_lost--;
		return;
	}
	if (reader->swift_count >= UNDER_WAY_MOST)
		return;
	reader->swift = gr_grow(reader->swift, reader->swift_count, sizeof(*reader->swift));
	reader->swift[reader->swift_count++] =
	        (struct swift_test){.name = gr_strndup(name.text, name.bytes), .bytes = name.bytes};
}

static const char lost_words[] = "the test did not end: the app or the test runner crashed, or the test took too long";

static struct test_case *add(struct apple_reader *reader, struct native_log_line name, unsigned crashes)
{
	struct test_case *test = native_log_add(reader->log, NULL, apple_name(name.text, name.bytes));

	for (unsigned i = 0; test != NULL && i < crashes && i < TRIES_MOST; i++) {
		test->attempts = gr_grow(test->attempts, test->attempt_count, sizeof(*test->attempts));
		test->attempts[test->attempt_count++] = (struct attempt){.status = STATUS_ERROR,
		        .failure = GR_STOPPED,
		        .reason = gr_strdup(lost_words),
		        .time_ms = TIME_UNKNOWN};
	}
	return test;
}

static void end(struct apple_reader *reader, struct native_log_line name, enum case_status status, int64_t time_ms,
        char *reason)
{
	struct swift_test *open = find_test(reader, name, false);
	struct test_case *test = add(reader, name, open != NULL ? open->crashes : 0);
	char *said = NULL;

	if (open != NULL) {
		gr_free(open->name);
		memmove(open, open + 1, (size_t)(&reader->swift[--reader->swift_count] - open) * sizeof(*open));
	}
	if (test == NULL) {
		gr_free(reason);
		return;
	}
	test->time_ms = time_ms;
	said = apple_reason(reader, test);
	if (reason == NULL && status == STATUS_FAILED)
		reason = gr_take(&said);
	gr_free(said); /* of a test that passed all the same */
	native_log_end(test, status, reason);
}

/* ---- what happens ---- */

/* "at CartTests.swift:7:2: " : the place; what follows is what failed. */
static bool take_place(struct native_log_line *words, struct native_log_line *ret_place)
{
	struct native_log_line rest = *words;
	const char *at = NULL;

	while ((at = apple_find(rest, " at ")) != NULL) {
		struct native_log_line place = apple_after(rest, at + strlen(" at "));
		const char *end_of_place = apple_find(place, ": ");

		rest = place;
		if (end_of_place == NULL)
			return false;
		if (end_of_place == place.text || !isdigit((unsigned char)end_of_place[-1]))
			continue;
		*ret_place = (struct native_log_line){place.text, (size_t)(end_of_place - place.text)};
		*words = apple_after(place, end_of_place + strlen(": "));
		return true;
	}
	return false;
}

static void take_issue(struct apple_reader *reader, struct native_log_line name, struct native_log_line words)
{
	struct native_log_line place = {words.text, 0}, arguments = words;

	if (!take_place(&words, &place) && !native_log_skip(&words, ": "))
		(void)native_log_skip(&words, " ");
	apple_fail(reader, NULL, apple_name(name.text, name.bytes), words, place);
	/* Other tests print meanwhile; without its place, the line goes on below. */
	reader->takes_plain = place.bytes == 0;
	arguments.bytes = (size_t)(words.text - arguments.text);
	if (place.bytes > 0 && native_log_skip(&arguments, " with ")) {
		const char *at = apple_find(arguments, " at ");

		arguments.bytes = at != NULL ? (size_t)(at - arguments.text) : 0;
		if (arguments.bytes > 0)
			apple_tell(reader, arguments);
	}
}

/* `: "only on iPad"`, without the quotes: the caller's, or NULL. */
static char *skip_reason(struct native_log_line words)
{
	if (!native_log_skip(&words, ": \"") || words.bytes < 2)
		return NULL;
	return native_log_copy(words.text, words.bytes - 1);
}

static void take_test(struct apple_reader *reader, struct native_log_line line)
{
	enum happening happening = OTHER;
	struct native_log_line name = {line.text, 0};

	if (!take_name(&line, &name, &happening))
		return;
	reader->telling = 0;
	switch (happening) {
	case STARTED:
		start(reader, name);
		break;
	case PASSED:
		end(reader, name, STATUS_PASSED, apple_time(line), NULL);
		break;
	case FAILED:
		end(reader, name, STATUS_FAILED, apple_time(line), NULL);
		break;
	case SKIPPED:
		end(reader, name, STATUS_SKIPPED, TIME_UNKNOWN, skip_reason(line));
		break;
	case CANCELLED:
		end(reader, name, STATUS_SKIPPED, apple_time(line), gr_strdup("the test was cancelled"));
		break;
	case ISSUE:
		take_issue(reader, name, line);
		break;
	case OTHER:
		break;
	}
}

/* "↳ words" after an issue. */
static bool take_detail(struct apple_reader *reader, struct native_log_line line)
{
	size_t mark = 0;

	while (mark < line.bytes && (unsigned char)line.text[mark] >= 0x80)
		mark++;
	if (mark == 0 || mark == line.bytes || line.text[mark] != ' ')
		return false;
	while (mark < line.bytes && line.text[mark] == ' ')
		mark++;
	line = apple_after(line, line.text + mark);
	if (native_log_skip(&line, "Suite ") || native_log_skip(&line, "Passing "))
		reader->telling = 0;
	else
		apple_tell(reader, line);
	return true;
}

bool swift_take(struct apple_reader *reader, struct native_log_line line)
{
	struct native_log_line rest = line;

	if (!skip_to_test(&rest))
		return take_detail(reader, line);
	if (native_log_skip(&rest, "run with ") || native_log_skip(&rest, "run started") ||
	        native_log_skip(&rest, "case passing "))
		reader->telling = 0;
	else
		take_test(reader, rest);
	return true;
}

void swift_crash(struct apple_reader *reader)
{
	for (size_t i = 0; i < reader->swift_count; i++) {
		reader->swift[i].crashes += !reader->swift[i].is_lost;
		reader->swift[i].is_lost = true;
	}
	reader->swift_lost = reader->swift_count;
}

void swift_finish(struct apple_reader *reader)
{
	for (size_t i = 0; i < reader->swift_count; i++) {
		struct swift_test *open = &reader->swift[i];
		struct native_log_line name = {open->name, open->bytes};
		/* The last try of a lost one is what the case itself tells. */
		struct test_case *test = add(reader, name, open->crashes - (open->is_lost ? 1 : 0));

		if (test != NULL)
			native_log_end(test, open->is_lost ? STATUS_FAILED : STATUS_ERROR,
			        gr_strdup(open->is_lost ? lost_words : "started, and never ended"));
		gr_free(open->name);
	}
	gr_free(reader->swift);
	reader->swift = NULL;
	reader->swift_count = 0;
}

#include "runner/steps/native_log_apple.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define PENDING_MOST 1000 /* failures whose test has not ended yet; more belong to tests that never will */
#define PLACE_MOST_BYTES 1024
#define TOLD_MOST 60 /* lines of one failure after its first */

/* ---- failures ---- */

void apple_fail(struct apple_reader *reader, char *class_name, char *name, struct native_log_line words,
        struct native_log_line place)
{
	struct apple_failure *failure = NULL;

	reader->telling = 0;
	if (reader->pending_count >= PENDING_MOST) {
		gr_free(class_name);
		gr_free(name);
		return;
	}
	reader->pending = gr_grow(reader->pending, reader->pending_count, sizeof(*reader->pending));
	failure = &reader->pending[reader->pending_count++];
	*failure = (struct apple_failure){.class_name = class_name, .name = name};
	buffer_add(&failure->words, words.text, text_whole_words(words.text, words.bytes, NATIVE_LOG_REASON_BYTES));
	if (place.bytes > 0)
		failure->place = gr_strndup(place.text, text_whole_words(place.text, place.bytes, PLACE_MOST_BYTES));
	reader->telling = reader->pending_count;
	reader->told = 0;
	reader->takes_plain = true;
}

void apple_tell(struct apple_reader *reader, struct native_log_line line)
{
	struct buffer *words = reader->telling > 0 ? &reader->pending[reader->telling - 1].words : NULL;

	if (words == NULL)
		return;
	if (reader->told++ >= TOLD_MOST || words->bytes + line.bytes + 1 > NATIVE_LOG_REASON_BYTES) {
		reader->telling = 0;
		return;
	}
	if (words->bytes > 0)
		buffer_add_char(words, '\n');
	buffer_add(words, line.text, line.bytes);
}

static void release_failure(struct apple_failure *failure)
{
	gr_free(failure->class_name);
	gr_free(failure->name);
	gr_free(failure->place);
	buffer_release(&failure->words);
}

static void drop_failure(struct apple_reader *reader, size_t index)
{
	struct apple_failure *failure = &reader->pending[index];

	release_failure(failure);
	memmove(failure, failure + 1, (reader->pending_count - index - 1) * sizeof(*failure));
	reader->pending_count--;
	reader->telling = 0;
}

void apple_drop_failures(struct apple_reader *reader)
{
	for (size_t i = 0; i < reader->pending_count; i++)
		release_failure(&reader->pending[i]);
	gr_free(reader->pending);
	reader->pending = NULL;
	reader->pending_count = 0;
	reader->telling = 0;
}

/* The module before the class is told in one form and left out in the other; Swift Testing tells no class. */
static bool is_same_class(const char *a, const char *b)
{
	const char *last_a = a != NULL ? strrchr(a, '.') : NULL, *last_b = b != NULL ? strrchr(b, '.') : NULL;

	return a == NULL || b == NULL || strcmp(last_a != NULL ? last_a + 1 : a, last_b != NULL ? last_b + 1 : b) == 0;
}

/* Without the empty lines around it. */
static void add_words(struct buffer *out, const struct apple_failure *failure)
{
	const char *text = buffer_text(&failure->words);
	size_t bytes = failure->words.bytes;

	while (bytes > 0 && strchr(" \t\r\n", text[bytes - 1]) != NULL)
		bytes--;
	if (out->bytes > 0)
		buffer_add_char(out, '\n');
	buffer_add(out, text, bytes);
	if (failure->place != NULL)
		buffer_printf(out, "%s%s", bytes > 0 ? "\n" : "", failure->place);
}

char *apple_reason(struct apple_reader *reader, const struct test_case *test)
{
	GR_AUTO_BUFFER struct buffer words = {0};

	for (size_t i = 0; i < reader->pending_count;) {
		const struct apple_failure *failure = &reader->pending[i];

		if (!text_equal(failure->name, test->name) || !is_same_class(failure->class_name, test->class_name)) {
			i++;
			continue;
		}
		if (words.bytes < NATIVE_LOG_REASON_BYTES)
			add_words(&words, failure);
		drop_failure(reader, i);
	}
	return words.bytes > 0 ? buffer_take(&words) : NULL;
}

/* ---- names and lines ---- */

const char *apple_find(struct native_log_line line, const char *word)
{
	return memmem(line.text, line.bytes, word, strlen(word));
}

struct native_log_line apple_after(struct native_log_line line, const char *at)
{
	return (struct native_log_line){at, line.bytes - (size_t)(at - line.text)};
}

char *apple_name(const char *text, size_t bytes)
{
	if (bytes > 2 && memcmp(text + bytes - 2, "()", 2) == 0)
		bytes -= 2;
	return native_log_copy(text, bytes);
}

int64_t apple_time(struct native_log_line line)
{
	const char *blank = memchr(line.text, ' ', line.bytes);
	GR_AUTO_FREE char *text = blank != NULL ? native_log_copy(line.text, (size_t)(blank - line.text)) : NULL;
	double seconds = 0;

	if (text == NULL || !number_parse_real(text, &seconds) || seconds < 0 || seconds > 1e9)
		return TIME_UNKNOWN;
	return (int64_t)(seconds * 1000 + 0.5);
}

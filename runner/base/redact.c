#include "runner/base/redact.h"

#include <stdint.h>
#include <string.h>

#include "runner/base/automaton.h"
#include "runner/base/memory.h"
#include "runner/base/prefilter.h"
#include "runner/base/secret_forms.h"

#define MASK "***"
/* Line breaks in a row that wrapped base64 may have: more end it, or a flood of empty lines would have to be held. */
#define MOST_BREAKS 4
/* Of a secret of several lines: shorter ones ("{", "}", "---") are in every text. */
#define LINE_BYTES_LEAST 8

/* Two searches go over the text side by side: one for the forms as they are, one for those that line breaks may stand
 * in. They share the classes of bytes. */
struct redactor {
	struct automaton exact, wrapped;
	struct automaton_classes classes;
	struct prefilter *prefilter; /* says where the searches need not look */
	char **secrets;
	size_t count;
	unsigned generation; /* grows when the automata are made anew */
	bool stale; /* secrets came since then */
};

/* Places are counted from the first byte of the stream on. */
struct span {
	uint64_t start, end;
};

struct redact_stream {
	struct redactor *redactor;
	unsigned generation;
	uint32_t exact, wrapped; /* where the searches stand */
	uint64_t fed; /* bytes seen */
	uint64_t base; /* bytes let go (or masked); those between are in `held` */
	uint64_t masked_to; /* the end of the last span that became a mask */
	uint64_t breaks_end; /* after the last line break inside a wrapped form */
	unsigned breaks; /* how many in a row */
	struct buffer held;
	struct span *spans; /* found, in order, apart from each other; not let go yet */
	size_t count;
};

/* The bytes of the stream that are at hand: held[base..) and data[start..end). */
struct window {
	const unsigned char *data;
	uint64_t start, end;
};

struct redactor *redactor_new(void)
{
	struct redactor *redactor = gr_alloc(1, sizeof(*redactor));

	automaton_init(&redactor->exact);
	automaton_init(&redactor->wrapped);
	redactor->prefilter = prefilter_new();
	return redactor;
}

void redactor_free(struct redactor *redactor)
{
	if (!redactor)
		return;
	automaton_release(&redactor->exact);
	automaton_release(&redactor->wrapped);
	prefilter_free(redactor->prefilter);
	for (size_t i = 0; i < redactor->count; i++) {
		explicit_bzero(redactor->secrets[i], strlen(redactor->secrets[i]));
		gr_free(redactor->secrets[i]);
	}
	gr_free(redactor->secrets);
	gr_free(redactor);
}

static void add_form(void *context, const char *form, size_t bytes, bool wrapped)
{
	struct redactor *redactor = context;

	automaton_add(wrapped ? &redactor->wrapped : &redactor->exact, form, bytes);
	prefilter_add(redactor->prefilter, form, bytes);
}

static bool is_known(const struct redactor *redactor, const char *secret)
{
	for (size_t i = 0; i < redactor->count; i++)
		if (strcmp(redactor->secrets[i], secret) == 0)
			return true;
	return false;
}

/* Of a key in PEM, or of a file that became a variable: outputs come line by line, and often without the last break. */
static void add_lines(struct redactor *redactor, const char *secret)
{
	while (*secret) {
		size_t bytes = strcspn(secret, "\r\n"), blanks = strspn(secret, " \t");
		GR_AUTO_FREE char *line = blanks < bytes ? gr_strndup(secret + blanks, bytes - blanks) : NULL;

		if (line && bytes - blanks >= LINE_BYTES_LEAST)
			(void)redactor_add(redactor, line);
		if (line)
			explicit_bzero(line, bytes - blanks);
		secret += bytes + strspn(secret + bytes, "\r\n");
	}
}

bool redactor_add(struct redactor *redactor, const char *secret)
{
	struct form_sink sink = {add_form, redactor};

	if (!secret || strlen(secret) < SECRET_BYTES_LEAST)
		return false;
	if (is_known(redactor, secret))
		return true;
	if (strpbrk(secret, "\r\n"))
		add_lines(redactor, secret);
	redactor->secrets = gr_grow(redactor->secrets, redactor->count, sizeof(*redactor->secrets));
	redactor->secrets[redactor->count++] = gr_strdup(secret);
	secret_forms(secret, &sink);
	redactor->stale = true;
	return true;
}

/* Not at each add: secrets come in groups. */
static void refresh(struct redactor *redactor)
{
	struct automaton_classes *classes = &redactor->classes;

	if (!redactor->stale)
		return;
	if (classes->count == 0) {
		classes->of['\n'] = 1;
		classes->of['\r'] = 2;
		classes->count = 3;
	}
	automaton_classify(&redactor->exact, classes);
	automaton_classify(&redactor->wrapped, classes);
	automaton_build(&redactor->exact, classes, false);
	automaton_build(&redactor->wrapped, classes, true);
	redactor->stale = false;
	redactor->generation++;
}

static bool is_break(unsigned char c)
{
	return c == '\n' || c == '\r';
}

static unsigned char byte_at(const struct redact_stream *stream, const struct window *window, uint64_t place)
{
	if (place >= window->start)
		return window->data[place - window->start];
	return (unsigned char)stream->held.data[place - stream->base];
}

/* Where the `bytes` bytes begin that end at `end`, line breaks not counted. */
static uint64_t start_of_wrapped(
        const struct redact_stream *stream, const struct window *window, uint64_t end, uint32_t bytes)
{
	while (bytes > 0 && end > stream->base) {
		end--;
		if (!is_break(byte_at(stream, window, end)))
			bytes--;
	}
	return end;
}

/* Spans that overlap are one; so is one that overlaps what was masked already. */
static void add_span(struct redact_stream *stream, uint64_t start, uint64_t end)
{
	while (stream->count > 0 && stream->spans[stream->count - 1].end > start) {
		stream->count--;
		if (stream->spans[stream->count].start < start)
			start = stream->spans[stream->count].start;
	}
	if (start < stream->masked_to) {
		if (stream->masked_to < end)
			stream->masked_to = end;
		return;
	}
	stream->spans = gr_grow(stream->spans, stream->count, sizeof(*stream->spans));
	stream->spans[stream->count++] = (struct span){start, end};
}

static void step_exact(struct redact_stream *stream, unsigned char byte, uint64_t place)
{
	const struct redactor *redactor = stream->redactor;
	uint32_t entry = automaton_step(&redactor->exact, &redactor->classes, stream->exact, byte);

	stream->exact = entry & ~(AUTOMATON_HIT | AUTOMATON_BREAK);
	if (entry & AUTOMATON_HIT)
		add_span(stream,
		        place + 1 - automaton_node(&redactor->exact, &redactor->classes, stream->exact)->longest,
		        place + 1);
}

static void step_wrapped(struct redact_stream *stream, const struct window *window, unsigned char byte, uint64_t place)
{
	const struct redactor *redactor = stream->redactor;
	uint32_t entry, bytes;

	if (is_break(byte)) {
		stream->breaks = stream->breaks_end == place ? stream->breaks + 1 : 1;
		stream->breaks_end = place + 1;
		if (stream->breaks > MOST_BREAKS)
			stream->wrapped = 0;
		return;
	}
	entry = automaton_step(&redactor->wrapped, &redactor->classes, stream->wrapped, byte);
	stream->wrapped = entry & ~(AUTOMATON_HIT | AUTOMATON_BREAK);
	if (!(entry & AUTOMATON_HIT))
		return;
	bytes = automaton_node(&redactor->wrapped, &redactor->classes, stream->wrapped)->longest;
	add_span(stream, start_of_wrapped(stream, window, place + 1, bytes), place + 1);
}

/* Goes on while both searches stay in rows and nothing happens, until none of them is inside a needle. Returns where it
 * stopped. */
static size_t skim(struct redact_stream *stream, const unsigned char *data, size_t at, size_t bytes)
{
	const unsigned char *class_of = stream->redactor->classes.of;
	const uint32_t *exact_table = stream->redactor->exact.table, *wrapped_table = stream->redactor->wrapped.table;
	uint32_t exact = stream->exact, wrapped = stream->wrapped;

	if ((exact | wrapped) & AUTOMATON_SPARSE)
		return at;
	while (at < bytes) {
		size_t column = class_of[data[at]];
		uint32_t next_exact = exact_table[exact + column], next_wrapped = wrapped_table[wrapped + column];

		if ((next_exact | next_wrapped) & AUTOMATON_SPECIAL)
			break;
		exact = next_exact;
		wrapped = next_wrapped;
		at++;
		if ((exact | wrapped) == 0)
			break;
	}
	stream->exact = exact;
	stream->wrapped = wrapped;
	return at;
}

static void search(struct redact_stream *stream, const struct window *window)
{
	size_t bytes = (size_t)(window->end - window->start), at = 0;

	while (at < bytes) {
		size_t before;

		if ((stream->exact | stream->wrapped) == 0) /* no needle is under way */
			at = prefilter_skip(stream->redactor->prefilter, window->data, at, bytes);
		before = at;
		at = skim(stream, window->data, at, bytes);
		if (at > before || at == bytes)
			continue;
		step_exact(stream, window->data[at], window->start + at);
		step_wrapped(stream, window, window->data[at], window->start + at);
		at++;
	}
}

/* From here on the bytes may still become a secret. */
static uint64_t first_held(const struct redact_stream *stream, const struct window *window)
{
	const struct redactor *redactor = stream->redactor;
	uint32_t exact = automaton_node(&redactor->exact, &redactor->classes, stream->exact)->hold;
	uint32_t bytes = automaton_node(&redactor->wrapped, &redactor->classes, stream->wrapped)->hold;
	uint64_t wrapped = start_of_wrapped(stream, window, window->end, bytes);

	return window->end - exact < wrapped ? window->end - exact : wrapped;
}

static void add_bytes(
        struct redact_stream *stream, const struct window *window, const struct span *part, struct buffer *out)
{
	uint64_t start = part->start;

	if (start < window->start && start < part->end) {
		uint64_t end = part->end < window->start ? part->end : window->start;

		buffer_add(out, stream->held.data + (start - stream->base), (size_t)(end - start));
		start = end;
	}
	if (start < part->end)
		buffer_add(out, window->data + (start - window->start), (size_t)(part->end - start));
}

/* Let go what lies before `limit`: no needle that may still end can begin there. */
static void let_go(struct redact_stream *stream, const struct window *window, uint64_t limit, struct buffer *out)
{
	uint64_t at = stream->base;
	size_t done = 0;

	for (; done < stream->count && stream->spans[done].start < limit; done++) {
		if (at < stream->masked_to)
			at = stream->masked_to;
		add_bytes(stream, window, &(struct span){at, stream->spans[done].start}, out);
		buffer_add_text(out, MASK);
		stream->masked_to = stream->spans[done].end;
	}
	if (at < stream->masked_to)
		at = stream->masked_to;
	if (at < limit)
		add_bytes(stream, window, &(struct span){at, limit}, out);
	stream->count -= done;
	if (done > 0)
		memmove(stream->spans, stream->spans + done, stream->count * sizeof(*stream->spans));
}

/* Keep what lies from `limit` on for the next chunk. */
static void hold(struct redact_stream *stream, const struct window *window, uint64_t limit)
{
	if (limit >= window->start) {
		buffer_clear(&stream->held);
		buffer_add(&stream->held, window->data + (limit - window->start), (size_t)(window->end - limit));
	} else {
		size_t gone = (size_t)(limit - stream->base);

		if (gone > 0) {
			memmove(stream->held.data, stream->held.data + gone, stream->held.bytes - gone);
			stream->held.bytes -= gone;
		}
		buffer_add(&stream->held, window->data, (size_t)(window->end - window->start));
	}
	stream->base = limit;
}

static void feed(struct redact_stream *stream, const void *data, size_t bytes, struct buffer *out)
{
	struct window window = {data, stream->fed, stream->fed + bytes};
	uint64_t limit;

	search(stream, &window);
	stream->fed = window.end;
	limit = first_held(stream, &window);
	let_go(stream, &window, limit, out);
	hold(stream, &window, limit);
}

static void wipe_buffer(struct buffer *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->room);
	buffer_release(buffer);
}

/* The automata changed: what is held goes through the new ones from its beginning. Nothing found in it is lost, as
 * every needle of before is in them too. */
static void replay(struct redact_stream *stream, struct buffer *out)
{
	struct buffer held = stream->held;

	stream->held = (struct buffer){0};
	stream->generation = stream->redactor->generation;
	stream->exact = stream->wrapped = 0;
	stream->fed = stream->base;
	stream->breaks = 0;
	stream->count = 0;
	if (held.bytes > 0)
		feed(stream, held.data, held.bytes, out);
	wipe_buffer(&held);
}

/* Learn what the redactor has learned since the last chunk. Is there anything to look for at all? */
static bool is_searching(struct redact_stream *stream, struct buffer *out)
{
	if (!stream->redactor)
		return false;
	refresh(stream->redactor);
	if (stream->generation != stream->redactor->generation)
		replay(stream, out);
	return stream->generation > 0;
}

void redact_stream_add(struct redact_stream *stream, const void *data, size_t bytes, struct buffer *out)
{
	if (bytes == 0)
		return;
	if (is_searching(stream, out)) {
		feed(stream, data, bytes, out);
		return;
	}
	stream->fed += bytes; /* no secret yet: nothing can be held */
	stream->base = stream->fed;
	buffer_add(out, data, bytes);
}

void redact_stream_end(struct redact_stream *stream, struct buffer *out)
{
	struct window window = {NULL, stream->fed, stream->fed};

	if (!is_searching(stream, out))
		return;
	let_go(stream, &window, stream->fed, out);
	stream->base = stream->fed;
	stream->exact = stream->wrapped = 0;
	buffer_clear(&stream->held);
}

struct redact_stream *redact_stream_new(struct redactor *redactor)
{
	struct redact_stream *stream = gr_alloc(1, sizeof(*stream));

	stream->redactor = redactor;
	return stream;
}

static void release_stream(struct redact_stream *stream)
{
	wipe_buffer(&stream->held);
	gr_free(stream->spans);
}

void redact_stream_free(struct redact_stream *stream)
{
	if (!stream)
		return;
	release_stream(stream);
	gr_free(stream);
}

/* A whole text needs no bytes held back: it is searched in one piece. */
static void search_whole(struct redact_stream *stream, const struct window *window)
{
	if (!stream->redactor)
		return;
	refresh(stream->redactor);
	if (stream->redactor->generation > 0)
		search(stream, window);
}

static void let_all_go(struct redact_stream *stream, const struct window *window, struct buffer *out)
{
	let_go(stream, window, window->end, out);
	release_stream(stream);
}

void redactor_apply(struct redactor *redactor, const char *text, size_t bytes, struct buffer *out)
{
	struct redact_stream stream = {.redactor = redactor};
	const struct window window = {(const unsigned char *)text, 0, bytes};

	search_whole(&stream, &window);
	let_all_go(&stream, &window, out);
}

bool redactor_finds(struct redactor *redactor, const char *text, size_t bytes)
{
	struct redact_stream stream = {.redactor = redactor};
	const struct window window = {(const unsigned char *)text, 0, bytes};
	bool found;

	search_whole(&stream, &window);
	found = stream.count > 0;
	release_stream(&stream);
	return found;
}

char *redactor_text(struct redactor *redactor, const char *text)
{
	struct redact_stream stream = {.redactor = redactor};
	struct window window = {(const unsigned char *)text, 0, text ? strlen(text) : 0};
	struct buffer out = {0};

	if (!text)
		return NULL;
	search_whole(&stream, &window);
	if (stream.count == 0)
		return gr_strndup(text, (size_t)window.end);
	let_all_go(&stream, &window, &out);
	return buffer_take(&out);
}

#include "runner/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner/base/text.h"

struct failure_row {
	const char *name;
	int exit_status;
	const char *words;
};

static const struct failure_row rows[GR_FAILURE_COUNT] = {
        [GR_NONE] = {"none", 0, "nothing failed"},
#define FAILURE(id, name, exit_status, words) [GR_##id] = {name, exit_status, words},
#include "runner/base/error.def"
#undef FAILURE
};

static const struct failure_row *row_of(enum gr_failure failure)
{
	if ((int)failure < 0 || failure >= GR_FAILURE_COUNT)
		failure = GR_INTERNAL;
	return &rows[failure];
}

static void flatten(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '\r')
			*text = ' ';
}

#define CUT " \xE2\x80\xA6"

/* vsnprintf() cut at any byte, which may be one within a secret. `wanted`: the bytes of all of it. */
static void end_whole(struct gr_error *err, size_t wanted)
{
	size_t most = sizeof(err->text) - 1;

	if (wanted > most)
		memcpy(err->text + text_whole_words(err->text, most, sizeof(err->text) - sizeof(CUT)), CUT,
		        sizeof(CUT));
}

int gr_fail(struct gr_error *err, enum gr_failure failure, int errnum, const char *format, ...)
{
	struct gr_error new = {.failure = failure}; /* the arguments may be of the old one */
	va_list args;
	size_t used;
	int wanted;

	if (!err)
		return -(int)failure;
	va_start(args, format);
	wanted = vsnprintf(new.text, sizeof(new.text), format, args);
	va_end(args);
	used = strlen(new.text);
	if (errnum && wanted >= 0)
		wanted += snprintf(new.text + used, sizeof(new.text) - used, ": %s", strerror(errnum));
	end_whole(&new, wanted < 0 ? 0 : (size_t)wanted);
	flatten(new.text);
	err->failure = failure;
	memcpy(err->text, new.text, sizeof(err->text));
	return -(int)failure;
}

int gr_context(struct gr_error *err, const char *format, ...)
{
	char old[sizeof(err->text)];
	va_list args;
	size_t used;
	int wanted;

	if (!err)
		return -(int)GR_INTERNAL;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	wanted = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	if (wanted >= 0)
		wanted += snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
	end_whole(err, wanted < 0 ? 0 : (size_t)wanted);
	flatten(err->text);
	return -(int)err->failure;
}

const char *failure_name(enum gr_failure failure)
{
	return row_of(failure)->name;
}

const char *failure_words(enum gr_failure failure)
{
	return row_of(failure)->words;
}

int failure_exit_status(enum gr_failure failure)
{
	return row_of(failure)->exit_status;
}

enum gr_failure failure_from_name(const char *name)
{
	for (int i = 1; i < GR_FAILURE_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum gr_failure)i;
	return GR_NONE;
}

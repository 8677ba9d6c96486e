#include "runner/base/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runner/base/memory.h"

/* JSON's and the expression language's numbers are exact up to here. */
#define MOST_INT ((int64_t)1 << 53)
/* Ten to the most digits after the point: more say nothing about milliseconds of an hour. */
#define MOST_SCALE 1000000

struct unit {
	const char *name;
	int64_t size;
};

/* Largest first. */
static const struct unit durations[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
        {"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

bool number_parse_int(const char *text, int64_t *ret)
{
	bool negative = text && *text == '-';
	int64_t value = 0;

	if (!text || !is_digit(*(text += negative)))
		return false;
	for (; is_digit(*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > MOST_INT)
			return false;
	}
	if (*text)
		return false;
	*ret = negative ? -value : value;
	return true;
}

/* -?[0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)? and nothing after it */
static bool is_real(const char *text)
{
	text += *text == '-';
	if (!is_digit(*text))
		return false;
	text = skip_digits(text);
	if (*text == '.') {
		if (!is_digit(text[1]))
			return false;
		text = skip_digits(text + 1);
	}
	if (*text == 'e' || *text == 'E') {
		text += 1 + (text[1] == '-' || text[1] == '+');
		if (!is_digit(*text))
			return false;
		text = skip_digits(text);
	}
	return !*text;
}

bool number_parse_real(const char *text, double *ret)
{
	locale_t plain;
	double value;

	if (!text || !is_real(text))
		return false;
	plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc's own constant: costs nothing, cannot fail */
	if (!plain)
		return false;
	value = strtod_l(text, NULL, plain);
	freelocale(plain);
	if (!isfinite(value))
		return false;
	*ret = value;
	return true;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name, size_t bytes)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].name) == bytes && memcmp(units[i].name, name, bytes) == 0)
			return &units[i];
	return NULL;
}

/* The digits of text[*at..end), `scale` times ten for each; false when there is none, too many, or no end to it. */
static bool take_digits(const char **at, const char *end, int64_t *value, int64_t *scale)
{
	const char *start = *at;

	for (; *at < end && is_digit(**at); (*at)++) {
		*value = *value * 10 + (**at - '0');
		*scale *= 10;
		if (*value > MOST_INT || *at - start > 17)
			return false;
	}
	return *at > start;
}

/* A number with a unit. What it says must be a whole count of the smallest unit: nothing is rounded. */
static bool parse_scaled(const char *text, const char *end, const struct unit *units, size_t count, int64_t *ret)
{
	const struct unit *unit;
	int64_t whole = 0, part = 0, unused = 1, scale = 1;
	const char *at = text;

	if (!take_digits(&at, end, &whole, &unused))
		return false;
	if (at < end && *at == '.') {
		at++;
		if (!take_digits(&at, end, &part, &scale) || scale > MOST_SCALE)
			return false;
	}
	unit = find_unit(units, count, at, (size_t)(end - at));
	if (!unit || whole > MOST_INT / unit->size || part > MOST_INT / unit->size || part * unit->size % scale != 0)
		return false;
	if (whole * unit->size + part * unit->size / scale > MOST_INT)
		return false;
	*ret = whole * unit->size + part * unit->size / scale;
	return true;
}

static bool parse_duration_part(const char *text, const char *end, int64_t *ret_ms)
{
	if (end - text == 1 && *text == '0') {
		*ret_ms = 0;
		return true;
	}
	return parse_scaled(text, end, durations, GR_COUNT(durations), ret_ms);
}

bool number_parse_duration(const char *text, int64_t *ret_ms)
{
	return text && parse_duration_part(text, text + strlen(text), ret_ms);
}

bool number_parse_range(const char *text, int64_t *ret_low_ms, int64_t *ret_high_ms)
{
	const char *dots, *end;
	int64_t low = 0, high = 0;

	if (!text)
		return false;
	end = text + strlen(text);
	dots = strstr(text, "..");
	if (!parse_duration_part(text, dots ? dots : end, &low))
		return false;
	high = low;
	if (dots && !parse_duration_part(dots + 2, end, &high))
		return false;
	if (low > high)
		return false;
	*ret_low_ms = low;
	*ret_high_ms = high;
	return true;
}

bool number_parse_size(const char *text, int64_t *ret_bytes)
{
	return text && parse_scaled(text, text + strlen(text), sizes, GR_COUNT(sizes), ret_bytes);
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

const char *number_format_seconds(int64_t ms, char text[static 32])
{
	uint64_t value = magnitude(ms);

	(void)snprintf(text, 32, "%s%llu.%03u", ms < 0 ? "-" : "", (unsigned long long)(value / 1000),
	        (unsigned)(value % 1000));
	return text;
}

/* `value` in `unit`, or "" when that takes more than three decimals or starts with 0. */
static void format_in_unit(uint64_t value, const struct unit *unit, char text[static 32])
{
	uint64_t size = (uint64_t)unit->size, rest = value % size;
	char decimals[8] = "";
	int used = 0;

	text[0] = '\0';
	if (value < size)
		return;
	if (rest)
		decimals[used++] = '.';
	for (; rest && used < 4; used++) {
		rest *= 10;
		decimals[used] = (char)('0' + rest / size);
		rest %= size;
	}
	if (!rest)
		(void)snprintf(text, 32, "%llu%s%s", (unsigned long long)(value / size), decimals, unit->name);
}

/* Is `form` the better one: there, shorter, or as short and without a point? */
static bool is_better(const char *form, const char *best)
{
	size_t a = strlen(form), b = strlen(best);

	if (a == 0 || b == 0)
		return a != 0;
	return a < b || (a == b && strchr(best, '.'));
}

const char *number_format_duration(int64_t ms, char text[static 32])
{
	char form[32], best[32] = "";

	for (size_t i = 0; i < GR_COUNT(durations); i++) {
		format_in_unit(magnitude(ms), &durations[i], form);
		if (is_better(form, best))
			memcpy(best, form, sizeof(best));
	}
	(void)snprintf(text, 32, "%s%.30s", ms < 0 ? "-" : "", best[0] ? best : "0");
	return text;
}

const char *number_format_bytes(int64_t bytes, char text[static 32])
{
	static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	const char *sign = bytes < 0 ? "-" : "";
	uint64_t value = magnitude(bytes), size = 1024;
	size_t i = 0;

	if (value < 1024) {
		(void)snprintf(text, 32, "%s%llu B", sign, (unsigned long long)value);
		return text;
	}
	/* 1023.95 KiB would round to 1024.0 KiB: the next unit says it better */
	while (i + 1 < GR_COUNT(names) && value >= size * 1024 - size / 20) {
		size *= 1024;
		i++;
	}
	value = value / size * 10 + (value % size * 10 + size / 2) / size;
	(void)snprintf(
	        text, 32, "%s%llu.%u %s", sign, (unsigned long long)(value / 10), (unsigned)(value % 10), names[i]);
	return text;
}

/* Names, boundaries and identifiers that could be guessed, or come twice, would break promises: better to end. */
static void no_random_source(void) __attribute__((noreturn));

static void no_random_source(void)
{
	static const char words[] = "gridlane: the kernel gives no random bytes\n";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	_exit(3);
}

void number_random(void *bytes, size_t count)
{
	unsigned char *at = bytes;

	while (count > 0) {
		ssize_t got = getrandom(at, count, 0);

		if (got < 0 && errno != EINTR)
			no_random_source();
		if (got > 0) {
			at += got;
			count -= (size_t)got;
		}
	}
}

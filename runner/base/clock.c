#include "runner/base/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runner/base/memory.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec now = {0};

	(void)clock_gettime(id, &now); /* both clocks are there since Linux 2.6.39 */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

const char *clock_boot_id(char boot[static CLOCK_BOOT_BYTES])
{
	GR_AUTO_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, boot, 36);

	boot[n < 0 ? 0 : n] = '\0';
	return boot;
}

/* Four-digit years only (strftime pads none): what is outside shows as the first or the last moment that has a text. */
static int64_t clamp_wall(int64_t wall_ms)
{
	static const int64_t first = -30610224000000, last = 253402300799999; /* years 1000 and 9999 */

	if (wall_ms < first)
		return first;
	return wall_ms > last ? last : wall_ms;
}

/* The parts of a moment, the milliseconds too; moments before 1970 round down, not towards zero. */
static unsigned split_utc(int64_t wall_ms, struct tm *ret_parts)
{
	int64_t clamped = clamp_wall(wall_ms);
	int64_t ms = clamped % 1000;
	time_t seconds;

	if (ms < 0)
		ms += 1000;
	seconds = (time_t)((clamped - ms) / 1000);
	(void)gmtime_r(&seconds, ret_parts); /* cannot overflow after the clamp */
	return (unsigned)ms;
}

const char *clock_format_utc(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES])
{
	struct tm parts = {0};
	unsigned ms = split_utc(wall_ms, &parts);
	size_t used = strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);

	(void)snprintf(text + used, CLOCK_TEXT_BYTES - used, ".%03uZ", ms);
	return text;
}

const char *clock_format_api(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES])
{
	struct tm parts = {0};

	(void)split_utc(wall_ms, &parts);
	(void)strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%d %H:%M:%S", &parts);
	return text;
}

static const char *const weekdays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* `count` digits, no sign and no blank; NULL when they are not there. */
static const char *read_digits(const char *text, int count, int *ret)
{
	int value = 0;

	for (; count > 0; count--, text++) {
		if (*text < '0' || *text > '9')
			return NULL;
		value = value * 10 + (*text - '0');
	}
	*ret = value;
	return text;
}

static const char *read_month(const char *text, int *ret)
{
	for (size_t i = 0; i < GR_COUNT(months); i++) {
		if (strncmp(text, months[i], 3) == 0) {
			*ret = (int)i;
			return text + 3;
		}
	}
	return NULL;
}

/* The name of a day, in full or its first three letters. Which day it is follows from the date. */
static const char *read_weekday(const char *text, bool in_full)
{
	for (size_t i = 0; i < GR_COUNT(weekdays); i++) {
		size_t bytes = in_full ? strlen(weekdays[i]) : 3;

		if (strncmp(text, weekdays[i], bytes) == 0)
			return text + bytes;
	}
	return NULL;
}

/* A year of two digits is at most 50 years ahead (RFC 9110, 5.6.7). */
static const char *read_short_year(const char *text, int *ret)
{
	struct tm now = {0};
	int year = 0;

	text = read_digits(text, 2, &year);
	if (!text)
		return NULL;
	(void)split_utc(clock_wall_ms(), &now);
	year += (now.tm_year / 100) * 100;
	*ret = year > now.tm_year + 50 ? year - 100 : year;
	return text;
}

static const char *read_date_part(char kind, const char *text, struct tm *date)
{
	const char *end;

	switch (kind) {
	case 'w':
		return read_weekday(text, false);
	case 'W':
		return read_weekday(text, true);
	case 'd':
		return read_digits(text, 2, &date->tm_mday);
	case 'e': /* asctime pads with a blank */
		return *text == ' ' ? read_digits(text + 1, 1, &date->tm_mday) : read_digits(text, 2, &date->tm_mday);
	case 'b':
		return read_month(text, &date->tm_mon);
	case 'm':
		end = read_digits(text, 2, &date->tm_mon);
		date->tm_mon--;
		return end;
	case 'Y':
		end = read_digits(text, 4, &date->tm_year);
		date->tm_year -= 1900;
		return end;
	case 'y':
		return read_short_year(text, &date->tm_year);
	case 'H':
		return read_digits(text, 2, &date->tm_hour);
	case 'M':
		return read_digits(text, 2, &date->tm_min);
	case 'S':
		return read_digits(text, 2, &date->tm_sec);
	default:
		return NULL;
	}
}

static bool read_date(const char *form, const char *text, struct tm *date)
{
	for (; text && *form; form++) {
		if (*form == '%')
			text = read_date_part(*++form, text, date);
		else
			text = *text == *form ? text + 1 : NULL;
	}
	return text && !*text;
}

/* timegm() mends impossible dates ("31 Feb"); one that it had to mend is none. A leap second is the next minute. */
static int64_t date_ms(const struct tm *date)
{
	struct tm mended = *date;
	time_t seconds;

	if (date->tm_hour > 23 || date->tm_min > 59 || date->tm_sec > 60)
		return -1;
	if (mended.tm_sec == 60)
		mended.tm_sec = 59;
	seconds = timegm(&mended);
	if (mended.tm_mday != date->tm_mday || mended.tm_mon != date->tm_mon || seconds < 0)
		return -1;
	return ((int64_t)seconds + (date->tm_sec == 60)) * 1000;
}

int64_t clock_parse_http_date(const char *text)
{
	static const char *const forms[] = {
	        "%w, %d %b %Y %H:%M:%S GMT", "%W, %d-%b-%y %H:%M:%S GMT", "%w %b %e %H:%M:%S %Y"};

	for (size_t i = 0; text && i < GR_COUNT(forms); i++) {
		struct tm date = {0};

		if (read_date(forms[i], text, &date))
			return date_ms(&date);
	}
	return -1;
}

int64_t clock_parse_day(const char *text)
{
	struct tm date = {0};

	return text && read_date("%Y-%m-%d", text, &date) ? date_ms(&date) : -1;
}

const char *clock_format_span(int64_t span_ms, char text[static CLOCK_TEXT_BYTES])
{
	const char *sign = span_ms < 0 ? "-" : "";
	uint64_t ms = span_ms < 0 ? 0 - (uint64_t)span_ms : (uint64_t)span_ms;
	unsigned long long whole = ms / 1000;

	if (ms < 1000)
		(void)snprintf(text, CLOCK_TEXT_BYTES, "%s%ums", sign, (unsigned)ms);
	else if (whole < 60)
		(void)snprintf(text, CLOCK_TEXT_BYTES, "%s%llu.%us", sign, whole, (unsigned)(ms % 1000 / 100));
	else if (whole < 3600)
		(void)snprintf(text, CLOCK_TEXT_BYTES, "%s%llum%02us", sign, whole / 60, (unsigned)(whole % 60));
	else
		(void)snprintf(text, CLOCK_TEXT_BYTES, "%s%lluh%02um", sign, whole / 3600, (unsigned)(whole / 60 % 60));
	return text;
}

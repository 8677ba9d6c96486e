/* Time. All waits and deadlines are milliseconds of CLOCK_BOOTTIME (it counts suspend and no one can set it); the wall
 * clock serves display and reservation windows only. */
#ifndef GRIDLANE_BASE_CLOCK_H
#define GRIDLANE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_NEVER INT64_MAX
#define CLOCK_TEXT_BYTES 32

int64_t clock_now_ms(void); /* CLOCK_BOOTTIME */
int64_t clock_wall_ms(void); /* milliseconds since 1970, UTC */
/* "2026-03-01T10:15:30.123Z" (always UTC and Z) into `text`. Returns text. */
const char *clock_format_utc(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES]);
/* "2026-03-01 10:15:30" in UTC, the form of the API's reservation times (reference: Reserve device). Returns text. */
const char *clock_format_api(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES]);
/* Which start of the machine this is: what clock_now_ms() says can be compared between processes of one boot alone. ""
 * when it cannot be known. Returns boot. */
#define CLOCK_BOOT_BYTES 40
const char *clock_boot_id(char boot[static CLOCK_BOOT_BYTES]);
/* An HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT") as milliseconds since 1970, or -1. */
int64_t clock_parse_http_date(const char *text);
/* The beginning of a day ("2026-11-28", in UTC) as milliseconds since 1970; -1 when there is no such day from 1970 on.
 */
#define CLOCK_DAY_MS ((int64_t)24 * 60 * 60 * 1000)
int64_t clock_parse_day(const char *text);
/* "1h02m", "3m05s", "12.3s", "250ms" for people. Returns text. */
const char *clock_format_span(int64_t span_ms, char text[static CLOCK_TEXT_BYTES]);

#endif

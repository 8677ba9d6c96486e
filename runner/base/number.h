/* Numbers from text and back, without locale. The only place that calls strtol and its family. */
#ifndef GRIDLANE_BASE_NUMBER_H
#define GRIDLANE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns false, and leaves *ret alone, unless the whole text is one number of the form (no blanks). */
bool number_parse_int(const char *text, int64_t *ret); /* -?[0-9]+ within +-2^53 */
bool number_parse_real(const char *text, double *ret); /* decimal, finite; '.' is the point */
bool number_parse_duration(const char *text, int64_t *ret_ms); /* "500ms" "30s" "15m" "2h" "1.5s"; a bare "0" is 0 */
/* "2s..30s"; a single duration is a range of equal ends. low <= high is required. */
bool number_parse_range(const char *text, int64_t *ret_low_ms, int64_t *ret_high_ms);
bool number_parse_size(const char *text, int64_t *ret_bytes); /* "64MiB" "512KiB" "1GiB" "100B" "100" */
/* "1.250": seconds with 3 decimals, never a comma. text holds 32 bytes. Returns text. */
const char *number_format_seconds(int64_t ms, char text[static 32]);
/* The shortest duration text that parses back: "500ms", "30s", "15m", "2h". Returns text. */
const char *number_format_duration(int64_t ms, char text[static 32]);
/* "5.0 MiB" for people. Returns text. */
const char *number_format_bytes(int64_t bytes, char text[static 32]);
/* Bytes from the kernel's random source; ends the process if there is none. */
void number_random(void *bytes, size_t count);

#endif

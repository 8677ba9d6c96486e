/* A growing piece of bytes or text. `struct buffer b = {0};` is a valid empty one. data is NUL-terminated whenever it
 * is not NULL. */
#ifndef GRIDLANE_BASE_BUFFER_H
#define GRIDLANE_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
	char *data;
	size_t bytes; /* used, without the NUL */
	size_t room;
};

void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the room */
void buffer_add(struct buffer *buffer, const void *data, size_t bytes);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes from `from` to `to` have been read: the system has their memory back, and they are as good as gone. */
void buffer_drop(struct buffer *buffer, size_t from, size_t to);
/* The text, never NULL ("" for an empty buffer); the buffer keeps it. */
const char *buffer_text(const struct buffer *buffer);
/* The text, the caller's now (gr_free), never NULL; the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer);

#define GR_AUTO_BUFFER __attribute__((cleanup(buffer_release)))

#endif

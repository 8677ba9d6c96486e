#include "runner/base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/base/memory.h"

#define PRINTED_BYTES 48 /* most of what is printed is shorter, and printed once */

void buffer_release(struct buffer *buffer)
{
	if (!buffer)
		return;
	gr_free(buffer->data);
	*buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
	buffer->bytes = 0;
	if (buffer->data)
		buffer->data[0] = '\0';
}

static void make_room(struct buffer *buffer, size_t bytes)
{
	size_t need = buffer->bytes + bytes + 1;

	if (need <= buffer->room)
		return;
	if (need < buffer->room * 2)
		need = buffer->room * 2;
	if (need < 64)
		need = 64;
	buffer->data = gr_resize(buffer->data, need, 1);
	buffer->room = need;
}

void buffer_add(struct buffer *buffer, const void *data, size_t bytes)
{
	make_room(buffer, bytes);
	if (bytes)
		memcpy(buffer->data + buffer->bytes, data, bytes);
	buffer->bytes += bytes;
	buffer->data[buffer->bytes] = '\0';
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

void buffer_add_char(struct buffer *buffer, char c)
{
	buffer_add(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args, again;
	int bytes;

	make_room(buffer, PRINTED_BYTES);
	va_start(args, format);
	va_copy(again, args);
	bytes = vsnprintf(buffer->data + buffer->bytes, buffer->room - buffer->bytes, format, args);
	if (bytes >= 0 && (size_t)bytes >= buffer->room - buffer->bytes) { /* it was cut */
		make_room(buffer, (size_t)bytes);
		bytes = vsnprintf(buffer->data + buffer->bytes, buffer->room - buffer->bytes, format, again);
	}
	va_end(again);
	va_end(args);
	if (bytes < 0)
		gr_out_of_memory();
	buffer->bytes += (size_t)bytes;
}

void buffer_drop(struct buffer *buffer, size_t from, size_t to)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t before = (page - (uintptr_t)(buffer->data + from) % page) % page;
	size_t after = (uintptr_t)(buffer->data + to) % page;

	if (to - from >= before + after + page) /* without it, they stay until the buffer goes */
		(void)madvise(buffer->data + from + before, to - from - before - after, MADV_DONTNEED);
}

const char *buffer_text(const struct buffer *buffer)
{
	return buffer->data ? buffer->data : "";
}

char *buffer_take(struct buffer *buffer)
{
	char *text = buffer->data ? buffer->data : gr_strndup("", 0);

	*buffer = (struct buffer){0};
	return text;
}

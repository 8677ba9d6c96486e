#include "runner/base/buffer.h"

#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"

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
	va_list args;
	char *text;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	buffer_add_text(buffer, text);
	gr_free(text);
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

#include "runner/base/memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing can be reported in full without memory. The journal on the disk stays what it is: `gridlane resume` goes
 * on from it, so leaving at once loses nothing. */
void gr_out_of_memory(void)
{
	static const char words[] = "gridlane: out of memory; `gridlane resume` goes on with this run\n";

	if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
		_exit(3);
	_exit(3);
}

void gr_free(void *memory)
{
	free(memory);
}

void *gr_alloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		gr_out_of_memory();
	return memory;
}

void *gr_resize(void *memory, size_t count, size_t size)
{
	void *moved = reallocarray(memory, count ? count : 1, size ? size : 1);

	if (!moved)
		gr_out_of_memory();
	return moved;
}

char *gr_strdup(const char *text)
{
	return text ? gr_strndup(text, strlen(text)) : NULL;
}

char *gr_strndup(const char *text, size_t bytes)
{
	char *copy = gr_library_alloc(bytes + 1);

	if (bytes)
		memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

char *gr_vprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		gr_out_of_memory();
	return text;
}

char *gr_printf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	return text;
}

void *gr_grow(void *items, size_t count, size_t size)
{
	if (count == 0)
		return gr_resize(items, 8, size);
	if (count >= 8 && (count & (count - 1)) == 0)
		return gr_resize(items, count * 2, size);
	return items ? items : gr_resize(items, 8, size);
}

void gr_trim(void)
{
	(void)malloc_trim(0); /* whether there was anything is no matter */
}

void *gr_library_alloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		gr_out_of_memory();
	return memory;
}

void *gr_library_resize(void *memory, size_t size)
{
	return gr_resize(memory, size, 1);
}

static void *crypto_take(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return gr_library_alloc(bytes);
}

static void *crypto_resize(void *memory, size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return gr_library_resize(memory, bytes);
}

static void crypto_give(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	gr_free(memory);
}

/* What is let go joins its neighbours at once, and not in sweeps over all that was: 4 % of a large answer's time. */
static void join_at_once(void)
{
	(void)mallopt(M_MXFAST, 0);
}

void gr_memory_init(void)
{
	join_at_once();
	(void)CRYPTO_set_mem_functions(crypto_take, crypto_resize, crypto_give); /* fails only after its first use */
	/* A library that ends the process does so beside a thread that hashes: what it works with stays. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	json_set_alloc_funcs(gr_library_alloc, free);
}

void gr_auto_free(void *address)
{
	void *memory;

	memcpy(&memory, address, sizeof(memory));
	gr_free(memory);
}

void gr_auto_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

void gr_auto_json(json_t **json)
{
	json_decref(*json);
}

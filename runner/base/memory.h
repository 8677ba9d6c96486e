/* The one allocator. Memory comes zeroed; when none is left the process says so and ends (exit status 3), so callers
 * never see NULL. Bound every size that comes from outside before asking. Everything is released with gr_free(). */
#ifndef GRIDLANE_BASE_MEMORY_H
#define GRIDLANE_BASE_MEMORY_H

#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>

void gr_free(void *memory);
void gr_out_of_memory(void) __attribute__((noreturn)); /* for what a library says of its own allocations */
void *gr_alloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
/* Resize; the added part is NOT zeroed. */
void *gr_resize(void *memory, size_t count, size_t size) __attribute__((alloc_size(2, 3), returns_nonnull));
char *gr_strdup(const char *text) __attribute__((malloc)); /* NULL gives NULL */
char *gr_strndup(const char *text, size_t bytes) __attribute__((malloc, returns_nonnull));
char *gr_printf(const char *format, ...) __attribute__((format(printf, 1, 2), malloc, returns_nonnull));
char *gr_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0), malloc, returns_nonnull));

/* What is free in pieces is the system's again; after much has been let go. */
void gr_trim(void);

/* Make room for one more element in an array that doubles: items = gr_grow(items, count, sizeof(*items));
 * then items[count++] = ...; capacity follows from count alone. The new room is not zeroed. */
void *gr_grow(void *items, size_t count, size_t size) __attribute__((returns_nonnull));

/* For libraries that can be given an allocator: malloc() and realloc() that end the process rather than return NULL.
 * What a library does without memory is its least tested part. */
void *gr_library_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *gr_library_resize(void *memory, size_t size) __attribute__((returns_nonnull));

/* Have jansson and OpenSSL use this allocator. Call once, before anything of theirs exists. */
void gr_memory_init(void);

/* Owned locals that clean up after themselves: GR_AUTO_FREE char *name = NULL; hand over with gr_take(&name). */
void gr_auto_free(void *address);
void gr_auto_close(const int *fd);
void gr_auto_json(json_t **json);
#define GR_AUTO_FREE __attribute__((cleanup(gr_auto_free)))
#define GR_AUTO_CLOSE __attribute__((cleanup(gr_auto_close)))
#define GR_AUTO_JSON __attribute__((cleanup(gr_auto_json)))
/* *address's value; NULL stays behind. */
#define gr_take(address)                                                                                               \
	__extension__({                                                                                                \
		__typeof__(*(address)) gr_taken_ = *(address);                                                         \
		*(address) = NULL;                                                                                     \
		gr_taken_;                                                                                             \
	})
#define GR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif

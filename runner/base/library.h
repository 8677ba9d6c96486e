/* A shared library that is loaded when something of it is needed, and not with the program: libxml2 and libarchive
 * bring ICU and the C++ library along, which take longer to be ready than most commands take altogether. */
#ifndef GRIDLANE_BASE_LIBRARY_H
#define GRIDLANE_BASE_LIBRARY_H

#include <stddef.h>

#include "runner/base/error.h"

/* Loads `file` ("libxml2.so.2", found as the linker would), once however often it is asked for; it stays. The addresses
 * of `count` symbols go to `symbols`, an array of pointers or a struct of nothing but pointers. GR_INTERNAL: the
 * library, or a symbol of it, is not there. */
int library_load(const char *file, const char *const *names, size_t count, void *symbols, struct gr_error *err);

/* Code and constants of the program and its libraries are no longer this process's memory until they are used again,
 * which needs no disk while the system has them: most of what starting used is not used again. */
void library_trim(void);

#endif

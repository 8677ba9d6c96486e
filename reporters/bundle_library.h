/* Inside the bundle: libarchive, loaded when it is needed. */
#ifndef GRIDLANE_REPORTERS_BUNDLE_LIBRARY_H
#define GRIDLANE_REPORTERS_BUNDLE_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>

#include "runner/base/error.h"

struct libarchive {
#define SYMBOL(name) __typeof__(name) *name;
#include "reporters/libarchive.def"
#undef SYMBOL
};
/* GR_CONFIG: it is not there. */
int libarchive_load(struct libarchive *ret_library, struct gr_error *err);

#endif

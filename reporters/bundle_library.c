#include "reporters/bundle_library.h"

#include <assert.h>

#include "runner/base/library.h"
#include "runner/base/memory.h"

int libarchive_load(struct libarchive *ret_library, struct gr_error *err)
{
	static const char *const names[] = {
#define SYMBOL(name) #name,
#include "reporters/libarchive.def"
#undef SYMBOL
	};

	static_assert(sizeof(*ret_library) == GR_COUNT(names) * sizeof(void *), "a pointer a symbol");
	return library_load(GRIDLANE_LIBARCHIVE, names, GR_COUNT(names), ret_library, err);
}

#include "runner/base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "runner/base/memory.h"

int library_load(const char *file, const char *const *names, size_t count, void *symbols, struct gr_error *err)
{
	void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL); /* never closed: what it has given out may be in use */

	if (!library) {
		const char *why = dlerror();

		if (why && strstr(why, strerror(ENOMEM)))
			gr_out_of_memory();
		return gr_fail(err, GR_INTERNAL, 0, "%s is needed and cannot be loaded (%s): is it installed?", file,
		        why ? why : "no reason is known");
	}
	for (size_t i = 0; i < count; i++) {
		void *symbol = dlsym(library, names[i]);

		if (!symbol)
			return gr_fail(err, GR_INTERNAL, 0, "%s has no %s: another version is needed", file, names[i]);
		memcpy((char *)symbols + i * sizeof(symbol), &symbol, sizeof(symbol));
	}
	return 0;
}

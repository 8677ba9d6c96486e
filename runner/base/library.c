#include "runner/base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static void give_back(uintptr_t from, uintptr_t to)
{
	uintptr_t first = from - from % (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)madvise((void *)first, to - first, MADV_DONTNEED); /* what is not given back is no matter */
}

static int give_back_code(struct dl_phdr_info *object, size_t size, void *user)
{
	(void)size;
	(void)user;
	if (strncmp(object->dlpi_name, "linux-", 6) == 0) /* the kernel's own */
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t from = object->dlpi_addr + part->p_vaddr;

		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
			give_back(from, from + part->p_memsz);
	}
	return 0;
}

void library_trim(void)
{
	(void)dl_iterate_phdr(give_back_code, NULL);
}

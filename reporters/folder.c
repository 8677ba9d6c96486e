#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "reporters/formats.h"
#include "runner/base/memory.h"

void report_folder_clear(int directory, const char *folder, bool (*is_ours)(const char *name))
{
	int fd = openat(directory, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *open = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!open) {
		if (fd >= 0)
			(void)close(fd);
		return; /* there is none yet; whatever else it is, writing into it will say */
	}
	while ((entry = readdir(open)) != NULL)
		if (is_ours(entry->d_name))
			(void)unlinkat(dirfd(open), entry->d_name, 0);
	(void)closedir(open);
}

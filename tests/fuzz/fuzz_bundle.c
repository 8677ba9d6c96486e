/* A bundle from anybody: listed, verified, extracted; whatever it is, nothing is written beside its folder. An input
 * that begins with "base64:" is the bytes behind it, for a corpus that people can read. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporters/bundle.h"
#include "runner/base/base64.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

#define BASE64 "base64:"
#define DEPTH 32

static int check_and_remove(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)place;
	FUZZ_MUST(kind == FTW_DP || (kind == FTW_F && S_ISREG(info->st_mode) && !(info->st_mode & 07111)));
	FUZZ_MUST(remove(path) == 0);
	return 0;
}

static size_t count_entries(const char *path)
{
	DIR *folder = opendir(path);
	size_t count = 0;

	FUZZ_MUST(folder != NULL);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(folder);
	return count;
}

static void extract(const char *path)
{
	char folder[] = "/tmp/gridlane-fuzz-XXXXXX";
	GR_AUTO_FREE char *inside = NULL;
	GR_AUTO_CLOSE int directory = -1;
	struct gr_error err = {0};
	size_t verified = 0, extracted = 0;

	FUZZ_MUST(mkdtemp(folder) != NULL);
	inside = gr_printf("%s/inside", folder);
	FUZZ_MUST(mkdir(inside, 0700) == 0);
	directory = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle_extract(path, directory, &extracted, &err) == 0)
		FUZZ_MUST(bundle_verify(path, &verified, &err) == 0 && verified == extracted);
	FUZZ_MUST(count_entries(folder) == 1);
	FUZZ_MUST(nftw(folder, check_and_remove, DEPTH, FTW_DEPTH | FTW_PHYS) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_BUFFER struct buffer plain = {0};
	GR_AUTO_BUFFER struct buffer list = {0};
	GR_AUTO_CLOSE int fd = memfd_create("bundle.tar", MFD_CLOEXEC);
	const char *text = (const char *)data;
	struct gr_error err = {0};
	char path[64];

	if (bytes > strlen(BASE64) && memcmp(text, BASE64, strlen(BASE64)) == 0) {
		if (!base64_read(text + strlen(BASE64), bytes - strlen(BASE64), &plain))
			return 0;
	} else {
		buffer_add(&plain, text, bytes);
	}
	FUZZ_MUST(fd >= 0 && file_write_all(fd, buffer_text(&plain), plain.bytes) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)bundle_list(path, &list, &err);
	extract(path);
	return 0;
}

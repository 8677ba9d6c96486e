/* Gives every file of the folders and files named to the target, as libFuzzer would; says how many there were. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MOST_BYTES ((size_t)128 << 20)

static int play_file(const char *path)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	struct gr_error err = {0};

	if (file_read(path, INPUT_MOST_BYTES, GR_USAGE, &data, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput((const uint8_t *)buffer_text(&data), data.bytes);
	return 1;
}

static int play_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int count = 0;

	while (folder && (entry = readdir(folder)) != NULL) {
		GR_AUTO_FREE char *inside = gr_printf("%s/%s", path, entry->d_name);

		struct stat info;

		if (entry->d_name[0] != '.' && stat(inside, &info) == 0 && S_ISREG(info.st_mode) &&
		        play_file(inside) == 1)
			count++;
	}
	if (folder)
		(void)closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;

	gr_memory_init();
	for (int i = 1; i < argc; i++) {
		struct stat info;
		int played;

		if (stat(argv[i], &info) != 0)
			return 2;
		played = S_ISDIR(info.st_mode) ? play_folder(argv[i]) : play_file(argv[i]);
		if (played < 0)
			return 2;
		count += played;
	}
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 2;
}

#include "runner/commands/merge_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporters/bundle.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define FOLDER "merged-parts"
#define CHUNK_BYTES ((size_t)256 << 10)

char *merge_files_folder(size_t number, const char *name)
{
	GR_AUTO_BUFFER struct buffer slug = {0};

	text_slug(&slug, name);
	return gr_printf(FOLDER "/%zu-%s", number, buffer_text(&slug));
}

void merge_files_forget(const struct output *output)
{
	struct results before = {0};
	struct gr_error ignored = {0}; /* no results, or none of ours: then there is nothing of a merge's */

	if (output_read_results(output, &before, &ignored) < 0)
		return;
	for (size_t i = 0; i < before.artifact_count; i++)
		if (before.is_merged && before.artifacts[i].path &&
		        text_has_prefix(before.artifacts[i].path, FOLDER "/"))
			file_remove_at(output->directory, before.artifacts[i].path);
	results_release(&before);
}

static int copy_bytes(int fd, int directory, const char *to, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	GR_AUTO_FREE char *chunk = gr_alloc(CHUNK_BYTES, 1);
	ssize_t got;
	int r = file_create(directory, to, 0644, &writer, err);

	if (r < 0)
		return r;
	while ((got = read(fd, chunk, CHUNK_BYTES)) > 0 || (got < 0 && errno == EINTR))
		if (got > 0)
			file_write(writer, chunk, (size_t)got);
	return got < 0 ? gr_fail(err, GR_DISK, errno, "file '%s'", to) : file_commit(&writer, err);
}

/* The very file that is open, whatever has its name meanwhile. */
static bool link_file(int fd, int directory, const char *to)
{
	GR_AUTO_FREE char *open_file = gr_printf("/proc/self/fd/%d", fd);
	GR_AUTO_FREE char *parent = gr_strndup(to, (size_t)(strrchr(to, '/') - to));
	GR_AUTO_CLOSE int folder = -1;
	struct gr_error ignored = {0}; /* the copy will say what is wrong */
	const char *name = strrchr(to, '/') + 1;

	if (file_make_directory_at(directory, parent, &folder, &ignored) < 0)
		return false;
	if (linkat(AT_FDCWD, open_file, folder, name, AT_SYMLINK_FOLLOW) == 0)
		return true;
	if (errno != EEXIST) /* of a merge that was killed before it said so */
		return false;
	file_remove_at(directory, to);
	return linkat(AT_FDCWD, open_file, folder, name, AT_SYMLINK_FOLLOW) == 0;
}

static int bring(const struct output *output, const struct output *part, const char *path, const char *folder,
        struct gr_error *err)
{
	GR_AUTO_CLOSE int fd = -1;
	GR_AUTO_FREE char *to = gr_printf("%s/%s", folder, path);
	struct stat state;

	if (!member_path_is_plain(path))
		return gr_fail(err, GR_DISK, 0, "its name in the part is not one that gridlane gives");
	fd = member_open(part->directory, path);
	if (fd < 0)
		return gr_fail(err, GR_DISK, -fd, "it is not in the folder of its part");
	if (fstat(fd, &state) < 0 || !S_ISREG(state.st_mode))
		return gr_fail(err, GR_DISK, 0, "it is no file in the folder of its part");
	return link_file(fd, output->directory, to) ? 0 : copy_bytes(fd, output->directory, to, err);
}

static void set_missing(struct artifact *artifact, const char *why)
{
	const char *slash = strrchr(artifact->path, '/');
	GR_AUTO_BUFFER struct buffer name = {0};

	gr_free(artifact->missing);
	artifact->missing = gr_strdup(why);
	if (member_path_is_plain(artifact->path))
		return;
	text_slug(&name, slash ? slash + 1 : artifact->path);
	gr_free(artifact->path);
	artifact->path = gr_strdup(buffer_text(&name));
}

void merge_files_bring(
        const struct output *output, const struct output *part, struct results *results, const char *folder)
{
	for (size_t i = 0; i < results->artifact_count; i++) {
		struct artifact *artifact = &results->artifacts[i];
		struct gr_error err = {0};

		if (artifact->path && !artifact->missing && bring(output, part, artifact->path, folder, &err) < 0)
			set_missing(artifact, err.text);
		else if (artifact->path && artifact->missing && !member_path_is_plain(artifact->path))
			set_missing(artifact, artifact->missing);
	}
}

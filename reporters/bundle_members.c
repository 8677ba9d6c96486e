#include "reporters/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

/* ---- opening below the folder ---- */

static int replace_fd(int old, int next)
{
	(void)close(old);
	return next;
}

/* Open the directory that the last part of `path` is in, part by part, no link followed. Returns it or -errno. */
static int open_parent(int directory, const char *path, const char **ret_name)
{
	GR_AUTO_FREE char *copy = gr_strdup(path);
	char *part = copy, *slash;
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (; fd >= 0 && (slash = strchr(part, '/')) != NULL; part = slash + 1) {
		int next;

		*slash = '\0';
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		fd = replace_fd(fd, next < 0 ? -errno : next);
	}
	*ret_name = path + (part - copy);
	return fd;
}

static int open_below(int directory, const char *path, int flags)
{
	const char *name = path;
	GR_AUTO_CLOSE int parent = open_parent(directory, path, &name);
	int fd;

	if (parent < 0)
		return parent;
	fd = openat(parent, name, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int member_open(int directory, const char *path)
{
	return open_below(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

/* ---- which files ---- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-", c));
}

bool member_path_is_plain(const char *path)
{
	size_t depth = 1;
	bool is_begin = true;

	for (const char *at = path; *at; at++) {
		if (*at == '/' ? is_begin : !is_plain(*at) || (is_begin && *at == '.'))
			return false;
		is_begin = *at == '/';
		depth += is_begin;
	}
	return !is_begin && strlen(path) <= PATH_BYTES_MOST && depth <= DEPTH_MOST;
}

static bool is_archive(const char *name)
{
	static const char *const endings[] = {".tar.zst", ".tar.gz", ".tar.xz", ".zip"};

	for (size_t i = 0; i < GR_COUNT(endings); i++)
		if (text_has_suffix_nocase(name, endings[i]))
			return true;
	return false;
}

/* The state of the run, and what is made from the other files. Beside the reports only: below, a server's log may have
 * any name. */
static bool is_own_state(const char *path)
{
	return !strchr(path, '/') &&
	       (text_has_prefix(path, "journal") || text_has_prefix(path, "state") || strcmp(path, "lock") == 0 ||
	               strcmp(path, MANIFEST_NAME) == 0 || strcmp(path, ALLURE_NAME) == 0 || is_archive(path));
}

static void note_missing(struct member_list *list, const char *path, const char *reason)
{
	(void)json_array_append_new(
	        list->missing, json_pack("{s:o, s:s}", "path", json_from_text(path), "reason", reason));
}

struct walk {
	struct member_list *list;
	int directory;
	const char *target;
	char **pending; /* directories not looked into yet */
	size_t pending_count;
};

static void add_member(struct walk *walk, const char *path, int64_t bytes)
{
	struct member_list *list = walk->list;

	if (list->count == MEMBERS_MOST || bytes > BYTES_MOST - list->bytes) {
		note_missing(list, path,
		        list->count == MEMBERS_MOST ? "too many files" : "the bundle would be larger than 4 GiB");
		return;
	}
	list->items = gr_grow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct member){.path = gr_strdup(path), .bytes = bytes};
	list->bytes += bytes;
}

static void look_at(struct walk *walk, int place, const char *path, const char *name)
{
	struct stat state;

	if (*name == '.' || is_own_state(path) || strcmp(path, walk->target) == 0)
		return;
	if (fstatat(place, name, &state, AT_SYMLINK_NOFOLLOW) < 0) {
		note_missing(walk->list, path, strerror(errno));
	} else if (!member_path_is_plain(path)) {
		note_missing(walk->list, path, "its name is not one that every system can unpack");
	} else if (S_ISDIR(state.st_mode)) {
		walk->pending = gr_grow(walk->pending, walk->pending_count, sizeof(*walk->pending));
		walk->pending[walk->pending_count++] = gr_strdup(path);
	} else if (S_ISREG(state.st_mode)) {
		add_member(walk, path, (int64_t)state.st_size);
	} else if (S_ISLNK(state.st_mode)) {
		note_missing(walk->list, path, "it is a symbolic link");
	}
}

static int look_into(struct walk *walk, const char *path, struct gr_error *err)
{
	int fd = open_below(walk->directory, path, O_RDONLY | O_DIRECTORY);
	DIR *open = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!open) {
		int errnum = fd < 0 ? -fd : errno;

		if (fd >= 0)
			(void)close(fd);
		return gr_fail(err, GR_DISK, errnum, "folder '%s'", path);
	}
	errno = 0;
	while ((entry = readdir(open)) != NULL) {
		GR_AUTO_FREE char *below =
		        strcmp(path, ".") == 0 ? gr_strdup(entry->d_name) : gr_printf("%s/%s", path, entry->d_name);

		look_at(walk, dirfd(open), below, entry->d_name);
		errno = 0;
	}
	fd = errno;
	(void)closedir(open);
	return fd ? gr_fail(err, GR_DISK, fd, "folder '%s'", path) : 0;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

static int compare_missing(const void *a, const void *b)
{
	const json_t *const *first = a, *const *second = b;

	return strcmp(json_string_value(json_object_get(*first, "path")),
	        json_string_value(json_object_get(*second, "path")));
}

/* The order of readdir() is the file system's; ours is that of the names. */
static void sort_missing(struct member_list *list)
{
	size_t count = json_array_size(list->missing);
	GR_AUTO_FREE json_t **items = gr_alloc(count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = json_incref(json_array_get(list->missing, i));
	qsort(items, count, sizeof(json_t *), compare_missing);
	(void)json_array_clear(list->missing);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list->missing, items[i]);
}

static int walk_all(struct walk *walk, struct gr_error *err)
{
	int r = look_into(walk, ".", err);

	while (r == 0 && walk->pending_count > 0) {
		GR_AUTO_FREE char *path = walk->pending[--walk->pending_count];

		r = look_into(walk, path, err);
	}
	while (walk->pending_count > 0)
		gr_free(walk->pending[--walk->pending_count]);
	gr_free(walk->pending);
	return r;
}

int member_list_init(struct member_list *list, int directory, const char *target, struct gr_error *err)
{
	struct walk walk = {.list = list, .directory = directory, .target = target};
	int r;

	*list = (struct member_list){.missing = json_array()};
	r = walk_all(&walk, err);
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare_members);
	sort_missing(list);
	if (r < 0)
		member_list_release(list);
	return r;
}

void member_list_release(struct member_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		gr_free(list->items[i].path);
	gr_free(list->items);
	json_decref(list->missing);
	*list = (struct member_list){0};
}

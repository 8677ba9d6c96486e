#include "runner/engine/document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"

static int resolve(const struct vault *vault, const json_t *members, json_t *out, struct gr_error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)members, key, value) {
		GR_AUTO_FREE char *text = NULL;

		if (!json_is_string(value)) {
			(void)json_object_set(out, key, value);
			continue;
		}
		text = vault_resolve(vault, json_string_value(value));
		if (!text)
			return gr_fail(err, GR_CONFIG, 0, "'%s': its secret is not known", key);
		(void)json_object_set_new(out, key, json_string(text));
		explicit_bzero(text, strlen(text));
	}
	return 0;
}

int document_write(const struct vault *vault, const json_t *members, const char *path, struct gr_error *err)
{
	GR_AUTO_JSON json_t *out = json_object();
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_CLOSE int fd = -1;
	int r = resolve(vault, members, out, err);

	if (r < 0)
		return r;
	text = json_dumps(out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return gr_fail(err, GR_DISK, errno, "'%s'", path);
	r = file_write_all(fd, text, strlen(text));
	explicit_bzero(text, strlen(text));
	return r < 0 ? gr_fail(err, GR_DISK, -r, "'%s'", path) : 0;
}

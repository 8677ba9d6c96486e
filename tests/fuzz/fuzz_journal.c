/* A journal that someone else wrote: read, or refused. Each line gets the checksum that belongs to it, as no fuzzer
 * guesses it; a line that begins with '!' is left as it is behind it. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/engine/crc.h"
#include "runner/engine/journal.h"
#include "tests/fuzz/fuzz.h"

static void add_lines(struct buffer *out, const char *text, size_t bytes)
{
	const char *end = text + bytes;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((stop ? stop : end) - text);

		if (length > 0 && *text == '!') {
			buffer_add(out, text + 1, length - 1);
		} else {
			buffer_printf(out, "%08x ", crc32c(text, length));
			buffer_add(out, text, length);
		}
		if (stop)
			buffer_add_char(out, '\n');
		text += length + (stop != NULL);
	}
}

/* What `report`, `resume` and `cleanup` do with it. */
static void use(struct replay *replay)
{
	GR_AUTO_JSON json_t *json = NULL;
	struct results copy = {0};

	FUZZ_MUST(replay != NULL && replay->head != NULL);
	(void)replay_leaves_open(replay);
	(void)replay_since_reservation(replay);
	for (size_t i = 0; i < replay->step_count; i++) {
		(void)replay_since_start(&replay->steps[i]);
		FUZZ_MUST(replay_find(replay, replay->steps[i].lane, replay->steps[i].step) == &replay->steps[i]);
	}
	replay_conclude(replay);
	json = results_to_json(&replay->results);
	FUZZ_MUST(json != NULL && results_from_json(json, &copy, NULL) == 0);
	FUZZ_MUST(copy.exit_status == replay->results.exit_status);
	results_release(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char folder[] = "/tmp/gridlane-fuzz-XXXXXX";
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_FREE char *path = NULL;
	GR_AUTO_CLOSE int directory = -1;
	struct replay *replay = NULL;
	struct gr_error err = {0};
	int fd;

	add_lines(&text, (const char *)data, bytes);
	FUZZ_MUST(mkdtemp(folder) != NULL);
	path = gr_printf("%s/%s", folder, JOURNAL_NAME);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_MUST(fd >= 0 && file_write_all(fd, buffer_text(&text), text.bytes) == 0);
	(void)close(fd);
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (replay_read(directory, &replay, &err) == 0)
		use(replay);
	else
		FUZZ_MUST(err.text[0] != '\0');
	replay_free(replay);
	(void)unlink(path);
	FUZZ_MUST(rmdir(folder) == 0);
	return 0;
}

/* redact SECRETS: stdin to stdout without the secrets, one a line in that file; in chunks, as the runner does it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/redact.h"

static void learn(struct redactor *redactor, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		(void)redactor_add(redactor, line);
	}
	if (file)
		(void)fclose(file);
}

int main(int argc, char **argv)
{
	static char chunk[1 << 16];
	struct redactor *redactor = redactor_new();
	struct redact_stream *stream = redact_stream_new(redactor);
	struct buffer out = {0};
	ssize_t n;

	learn(redactor, argc > 1 ? argv[1] : "/dev/null");
	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0) {
		redact_stream_add(stream, chunk, (size_t)n, &out);
		if (file_write_all(STDOUT_FILENO, out.data, out.bytes) < 0)
			return 1;
		buffer_clear(&out);
	}
	redact_stream_end(stream, &out);
	n = file_write_all(STDOUT_FILENO, out.data, out.bytes);
	buffer_release(&out);
	redact_stream_free(stream);
	redactor_free(redactor);
	return n < 0 ? 1 : 0;
}

/* One segment of a request's path: what may stand there, and how. Private to the encoder. */
#ifndef GRIDLANE_API_REQUEST_PATH_H
#define GRIDLANE_API_REQUEST_PATH_H

#include "runner/base/buffer.h"

/* What is wrong with a text as a path (of a file, of a URL), or as one segment of it; NULL for nothing. */
const char *path_text_problem(const char *text);
const char *path_segment_problem(const char *text);
/* Append `text` percent-encoded, so that it is one segment whatever it holds. */
void path_add_segment(struct buffer *path, const char *text);
/* Free a text, which may be NULL, and leave nothing of it in memory. */
void request_wipe(char *text);

#endif

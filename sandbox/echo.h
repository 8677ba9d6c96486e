/* The switch `echo_token`: a server that repeats the tokens it was given, in the encodings listed, in messages,
 * reasons, names, URLs and logs. What reads its answers must let none of them out. */
#ifndef GRIDLANE_SANDBOX_ECHO_H
#define GRIDLANE_SANDBOX_ECHO_H

#include "runner/base/buffer.h"
#include "sandbox/call.h"

bool echo_encoding_is_known(const char *name);
/* Into the answer of an operation: at the end of every text that people read and of every URL. */
void echo_into_answer(const struct call *call, json_t *answer);
/* Into the text of a log: a line an encoding. */
void echo_into_log(const struct call *call, struct buffer *log);

#endif

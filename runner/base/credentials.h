/* Secrets by where they stand: in a variable that is called so, or before the '@' of a URL. */
#ifndef GRIDLANE_BASE_CREDENTIALS_H
#define GRIDLANE_BASE_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/redact.h"

/* Does the variable's name (of `bytes` bytes) say that its value is a secret? */
bool variable_is_secret(const char *name, size_t bytes);
/* Does `url` hold a password: user:PASSWORD@host, behind a scheme or without one? */
bool url_has_password(const char *url);
/* Learn the password of a URL, or a user that is a token, as written and as decoded. */
void url_learn_password(struct redactor *redactor, const char *url);
/* Learn a part of a URL, as it is written there and as it is decoded. */
void url_learn_part(struct redactor *redactor, const char *text, size_t bytes);
/* Learn what the environment's names and URLs (proxies, repositories, databases) say is secret. */
void environment_learn(struct redactor *redactor);

#endif

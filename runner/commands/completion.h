/* What may follow on a command line, for the shells' completion. */
#ifndef GRIDLANE_COMMANDS_COMPLETION_H
#define GRIDLANE_COMMANDS_COMPLETION_H

#include <stddef.h>

/* words: what stands after `gridlane`, the last one being typed (perhaps ""). Prints one answer a line, "WORD<tab>words
 * about it"; a word that ends with '=' wants more; the one line ":files" means that file names belong there. */
void completion_words(const char *const *words, size_t count);

#endif

/* Inside reporters: what goes into a bundle. */
#ifndef GRIDLANE_REPORTERS_BUNDLE_H
#define GRIDLANE_REPORTERS_BUNDLE_H

#include <stdint.h>

#include "reporters/reporter.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_VERSION 1

struct member {
	char *path; /* relative to the output folder, ASCII */
	int64_t bytes;
	char sha256[65];
};

struct member_list {
	struct member *items; /* sorted by the bytes of their paths */
	size_t count;
	int64_t bytes;
	json_t *missing; /* [{path, reason}]: what lies in the folder and cannot go in */
};

/* Find the members: regular files with plain names; never the journal, hidden files, other bundles, `target` itself,
 * the manifest. */
int member_list_init(struct member_list *list, int directory, const char *target, struct gr_error *err);
void member_list_release(struct member_list *list);
/* Open a member without following links. Returns the descriptor, or -errno. */
int member_open(int directory, const char *path);

#endif

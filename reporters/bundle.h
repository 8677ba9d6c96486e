/* Inside reporters: what goes into a bundle. */
#ifndef GRIDLANE_REPORTERS_BUNDLE_H
#define GRIDLANE_REPORTERS_BUNDLE_H

#include <stdint.h>

#include "reporters/reporter.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_VERSION 1
#define ALLURE_NAME                                                                                                    \
	"allure-results" /* thousands of small files with copies of others: made again by `gridlane report` */
/* What unpackers of all systems take, and more than any run has. */
#define MEMBERS_MOST 100000
#define PATH_BYTES_MOST 200
#define DEPTH_MOST 16
#define BYTES_MOST (4LL * 1024 * 1024 * 1024)

struct member {
	char *path; /* relative to the output folder, ASCII */
	int64_t bytes;
	char sha256[65]; /* once it was read */
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
/* Parts of [A-Za-z0-9._-] alone, none of them hidden; neither too long nor too deep. */
bool member_path_is_plain(const char *path);
/* Open a member without following links. Returns the descriptor, or -errno. */
int member_open(int directory, const char *path);

/* ---- reading one (bundle_read.c) ----
 * Each looks at every name first: one that leaves the folder, or is not a plain file's, is GR_GATE for the whole. */
/* "BYTES  PATH" a line, as they stand in it. Appends to out. */
int bundle_list(const char *path, struct buffer *out, struct gr_error *err);
/* Every member against manifest.json, and the other way round. ret_count: how many. GR_GATE: they disagree. */
int bundle_verify(const char *path, size_t *ret_count, struct gr_error *err);
/* The same, with every member written below the open folder. One that disagrees with the manifest is noticed at the
 * end: GR_GATE then, too. */
int bundle_extract(const char *path, int directory, size_t *ret_count, struct gr_error *err);

#endif

/* Inside the bundle: the bytes of its members, read once and hashed by a thread of their own while the caller
 * compresses what was read before. Without that thread (none could be had) the caller's own does it, piece by piece. */
#ifndef GRIDLANE_REPORTERS_BUNDLE_FEED_H
#define GRIDLANE_REPORTERS_BUNDLE_FEED_H

#include "reporters/bundle.h"

struct feed;
struct piece {
	const char *data; /* the feed's, until the next call */
	size_t bytes;
	bool is_last; /* of its member, whose sha256 is there now */
};

/* The list is the feed's alone until feed_end(). */
struct feed *feed_begin(int directory, struct member_list *members);
/* The next piece: one after the other of each member in turn, at least one of each. GR_DISK: a file cannot be read, or
 * is longer or shorter than it was; nothing comes after that. */
int feed_take(struct feed *feed, struct piece *ret_piece, struct gr_error *err);
void feed_end(struct feed *feed); /* at any time */

#endif

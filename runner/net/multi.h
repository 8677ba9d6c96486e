/* libcurl's multi handle in our loop: its sockets and its timer wake the one wait; at most max_connections transfers
 * are with libcurl at once, the rest queue here (libcurl would count their waiting against the time to connect). */
#ifndef GRIDLANE_NET_MULTI_H
#define GRIDLANE_NET_MULTI_H

#include <stdbool.h>

#include "runner/base/error.h"
#include "runner/net/loop.h"

struct multi;
struct transfer;

/* Hand over to libcurl, or queue. The loop owns the transfer from here on, on success. */
int multi_add(struct loop *loop, struct transfer *transfer, struct gr_error *err);
bool multi_has_room(const struct loop *loop, const struct transfer *transfer); /* it would begin at once */
void multi_remove(struct transfer *transfer); /* from libcurl or the queue; does not free it */
void multi_turn(struct multi *multi); /* finish what is done, start what waits */
bool multi_is_busy(const struct multi *multi);
unsigned multi_timer_count(const struct multi *multi); /* timers in the loop that are libcurl's own */
void multi_free(struct multi *multi); /* frees the transfers too, without calling back */

#endif

/* Which network addresses and host names are our own machine or its neighbourhood. */
#ifndef GRIDLANE_NET_ADDRESS_H
#define GRIDLANE_NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Loopback, link-local (and so the metadata services of clouds), unspecified, multicast, broadcast; also inside IPv6.
 */
bool address_is_special(const struct sockaddr *address);
bool address_is_loopback(const struct sockaddr *address);
bool address_is_private(const struct sockaddr *address); /* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */

/* The address that a host names literally (with or without brackets); false for a name. */
bool address_parse(const char *host, struct sockaddr_storage *ret_address);
bool host_is_loopback(const char *host); /* "localhost" or a literal loopback address */
/* Loopback or a literal private address: what it names may be as local as itself. */
bool host_is_local(const char *host);

#endif

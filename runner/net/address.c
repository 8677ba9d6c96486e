#include "runner/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/text.h"

static bool v4_is_loopback(uint32_t ip)
{
	return ip >> 24 == 127;
}

static bool v4_is_private(uint32_t ip)
{
	return ip >> 24 == 10 || ip >> 20 == 0xAC1 || ip >> 16 == 0xC0A8 || ip >> 22 == 0x191;
}

static bool v4_is_special(uint32_t ip)
{
	return v4_is_loopback(ip) || ip >> 24 == 0 || ip >> 16 == 0xA9FE /* 169.254/16 */ || ip >> 28 >= 0xE ||
	       ip == 0x646464C8 /* 100.100.100.200, a cloud's metadata */ ||
	       ip == 0xC00000C0 /* 192.0.0.192, another's */;
}

static uint32_t v4_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The IPv4 address inside of an IPv6 one: mapped, compatible, translated (64:ff9b::/96) or 6to4. */
static bool v6_holds_v4(const uint8_t *ip, uint32_t *ret_v4)
{
	static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF}, compatible[12] = {0},
	                     translated[12] = {0x00, 0x64, 0xFF, 0x9B};

	if (ip[0] == 0x20 && ip[1] == 0x02) {
		*ret_v4 = v4_at(ip + 2);
		return true;
	}
	*ret_v4 = v4_at(ip + 12);
	if (memcmp(ip, compatible, 12) == 0)
		return *ret_v4 > 1; /* :: and ::1 are IPv6's own */
	return memcmp(ip, mapped, 12) == 0 || memcmp(ip, translated, 12) == 0;
}

static bool v6_is_special(const struct in6_addr *ip)
{
	static const uint8_t metadata[16] = {0xFD, 0x00, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54};

	return IN6_IS_ADDR_LOOPBACK(ip) || IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_LINKLOCAL(ip) ||
	       IN6_IS_ADDR_SITELOCAL(ip) || IN6_IS_ADDR_MULTICAST(ip) || memcmp(ip->s6_addr, metadata, 16) == 0;
}

/* As IPv4 wherever it is one. */
static bool find_v4(const struct sockaddr *address, uint32_t *ret_v4, struct in6_addr *ret_v6)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		*ret_v4 = ntohl(v4.sin_addr.s_addr);
		return true;
	}
	memcpy(&v6, address, sizeof(v6));
	*ret_v6 = v6.sin6_addr;
	return v6_holds_v4(v6.sin6_addr.s6_addr, ret_v4);
}

bool address_is_special(const struct sockaddr *address)
{
	struct in6_addr v6;
	uint32_t v4;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return true; /* no kind that a server on the network can have */
	return find_v4(address, &v4, &v6) ? v4_is_special(v4) : v6_is_special(&v6);
}

bool address_is_loopback(const struct sockaddr *address)
{
	struct in6_addr v6;
	uint32_t v4;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return false;
	return find_v4(address, &v4, &v6) ? v4_is_loopback(v4) : IN6_IS_ADDR_LOOPBACK(&v6);
}

bool address_is_private(const struct sockaddr *address)
{
	struct in6_addr v6;
	uint32_t v4;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return false;
	return find_v4(address, &v4, &v6) ? v4_is_private(v4) : (v6.s6_addr[0] & 0xFE) == 0xFC;
}

bool address_parse(const char *host, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	char plain[INET6_ADDRSTRLEN] = "";
	size_t bytes = strlen(host);
	bool has_brackets = bytes > 2 && host[0] == '[' && host[bytes - 1] == ']';

	*ret_address = (struct sockaddr_storage){0};
	if (bytes - (has_brackets ? 2 : 0) >= sizeof(plain))
		return false;
	memcpy(plain, host + has_brackets, bytes - (has_brackets ? 2 : 0));
	if (inet_pton(AF_INET, plain, &v4.sin_addr) == 1) {
		memcpy(ret_address, &v4, sizeof(v4));
		return true;
	}
	if (inet_pton(AF_INET6, plain, &v6.sin6_addr) != 1)
		return false;
	memcpy(ret_address, &v6, sizeof(v6));
	return true;
}

bool host_is_loopback(const char *host)
{
	struct sockaddr_storage address;

	if (text_equal_nocase(host, "localhost") || text_equal_nocase(host, "localhost."))
		return true;
	return address_parse(host, &address) && address_is_loopback((const struct sockaddr *)&address);
}

bool host_is_local(const char *host)
{
	struct sockaddr_storage address;

	if (host_is_loopback(host))
		return true;
	return address_parse(host, &address) && address_is_private((const struct sockaddr *)&address);
}

#include "runner/engine/crc.h"

uint32_t crc32c(const char *data, size_t bytes)
{
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < bytes; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1u)));
	}
	return ~crc;
}

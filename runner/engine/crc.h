/* CRC-32C (Castagnoli), as RFC 3720 defines it: tells a torn or damaged journal record. */
#ifndef GRIDLANE_ENGINE_CRC_H
#define GRIDLANE_ENGINE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const char *data, size_t bytes);

#endif

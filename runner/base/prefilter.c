#include "runner/base/prefilter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/memory.h"

#define STRIDE 3 /* places from one look to the next */
#define GRAM_BYTES 4
#define NEEDLE_BYTES_LEAST (STRIDE - 1 + GRAM_BYTES)
/* 16 KiB: fits beside the text in the nearest cache. 50 secrets, in all their forms, set about every twentieth bit. */
#define HASH_BITS 17

struct prefilter {
	uint64_t seen[(1 << HASH_BITS) / 64];
	bool lets_all_through;
};

struct prefilter *prefilter_new(void)
{
	return gr_alloc(1, sizeof(struct prefilter));
}

void prefilter_free(struct prefilter *prefilter)
{
	if (prefilter)
		explicit_bzero(prefilter, sizeof(*prefilter));
	gr_free(prefilter);
}

static uint32_t gram_at(const void *bytes)
{
	uint32_t gram;

	memcpy(&gram, bytes, GRAM_BYTES);
	return gram;
}

static uint32_t hash_of(uint32_t gram)
{
	return gram * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

/* Is one of its bytes below 16, as CR and LF are? */
static bool has_control(uint32_t gram)
{
	return ((gram - UINT32_C(0x10101010)) & ~gram & UINT32_C(0x80808080)) != 0;
}

void prefilter_add(struct prefilter *prefilter, const char *needle, size_t bytes)
{
	if (bytes < NEEDLE_BYTES_LEAST) {
		prefilter->lets_all_through = true;
		return;
	}
	for (size_t i = 0; i < STRIDE; i++) {
		uint32_t hash = hash_of(gram_at(needle + i));

		prefilter->seen[hash / 64] |= UINT64_C(1) << hash % 64;
	}
}

size_t prefilter_skip(const struct prefilter *prefilter, const unsigned char *data, size_t at, size_t bytes)
{
	size_t first = at;

	if (prefilter->lets_all_through)
		return first;
	for (; at + GRAM_BYTES <= bytes; at += STRIDE) {
		uint32_t gram = gram_at(data + at), hash = hash_of(gram);

		if (has_control(gram) || prefilter->seen[hash / 64] >> hash % 64 & 1)
			break;
	}
	/* no look before this one met anything: a needle that begins before it begins behind the last of them */
	return at < first + STRIDE ? first : at - (STRIDE - 1);
}

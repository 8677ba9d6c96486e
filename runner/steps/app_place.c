/* Where a test case is that polls have shown: a table of places by the hash of its key. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/steps/app_run.h"

/* In a place whose case has another key now: those behind it are still looked for. A case changes its key once at most,
 * so with more than twice as many places as cases there is always a free one. */
#define GONE UINT32_MAX

/* FNV-1a; absent is the same as empty. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3U;
	return (hash ^ 0xff) * 0x100000001b3U;
}

/* From where the watch is, which nobody outside knows: names cannot be chosen to collide. */
static uint64_t hash_key(const struct watch *watch, const struct case_key *key)
{
	uint64_t hash = 0xcbf29ce484222325U ^ (uint64_t)(uintptr_t)watch;

	hash = hash_text(hash, key->module_id);
	hash = hash_text(hash, key->name);
	hash = hash_text(hash, key->data) ^ key->nth;
	return (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15U >> 20;
}

static bool is_same(const char *left, const char *right)
{
	return strcmp(left != NULL ? left : "", right != NULL ? right : "") == 0;
}

static bool is_key_of(const struct seen_case *seen, const struct case_key *key)
{
	return seen->nth == key->nth && is_same(seen->name, key->name) && is_same(seen->module_id, key->module_id) &&
	       is_same(seen->data, key->data);
}

/* Where the case of this key is noted, or a free place. */
static uint32_t *find_place(const struct watch *watch, const struct case_key *key)
{
	size_t at = (size_t)hash_key(watch, key) & (watch->place_count - 1);

	while (watch->places[at] != 0 &&
	        (watch->places[at] == GONE || !is_key_of(&watch->cases[watch->places[at] - 1], key)))
		at = (at + 1) & (watch->place_count - 1);
	return &watch->places[at];
}

struct seen_case *watch_find(const struct watch *watch, const struct case_key *key)
{
	size_t place = watch->place_count > 0 ? *find_place(watch, key) : 0;

	return place > 0 ? &watch->cases[place - 1] : NULL;
}

static void make_room(struct watch *watch)
{
	if (watch->count * 3 < watch->place_count)
		return;
	watch->place_count = watch->place_count == 0 ? 64 : watch->place_count * 2;
	gr_free(watch->places);
	watch->places = gr_alloc(watch->place_count, sizeof(*watch->places));
	for (size_t i = 0; i < watch->count; i++) {
		const struct seen_case *seen = &watch->cases[i];

		*find_place(watch, &(struct case_key){seen->module_id, seen->name, seen->data, seen->nth}) =
		        (uint32_t)(i + 1);
	}
}

void watch_place(struct watch *watch, const struct case_key *key, size_t index)
{
	make_room(watch);
	*find_place(watch, key) = (uint32_t)(index + 1); /* answers hold fewer tests by far */
}

void watch_displace(struct watch *watch, const struct case_key *key)
{
	uint32_t *place = find_place(watch, key);

	if (*place != 0)
		*place = GONE;
}

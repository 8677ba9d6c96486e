#include "runner/api/model.h"

#include <strings.h>

#include "runner/base/memory.h"

struct spelling {
	const char *text;
	enum platform platform;
};

/* Numbers as the reference's samples have them in device_type: an iPhone is "1", a browser "3". */
static const struct spelling spellings[] = {
        {"ios", PLATFORM_IOS},
        {"iphone", PLATFORM_IOS},
        {"ipad", PLATFORM_IOS},
        {"ipados", PLATFORM_IOS},
        {"1", PLATFORM_IOS},
        {"android", PLATFORM_ANDROID},
        {"2", PLATFORM_ANDROID},
        {"web", PLATFORM_WEB},
        {"browser", PLATFORM_WEB},
        {"3", PLATFORM_WEB},
};

enum platform platform_parse(const char *text)
{
	for (size_t i = 0; text && i < GR_COUNT(spellings); i++)
		if (strcasecmp(text, spellings[i].text) == 0)
			return spellings[i].platform;
	return PLATFORM_UNKNOWN;
}

/* What the reference calls them, operation by operation. Direct uploads take apps only. */
static const struct {
	const char *name, *process_type, *direct_code, *direct_word;
} terms[] = {
        [PLATFORM_UNKNOWN] = {"unknown", NULL, NULL, NULL},
        [PLATFORM_IOS] = {"ios", "oia", "1", "iOS"},
        [PLATFORM_ANDROID] = {"android", "oaa", "2", "Android"},
        [PLATFORM_WEB] = {"web", "ow", NULL, NULL},
};

const char *platform_name(enum platform platform)
{
	return terms[platform].name;
}

const char *platform_process_type(enum platform platform)
{
	return terms[platform].process_type;
}

const char *platform_direct_code(enum platform platform)
{
	return terms[platform].direct_code;
}

const char *platform_direct_word(enum platform platform)
{
	return terms[platform].direct_word;
}

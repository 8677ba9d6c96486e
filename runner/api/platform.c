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

const char *platform_name(enum platform platform)
{
	switch (platform) {
	case PLATFORM_IOS:
		return "ios";
	case PLATFORM_ANDROID:
		return "android";
	case PLATFORM_WEB:
		return "web";
	case PLATFORM_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *platform_process_type(enum platform platform)
{
	switch (platform) {
	case PLATFORM_IOS:
		return "oia";
	case PLATFORM_ANDROID:
		return "oaa";
	case PLATFORM_WEB:
		return "ow";
	case PLATFORM_UNKNOWN:
		break;
	}
	return NULL;
}

const char *platform_direct_word(enum platform platform)
{
	switch (platform) {
	case PLATFORM_IOS:
		return "iOS";
	case PLATFORM_ANDROID:
		return "Android";
	case PLATFORM_WEB:
	case PLATFORM_UNKNOWN:
		break;
	}
	return NULL;
}

const char *platform_direct_code(enum platform platform)
{
	switch (platform) {
	case PLATFORM_IOS:
		return "1";
	case PLATFORM_ANDROID:
		return "2";
	case PLATFORM_WEB: /* the direct upload takes apps only */
	case PLATFORM_UNKNOWN:
		break;
	}
	return NULL;
}

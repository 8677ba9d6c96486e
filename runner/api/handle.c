#include "runner/api/handle.h"

#include <string.h>

#include "runner/base/memory.h"

char *handle_application(const char *app_id)
{
	return gr_printf(HANDLE_PREFIX "app/%s", app_id);
}

char *handle_version(const char *app_id, const char *version_id)
{
	return gr_printf(HANDLE_PREFIX "version/%s/%s", app_id, version_id);
}

char *handle_secret(const char *name)
{
	return gr_printf(HANDLE_PREFIX "secret/%s", name);
}

bool handle_is(const char *text)
{
	return text && strncmp(text, HANDLE_PREFIX, strlen(HANDLE_PREFIX)) == 0;
}

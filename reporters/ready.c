/* The libraries that the end of a run needs. Commands without reports do not wait for them; a run must not find out at
 * its end that one is missing. */
#include "reporters/bundle_library.h"
#include "reporters/junit_document.h"
#include "reporters/reporter.h"

int reporters_make_ready(struct gr_error *err)
{
	struct libarchive archive;
	struct libxml2 xml;
	int r = libarchive_load(&archive, err);

	return r < 0 ? r : junit_load(&xml, err);
}

/* The versions of an application, as get_application_info lists them. */
#ifndef GRIDLANE_STEPS_VERSION_H
#define GRIDLANE_STEPS_VERSION_H

#include "runner/api/model.h"
#include "runner/steps/step.h"

/* The list under data.versions; GR_PROTOCOL. A new reference. */
int version_list(const json_t *answer, json_t **ret_versions, struct gr_error *err);
/* All ids of versions of that name, as a list of texts; a new reference. */
json_t *version_ids(const json_t *versions, const char *name);
bool version_has_id(const json_t *versions, const char *id);
/* The platform that all versions share, or unknown. */
enum platform version_platform(const json_t *versions);
/* The one version that a TYPE_VERSION value means: a name comes first, then an id. GR_CONFIG if there is none or if
 * there are several. *ret_id is the caller's. */
int version_pick(const json_t *versions, const json_t *wanted, char **ret_id, struct gr_error *err);

/* The texts of `now` that are not in `before`; a new reference. */
json_t *texts_added(const json_t *now, const json_t *before);
bool texts_has(const json_t *texts, const char *text);

#endif

/* Secrets travel through the runner by name. A handle stands for a token or secret in arguments and outputs; the
 * engine's vault puts the value in when the request is encoded, and nowhere else. So values, journal and results hold
 * no secret. */
#ifndef GRIDLANE_API_HANDLE_H
#define GRIDLANE_API_HANDLE_H

#include <stdbool.h>

#define HANDLE_PREFIX "gridlane-secret:"

/* The results are the caller's. */
char *handle_application(const char *app_id); /* "gridlane-secret:app/223" */
char *handle_version(const char *app_id, const char *version_id); /* "gridlane-secret:version/223/481" */
char *handle_secret(const char *name); /* "gridlane-secret:secret/NAME" */
bool handle_is(const char *text); /* false for NULL */

#endif

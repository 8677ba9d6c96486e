/* Secrets travel through the runner by name. A handle stands for a token or secret in arguments and outputs; the engine's vault
 * puts the value in when the request is encoded, and nowhere else. So values, journal and results hold no secret. */
#ifndef GRIDLANE_API_HANDLE_H
#define GRIDLANE_API_HANDLE_H

#include <stdbool.h>

#define HANDLE_PREFIX "gridlane-secret:"

char *handle_application(const char *app_id);                         /* "gridlane-secret:app/223", the caller's */
char *handle_version(const char *app_id, const char *version_id);     /* "gridlane-secret:version/223/481", the caller's */
char *handle_secret(const char *name);                                /* "gridlane-secret:secret/NAME", the caller's */
bool handle_is(const char *text);

#endif

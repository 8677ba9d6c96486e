/* From the checked scenario to the catalogue of the state: users, applications with versions and old builds, modules
 * with their tests, devices. */
#ifndef GRIDLANE_SANDBOX_CATALOGUE_H
#define GRIDLANE_SANDBOX_CATALOGUE_H

#include "sandbox/state.h"

/* GR_CONFIG for what does not fit together. */
int catalogue_fill(struct state *state, struct gr_error *err);
/* The same for devices, in the shape of the reference (catalogue_devices.c). */
int catalogue_add_devices(struct state *state, struct gr_error *err);
/* A new application or version; the platform as the reference writes it. */
json_t *app_add(struct state *state, const char *id, const char *name, const char *platform, const char *token);
json_t *version_add(json_t *app, const char *id, const char *name, const char *platform, const char *token);
json_t *user_add(struct state *state, const char *id, const char *email, const char *password, const char *token);

#endif

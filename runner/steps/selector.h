/* One entry of `any_of:` in a group of devices. */
#ifndef GRIDLANE_STEPS_SELECTOR_H
#define GRIDLANE_STEPS_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "runner/api/model.h"

/* All that the entry says must hold: {name, os, tag, platform, manufacturer, id, udid}, evaluated; what is left out
 * fits any device. */
bool device_fits(const struct device *device, const json_t *entry);

#endif

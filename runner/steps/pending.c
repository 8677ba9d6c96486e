#include "runner/steps/machines.h"

static int begin_pending(struct step *step, struct gr_error *err)
{
	return gr_fail(err, GR_INTERNAL, 0, "step kind '%s' is not built yet", step->kind->name);
}
static void release_pending(struct step *step)
{
	(void)step;
}
#define PENDING(name) const struct step_ops name = {begin_pending, NULL, release_pending}
PENDING(application_ops);
PENDING(select_devices_ops);
PENDING(create_application_ops);
PENDING(create_version_ops);
PENDING(upload_build_ops);
PENDING(install_ops);
PENDING(app_build_run_ops);
PENDING(native_test_ops);
PENDING(reserve_device_ops);
PENDING(release_device_ops);
PENDING(run_ops);
PENDING(call_ops);

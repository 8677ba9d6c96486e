#include "tests/unit/api/api_test.h"

#include "runner/api/handle.h"

static void it_names_what_it_stands_for(void **state)
{
	GR_AUTO_FREE char *app = handle_application("223");
	GR_AUTO_FREE char *version = handle_version("223", "481");
	GR_AUTO_FREE char *secret = handle_secret("token");

	(void)state;
	assert_string_equal(app, "gridlane-secret:app/223");
	assert_string_equal(version, "gridlane-secret:version/223/481");
	assert_string_equal(secret, "gridlane-secret:secret/token");
}

static void it_knows_a_handle_from_a_text(void **state)
{
	GR_AUTO_FREE char *app = handle_application("223");

	(void)state;
	assert_true(handle_is(app));
	assert_true(handle_is("gridlane-secret:user"));
	assert_false(handle_is("gridlane-secret"));
	assert_false(handle_is(" gridlane-secret:user"));
	assert_false(handle_is("Gridlane-Secret:user"));
	assert_false(handle_is(""));
	assert_false(handle_is(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_names_what_it_stands_for),
	        cmocka_unit_test(it_knows_a_handle_from_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

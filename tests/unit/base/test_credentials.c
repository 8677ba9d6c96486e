#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/credentials.h"
#include "runner/base/memory.h"

static void it_knows_variables_that_are_called_secret(void **state)
{
	static const char *const secret[] = {"A_TOKEN", "a_secret", "PGPASSWORD", "DB_PASSWORD", "DEPLOY_KEY"};
	static const char *const open_ones[] = {
	        "TOKEN_FILE", "KEY", "PASSWORDS", "HOME", "", "MONKEY", "GRIDLANE_CLIENT_KEY"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(secret); i++)
		assert_true(variable_is_secret(secret[i], strlen(secret[i])));
	for (size_t i = 0; i < GR_COUNT(open_ones); i++)
		assert_false(variable_is_secret(open_ones[i], strlen(open_ones[i])));
	assert_false(variable_is_secret("A_TOKEN", 3));
}

static void assert_learns(const char *url, const char *text, const char *wanted)
{
	struct redactor *redactor = redactor_new();
	GR_AUTO_FREE char *found = NULL;

	url_learn_password(redactor, url);
	found = redactor_text(redactor, text);
	assert_string_equal(found, wanted);
	redactor_free(redactor);
}

static void it_learns_the_password_of_a_url(void **state)
{
	(void)state;
	assert_learns("http://me:passw0rd@host:3128", "passw0rd me host", "*** me host");
	assert_learns("me:passw0rd@host:3128", "passw0rd", "***"); /* a proxy without a scheme */
	assert_learns("http://me:pass%2Fw0rd%40@host", "pass/w0rd@ pass%2Fw0rd%40", "*** ***");
	assert_learns("http://me:pass/w0rd@x@host/", "pass/w0rd@x", "***");
	assert_learns("https://ghp_0123456789abcdefghij@host/x.git", "ghp_0123456789abcdefghij", "***");
	assert_learns("https://organisation@host/x", "organisation", "organisation");
	assert_learns("https://me:passw0rd@host/?mail=a@b", "passw0rd a@b", "*** a@b");
	assert_learns("https://host/?mail=name:someone@b.example", "someone@b.example", "someone@b.example");
	assert_learns("https://host:8080/a", "host 8080", "host 8080");
	assert_learns("", "x", "x");
}

static void it_sees_whether_a_url_has_one(void **state)
{
	(void)state;
	assert_true(url_has_password("postgresql://u:p@h/d"));
	assert_true(url_has_password("u:p@h"));
	assert_false(url_has_password("postgresql://u@h:5432/d"));
	assert_false(url_has_password("postgresql://u:@h/d"));
	assert_false(url_has_password("postgresql://h:5432/d"));
	assert_false(url_has_password("history.db"));
}

static void it_learns_from_the_environment(void **state)
{
	struct redactor *redactor = redactor_new();
	GR_AUTO_FREE char *found = NULL;

	(void)state;
	assert_int_equal(setenv("https_proxy", "me:proxypass1@host", 1), 0);
	assert_int_equal(setenv("GIT_URL", "https://bot:gitpass22@host/x", 1), 0);
	assert_int_equal(setenv("SOME_TOKEN", "tokentoken", 1), 0);
	assert_int_equal(setenv("NOTE", "see https://bot:notapass3@host", 1), 0);
	environment_learn(redactor);
	found = redactor_text(redactor, "proxypass1 gitpass22 tokentoken notapass3");
	assert_string_equal(found, "*** *** *** notapass3");
	redactor_free(redactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_knows_variables_that_are_called_secret),
	        cmocka_unit_test(it_learns_the_password_of_a_url),
	        cmocka_unit_test(it_sees_whether_a_url_has_one),
	        cmocka_unit_test(it_learns_from_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/api/api_test.h"

#include "runner/api/request.h"

/* The value of a field of the request for `arguments`, "" for none; fails the test if the request is refused. */
static struct request *request(enum operation_id id, const char *arguments)
{
	GR_AUTO_JSON json_t *given = json(arguments);
	struct request *made = NULL;
	struct gr_error err = {0};

	if (request_new(operation_get(id), given, &made, &err) < 0)
		fail_msg("refused: %s", err.text);
	assert_non_null(made);
	return made;
}

static const struct form_field *field(const struct request *made, const char *name)
{
	for (size_t i = 0; i < made->field_count; i++)
		if (strcmp(made->fields[i].name, name) == 0)
			return &made->fields[i];
	return NULL;
}

static void assert_field(enum operation_id id, const char *arguments, const char *name, const char *value)
{
	struct request *made = request(id, arguments);

	assert_non_null(field(made, name));
	assert_string_equal(field(made, name)->value, value);
	request_free(made);
}

static void assert_path(const char *user_id, const char *path)
{
	GR_AUTO_JSON json_t *given = json_pack("{s:s}", "user_id", user_id);
	struct request *made = NULL;

	assert_int_equal(request_new(operation_get(OP_DELETE_USER), given, &made, NULL), 0);
	assert_string_equal(made->path, path);
	assert_int_equal(made->field_count, 0);
	request_free(made);
}

/* The words of a refusal. */
static const char *refusal(enum operation_id id, const json_t *given)
{
	static struct gr_error err;
	struct request *made = NULL;

	err = (struct gr_error){0};
	assert_int_equal(request_new(operation_get(id), given, &made, &err), -GR_CONFIG);
	assert_null(made);
	assert_int_equal(err.failure, GR_CONFIG);
	return err.text;
}

static void assert_refused(enum operation_id id, const char *arguments, const char *words)
{
	GR_AUTO_JSON json_t *given = json(arguments);
	const char *text = refusal(id, given);

	if (!strstr(text, words))
		fail_msg("'%s' does not say '%s'", text, words);
}

static void it_sends_scalars_as_text(void **state)
{
	(void)state;
	assert_field(OP_BUILD_LIST, "{'application_token':'t','build_number':'770'}", "build_number", "770");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','build_number':770}", "build_number", "770");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','build_number':-1}", "build_number", "-1");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','last_minutes':true}", "last_minutes", "1");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','last_minutes':false}", "last_minutes", "0");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','last_minutes':15.6}", "last_minutes", "15.6");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','last_minutes':14.0}", "last_minutes", "14.0");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','last_minutes':0.1}", "last_minutes", "0.1");
	assert_field(OP_BUILD_LIST, "{'application_token':'t','last_minutes':''}", "last_minutes", "");
	assert_field(
	        OP_BUILD_LIST, "{'application_token':'Z\xc3\xbcrich\\n2'}", "application_token", "Z\xc3\xbcrich\n2");
}

static void it_sends_booleans_in_the_words_of_the_parameter(void **state)
{
	const char *with = "{'device_id':3,'apk_ipa_file':'a.apk','biometric_status':'pass','resign':true}";

	(void)state;
	assert_field(OP_BIOMETRIC_BYPASS, with, "resign", "true");
	assert_field(OP_APP_INSTALL_DIRECT, "{'app_build_id':1,'device_id':2,'is_resign':true}", "is_resign", "1");
}

static void it_leaves_out_what_is_null_or_absent(void **state)
{
	struct request *made = request(OP_BUILD_LIST, "{'application_token':'t','build_number':null}");

	(void)state;
	assert_int_equal(made->field_count, 1);
	assert_string_equal(made->path, "/ci/build_list");
	request_free(made);
}

static void it_joins_lists_with_commas(void **state)
{
	(void)state;
	assert_field(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':['a','b',3]}", "tags", "a,b,3");
	assert_field(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':['a']}", "tags", "a");
	assert_refused(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':['a,b']}", "comma");
	assert_refused(
	        OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':['gridlane-secret:app/1']}", "secret");
	assert_refused(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':['a',null]}", "'tags'");
	assert_refused(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':[['a']]}", "'tags'");
	assert_refused(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':[]}", "missing");
	assert_refused(OP_EXECUTION_DETAILS_BY_TAGS, "{'application_token':'t','tags':{}}", "mapping");
}

static void it_keeps_path_parameters_in_their_place(void **state)
{
	(void)state;
	assert_path("17", "/api/user/delete/17/");
	assert_path("../x", "/api/user/delete/..%2Fx/");
	assert_path("a/b?c#d", "/api/user/delete/a%2Fb%3Fc%23d/");
	assert_path("100%", "/api/user/delete/100%25/");
	assert_path("%2e%2e", "/api/user/delete/%252e%252e/");
	assert_path("a b+c", "/api/user/delete/a%20b%2Bc/");
	assert_path("\xc3\xbc", "/api/user/delete/%C3%BC/");
	assert_path("a-b.c_d~e", "/api/user/delete/a-b.c_d~e/");
	assert_path("{user_id}", "/api/user/delete/%7Buser_id%7D/");
	assert_path("...", "/api/user/delete/.../");
}

static void it_refuses_path_parameters_that_cannot_be_a_segment(void **state)
{
	GR_AUTO_JSON json_t *nul = json_pack("{s:o}", "user_id", json_stringn("1\0002", 3));

	(void)state;
	assert_refused(OP_DELETE_USER, "{'user_id':'..'}", "'user_id'");
	assert_refused(OP_DELETE_USER, "{'user_id':'.'}", "'user_id'");
	assert_refused(OP_DELETE_USER, "{'user_id':''}", "empty");
	assert_refused(OP_DELETE_USER, "{'user_id':'1\\n'}", "control");
	assert_refused(OP_DELETE_USER, "{'user_id':'\\u007f'}", "control");
	assert_refused(OP_DELETE_USER, "{}", "missing");
	assert_refused(OP_DELETE_USER, "{'user_id':null}", "missing");
	assert_non_null(strstr(refusal(OP_DELETE_USER, nul), "NUL"));
}

static void it_lets_handles_pass(void **state)
{
	const char *with =
	        "{'application_token':'gridlane-secret:app/223','version_token':'gridlane-secret:version/223/4',"
	        "'process_type':'gridlane-secret:secret/kind','s_device':'x','app_build_id':1}";

	(void)state;
	assert_field(OP_APP_BUILD_INSTALL, with, "application_token", "gridlane-secret:app/223");
	assert_field(OP_APP_BUILD_INSTALL, with, "process_type", "gridlane-secret:secret/kind");
	assert_path("gridlane-secret:secret/user_id", "/api/user/delete/gridlane-secret%3Asecret%2Fuser_id/");
}

/* context: what the handle stands for, or NULL. */
static char *resolve(const void *context, const char *handle)
{
	assert_string_equal(handle, "gridlane-secret:secret/user id/\xc3\xbc");
	return gr_strdup(context);
}

static int resolve_path(const char *secret, char path[static 128])
{
	struct request *made = request(OP_DELETE_USER, "{'user_id':'gridlane-secret:secret/user id/\xc3\xbc'}");
	struct handle_resolver resolver = {.resolve = resolve, .context = secret};
	int rc = request_resolve_path(made, &resolver, NULL);

	(void)snprintf(path, 128, "%s", made->path);
	request_free(made);
	return rc;
}

static void it_puts_secrets_into_the_path(void **state)
{
	struct handle_resolver none = {.resolve = resolve};
	struct request *plain = request(OP_DELETE_USER, "{'user_id':'a%2Fb'}");
	char path[128];

	(void)state;
	assert_int_equal(resolve_path("17", path), 0);
	assert_string_equal(path, "/api/user/delete/17/");
	assert_int_equal(resolve_path("../a b", path), 0);
	assert_string_equal(path, "/api/user/delete/..%2Fa%20b/");
	assert_int_equal(resolve_path("..", path), -GR_CONFIG);
	assert_int_equal(resolve_path("", path), -GR_CONFIG);
	assert_int_equal(resolve_path("1\r\n", path), -GR_CONFIG);
	assert_int_equal(resolve_path(NULL, path), -GR_AUTH);
	assert_non_null(strstr(path, "gridlane-secret"));
	assert_int_equal(request_resolve_path(plain, &none, NULL), 0);
	assert_string_equal(plain->path, "/api/user/delete/a%252Fb/");
	request_free(plain);
}

static void it_checks_file_extensions_in_any_case(void **state)
{
	const char *good = "{'build_name':'n','app_build_id':1,'device_id':2,'file':'out/Tests.APK'}";
	struct request *made = request(OP_RUN_NATIVE_TEST_ANDROID, good);

	(void)state;
	assert_true(field(made, "file")->is_file);
	assert_false(field(made, "build_name")->is_file);
	assert_string_equal(field(made, "file")->value, "out/Tests.APK");
	request_free(made);
	assert_refused(
	        OP_RUN_NATIVE_TEST_ANDROID, "{'build_name':'n','app_build_id':1,'device_id':2,'file':'t.zip'}", ".apk");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'2','upload_file':'app'}", ".apk or .ipa");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'2','upload_file':'app.apk.txt'}", ".apk or .ipa");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'2','upload_file':''}", "empty");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'2','upload_file':7}", "path of a file");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'2','upload_file':['a.apk']}", "path of a file");
	assert_field(OP_UPLOAD_IMAGE_FOR_IMAGE_INJECTION, "{'image':'x.JPeG'}", "image", "x.JPeG");
}

static void it_checks_choices(void **state)
{
	(void)state;
	assert_field(OP_APP_UPLOAD_DIRECT, "{'platform':2,'upload_file':'a.ipa'}", "platform", "2");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':3,'upload_file':'a.ipa'}", "'3', it must be 1 or 2");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'','upload_file':'a.ipa'}", "it must be 1 or 2");
	assert_refused(OP_APP_UPLOAD_DIRECT, "{'platform':'1|2','upload_file':'a.ipa'}", "it must be 1 or 2");
	assert_field(OP_CREATE_USER, "{'firstname':'a','lastname':'b','email':'c','password':'d','role':'Team User'}",
	        "role", "Team User");
}

static void it_says_all_that_is_wrong_in_one_text(void **state)
{
	GR_AUTO_JSON json_t *given = json("{'bild_name':'x','user_token':'t','zzz':1,'upload_file':'a.txt'}");
	const char *text = refusal(OP_APP_BUILD_UPLOAD, given);

	(void)state;
	assert_non_null(strstr(text, "app_build_upload"));
	assert_non_null(strstr(text, "'bild_name' is not known (did you mean 'build_name'?)"));
	assert_non_null(strstr(text, "'user_token' is filled in by the runner"));
	assert_non_null(strstr(text, "'zzz' is not known;"));
	assert_non_null(strstr(text, "'application_token' is missing"));
	assert_non_null(strstr(text, "'version_token' is missing"));
	assert_non_null(strstr(text, "'build_name' is missing"));
	assert_non_null(strstr(text, "'a.txt'"));
}

static void it_makes_names_and_values_in_its_words_harmless(void **state)
{
	GR_AUTO_JSON json_t *given =
	        json("{'x\\u001b[31m\\n::error::y':1,'platform':'\\u001b]0;t\\u0007\\n','upload_file':'a.apk'}");
	const char *text = refusal(OP_APP_UPLOAD_DIRECT, given);

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '\a'));
}

static void it_takes_one_of_several_alternatives(void **state)
{
	(void)state;
	assert_field(OP_GET_DEVICE_DETAILS, "{'device_id':5}", "device_id", "5");
	assert_field(OP_GET_DEVICE_DETAILS, "{'udid':'x'}", "udid", "x");
	assert_field(OP_GET_DEVICE_DETAILS, "{'udid':'x','device_id':5}", "udid", "x");
	assert_refused(OP_GET_DEVICE_DETAILS, "{}", "one of 'device_id', 'udid' is needed");
	assert_refused(OP_GET_DEVICE_DETAILS, "{'udid':null}", "one of 'device_id', 'udid' is needed");
	assert_field(OP_JSON_UPLOAD, "{'json_content':'{}'}", "json_content", "{}");
	assert_field(OP_CSV_TO_JSON, "{'upload_file':'a.csv'}", "upload_file", "a.csv");
	assert_refused(OP_JSON_UPLOAD, "{}", "is needed");
	assert_refused(OP_JSON_UPLOAD, "{'json_content':'{}','user_token':'t'}", "is not known");
}

static void it_checks_names_without_values(void **state)
{
	GR_AUTO_JSON json_t *good = json("{'user_id':null}");
	GR_AUTO_JSON json_t *bad = json("{'userid':null}");
	GR_AUTO_JSON json_t *udid = json("{'udid':null}");
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(request_check_names(operation_get(OP_DELETE_USER), good, &err), 0);
	assert_int_equal(err.failure, GR_NONE);
	assert_int_equal(request_check_names(operation_get(OP_DELETE_USER), bad, &err), -GR_CONFIG);
	assert_non_null(strstr(err.text, "did you mean 'user_id'?"));
	assert_int_equal(request_check_names(operation_get(OP_GET_DEVICE_DETAILS), udid, NULL), 0);
	assert_int_equal(request_check_names(operation_get(OP_GET_DEVICE_DETAILS), NULL, NULL), -GR_CONFIG);
	assert_int_equal(request_check_names(operation_get(OP_GET_DEVICE_LIST), NULL, NULL), 0);
}

static void it_adds_a_field_once(void **state)
{
	struct request *made = request(OP_GET_DEVICE_LIST, "{}");

	(void)state;
	assert_int_equal(made->field_count, 0);
	request_add_text(made, "user_token", "one");
	request_add_text(made, "user_token", "two");
	assert_int_equal(made->field_count, 1);
	assert_string_equal(made->fields[0].value, "two");
	request_free(made);
	request_free(NULL);
}

static void it_survives_odd_values_for_every_parameter(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++)
		for (size_t odd = 0; odd < GR_COUNT(odd_values); odd++) {
			const struct operation *operation = operation_get((enum operation_id)i);
			GR_AUTO_JSON json_t *given = json_object();
			struct request *made = NULL;
			struct gr_error err = {0};

			for (const struct parameter *p = operation->parameters; p->name; p++)
				json_object_set_new(given, p->name, json(odd_values[odd]));
			if (request_new(operation, given, &made, &err) < 0)
				assert_int_equal(err.failure, GR_CONFIG);
			request_free(made);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_sends_scalars_as_text),
	        cmocka_unit_test(it_sends_booleans_in_the_words_of_the_parameter),
	        cmocka_unit_test(it_leaves_out_what_is_null_or_absent),
	        cmocka_unit_test(it_joins_lists_with_commas),
	        cmocka_unit_test(it_keeps_path_parameters_in_their_place),
	        cmocka_unit_test(it_refuses_path_parameters_that_cannot_be_a_segment),
	        cmocka_unit_test(it_lets_handles_pass),
	        cmocka_unit_test(it_puts_secrets_into_the_path),
	        cmocka_unit_test(it_checks_file_extensions_in_any_case),
	        cmocka_unit_test(it_checks_choices),
	        cmocka_unit_test(it_says_all_that_is_wrong_in_one_text),
	        cmocka_unit_test(it_makes_names_and_values_in_its_words_harmless),
	        cmocka_unit_test(it_takes_one_of_several_alternatives),
	        cmocka_unit_test(it_checks_names_without_values),
	        cmocka_unit_test(it_adds_a_field_once),
	        cmocka_unit_test(it_survives_odd_values_for_every_parameter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

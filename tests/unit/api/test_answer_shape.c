/* Where in an answer a member stands, and what may stand around the answer itself. */
#include "tests/unit/api/api_test.h"

#include "runner/base/buffer.h"

static void assert_unreadable(const char *body, const char *words)
{
	struct gr_error err = {0};
	json_t *value = NULL;

	assert_int_equal(answer_parse(body, strlen(body), &value, &err), -GR_PROTOCOL);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void assert_holder(const char *text, const char *id)
{
	GR_AUTO_JSON json_t *answer = json(text);
	GR_AUTO_FREE char *is = answer_text(answer_holder(answer, "x_id|id"), "x_id|id");

	if (!id != !is || (id && strcmp(id, is) != 0))
		fail_msg("%s gives %s", text, is ? is : "nothing");
}

static void it_finds_the_object_that_says_it(void **state)
{
	(void)state;
	assert_holder("{'x_id':7}", "7");
	assert_holder("{'x_id':7,'data':{'x_id':8}}", "7");
	assert_holder("{'x_id':null,'data':{'x_id':8}}", "8");
	assert_holder("{'status':1,'response':{'id':'8'}}", "8");
	assert_holder("{'result':[{'id':'8'}]}", "8");
	assert_holder("{'data':{'data':[{'id':'8'}]}}", "8");
	assert_holder("{'data':[{'id':'8'},{'id':'9'}]}", NULL); /* which of them? */
	assert_holder("{'data':'8','response':[],'result':null}", NULL);
	assert_holder("{'other':{'id':'8'}}", NULL);
	assert_holder("[{'id':'8'}]", NULL);
	assert_null(answer_holder(NULL, "id"));
}

static void assert_same_as_object(const char *body)
{
	GR_AUTO_BUFFER struct buffer bytes = {0};
	GR_AUTO_JSON json_t *wanted = json("{'a':'}<','b':[1]}");
	GR_AUTO_JSON json_t *parsed = NULL;
	GR_AUTO_JSON json_t *taken = NULL;
	struct gr_error err = {0};

	buffer_add_text(&bytes, body);
	if (answer_parse(body, strlen(body), &parsed, &err) < 0 || answer_take(&bytes, &taken, &err) < 0)
		fail_msg("%s: %s", body, err.text);
	assert_true(json_equal(parsed, wanted));
	assert_true(json_equal(taken, wanted));
}

#define OBJECT "{\"a\":\"}<\",\"b\":[1]}"

static void it_reads_past_the_notices_of_the_servers_language(void **state)
{
	(void)state;
	assert_same_as_object(OBJECT "\n<!-- made in 0.3 s -->\n");
	assert_same_as_object(OBJECT "<br />\n<b>Notice</b>: Undefined index in <b>/a.php</b> on line <b>1</b><br />");
	assert_same_as_object("<br />\n<b>Notice</b>: Undefined in <b>/a.php</b> on line <b>1</b><br />\n" OBJECT);
	assert_same_as_object("\nPHP Warning:  Undefined index: {x} in /a.php on line 1\n" OBJECT "\n");
	assert_unreadable("<html><b>Error</b> in /a.php on line 1<br />\n" OBJECT, "web page");
	assert_unreadable("<!DOCTYPE html><script>\n" OBJECT "</script> on line 1\n" OBJECT, "web page");
	assert_unreadable("<p>Maintenance</p>\n" OBJECT, "web page");
	assert_unreadable("<br />Error in /a.php on line 1\n", "web page");
	assert_unreadable("<br />Error in /a.php on line 1\n{\"a\":", "ends in the middle");
	assert_unreadable(OBJECT OBJECT "<br>", "not valid JSON");
	assert_unreadable(OBJECT " words <br>", "not valid JSON");
	assert_unreadable("{\"a\":1,}<br>", "not valid JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_finds_the_object_that_says_it),
	        cmocka_unit_test(it_reads_past_the_notices_of_the_servers_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

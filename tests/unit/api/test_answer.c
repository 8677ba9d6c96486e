#include "tests/unit/api/api_test.h"

#include "runner/base/buffer.h"
#include "runner/base/text.h"

static int parse(const char *body, size_t bytes, struct gr_error *err)
{
	json_t *value = NULL;
	int rc = answer_parse(body, bytes, &value, err);

	if (rc < 0)
		assert_null(value);
	json_decref(value);
	return rc;
}

/* 4 MiB of it, so that most is dropped before the end. */
static void make_large(struct buffer *body, const char *end)
{
	buffer_add_text(body, " \n{\"secret\": \"first\", \"rows\": [0");
	while (body->bytes < (size_t)4 << 20)
		buffer_printf(body, ", \"row %zu\"", body->bytes);
	buffer_add_text(body, end);
}

static void it_uses_a_body_up(void **state)
{
	GR_AUTO_BUFFER struct buffer body = {0};
	struct gr_error err = {0};
	GR_AUTO_JSON json_t *parsed = NULL;
	GR_AUTO_JSON json_t *taken = NULL;
	json_t *none = NULL;

	(void)state;
	make_large(&body, "]}");
	assert_int_equal(answer_parse(buffer_text(&body), body.bytes, &parsed, &err), 0);
	assert_int_equal(answer_take(&body, &taken, &err), 0);
	assert_true(json_equal(parsed, taken));
	assert_int_equal(body.bytes, 0);
	make_large(&body, "]} no end");
	assert_int_equal(answer_take(&body, &none, &err), -GR_PROTOCOL);
	assert_non_null(strstr(err.text, "is not valid JSON; it begins '{\"secret\": \"first\", \"rows\": [0, \"row "));
	assert_null(none);
	assert_int_equal(body.bytes, 0);
	assert_int_equal(answer_take(&body, &none, &err), -GR_PROTOCOL);
	assert_non_null(strstr(err.text, "is empty"));
}

static void assert_unreadable(const char *body, const char *words)
{
	struct gr_error err = {0};

	assert_int_equal(parse(body, strlen(body), &err), -GR_PROTOCOL);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void it_reads_objects_and_lists(void **state)
{
	(void)state;
	assert_int_equal(parse("{}", 2, NULL), 0);
	assert_int_equal(parse("[]", 2, NULL), 0);
	assert_int_equal(parse("\xEF\xBB\xBF{\"a\":1}", 10, NULL), 0);
	assert_int_equal(parse(" \r\n\t{ }\n", 8, NULL), 0);
}

static void it_refuses_what_is_no_answer(void **state)
{
	(void)state;
	assert_unreadable("", "empty");
	assert_unreadable(" \n\t", "empty");
	assert_unreadable("\xEF\xBB\xBF", "empty");
	assert_unreadable("<html><body>502 Bad Gateway</body></html>", "502 Bad Gateway");
	assert_unreadable("<!DOCTYPE html>", "web page");
	assert_unreadable("7", "not valid JSON");
	assert_unreadable("\"text\"", "not valid JSON");
	assert_unreadable("null", "not valid JSON");
	assert_unreadable("{\"a\":1", "ends in the middle");
	assert_unreadable("{\"a\":1,}", "not valid JSON");
	assert_unreadable("{\"a\":1} x", "not valid JSON");
	assert_unreadable("{\"a\":1}{\"a\":2}", "not valid JSON");
	assert_unreadable("{\"a\":1,\"a\":2}", "key twice");
	assert_unreadable("{\"a\":{\"b\":1,\"b\":1}}", "key twice");
	assert_unreadable("{\"a\":\"\xff\"}", "UTF-8");
	assert_unreadable("{\"a\":\"\\u0000\"}", "NUL");
	assert_unreadable("{\"a\":99999999999999999999999}", "too large");
	assert_unreadable("{\"a\":\"\\ud800\"}", "the answer");
	assert_int_equal(parse("{\"a\":\"\0\"}", 9, NULL), -GR_PROTOCOL);
	assert_int_equal(parse("\0\0", 2, NULL), -GR_PROTOCOL);
}

static void it_shows_the_first_bytes_made_harmless(void **state)
{
	struct gr_error err = {0};
	const char *body = "<p>\x1b[31m\r\n::error::##[command]";

	(void)state;
	assert_int_equal(parse(body, strlen(body), &err), -GR_PROTOCOL);
	assert_null(strchr(err.text, '\x1b'));
	assert_null(strchr(err.text, '\n'));
	assert_null(strstr(err.text, "##["));
}

static void it_shows_no_token_of_a_broken_answer(void **state)
{
	struct gr_error err = {0};
	const char *body = "{\"success\":true,\"user_token\":\"s3cr3t-s3cr3t\",}";

	(void)state;
	assert_int_equal(parse(body, strlen(body), &err), -GR_PROTOCOL);
	assert_non_null(strstr(err.text, "success"));
	assert_null(strstr(err.text, "s3cr3t"));
}

static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	buffer_add_text(&text, head);
	for (size_t i = 0; i < count; i++)
		buffer_add_text(&text, piece);
	buffer_add_text(&text, tail);
	return buffer_take(&text);
}

static void assert_limit(const char *head, const char *piece, size_t count, const char *tail, const char *words)
{
	GR_AUTO_FREE char *body = repeated(head, piece, count, tail);
	struct gr_error err = {0};
	int rc = parse(body, strlen(body), &err);

	if (!words) {
		if (rc < 0)
			fail_msg("refused: %s", err.text);
		return;
	}
	assert_int_equal(rc, -GR_PROTOCOL);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void it_keeps_the_limits(void **state)
{
	GR_AUTO_FREE char *deep = repeated("", "[", 64, "");
	GR_AUTO_FREE char *whole = repeated(deep, "]", 64, "");

	(void)state;
	assert_int_equal(parse(whole, strlen(whole), NULL), 0);
	assert_limit("", "[", 65, "", "deeper than 64");
	assert_limit("", "{\"a\":", 100000, "", "deeper than 64");
	assert_limit("[{}", ",{}", 599998, "]", NULL);
	assert_limit("[{}", ",{}", 599999, "]", "too many lists");
	assert_limit("[0", ",0", 4000000, "]", "too many values");
	assert_limit("[\"", "xxxxxxxxxxxxxxx", ((1 << 20) - 1) / 15, "\"]", NULL);
	assert_limit("[\"", "xxxxxxxxxxxxxxxx", (1 << 16) + 1, "\"]", "too long");
	assert_limit("[\"", "[{,\\\"", 1000, "\"]", NULL); /* braces within a text count for nothing */
}

static void it_takes_bodies_up_to_64_mib(void **state)
{
	size_t most = (size_t)64 << 20;
	GR_AUTO_FREE char *body = gr_alloc(most + 1, 1);
	struct gr_error err = {0};

	(void)state;
	memset(body, ' ', most + 1);
	memcpy(body, "{}", 2);
	assert_int_equal(parse(body, most, &err), 0);
	assert_int_equal(parse(body, most + 1, &err), -GR_PROTOCOL);
	assert_non_null(strstr(err.text, "too large"));
}

static void assert_says(const char *text, enum answer_says says)
{
	GR_AUTO_JSON json_t *value = json(text);

	if (answer_says(value) != says)
		fail_msg("%s says %d, not %d", text, answer_says(value), says);
}

static void it_reads_flags_of_every_type(void **state)
{
	static const char *const yes[] = {
	        "true", "1", "'1'", "1.0", "'true'", "'TRUE'", "'success'", "'ok'", "200", "'200'"};
	static const char *const no[] = {
	        "false", "0", "'0'", "0.0", "'false'", "'fail'", "'Failed'", "'error'", "401", "'500'"};
	static const char *const keys[] = {"success", "status", "statuscode"};

	(void)state;
	for (size_t k = 0; k < GR_COUNT(keys); k++)
		for (size_t i = 0; i < GR_COUNT(yes); i++) {
			GR_AUTO_FREE char *good = gr_printf("{'%s':%s}", keys[k], yes[i]);
			GR_AUTO_FREE char *bad = gr_printf("{'%s':%s}", keys[k], no[i]);

			assert_says(good, ANSWER_SUCCESS);
			assert_says(bad, ANSWER_REFUSED);
		}
}

static void it_weighs_the_flags_together(void **state)
{
	(void)state;
	assert_says("{'status':1,'statuscode':'200'}", ANSWER_SUCCESS);
	assert_says("{'success':true,'status':0}", ANSWER_CONTRADICTORY);
	assert_says("{'success':false,'status':'success'}", ANSWER_CONTRADICTORY);
	assert_says("{'status':1,'statuscode':'500'}", ANSWER_CONTRADICTORY);
	assert_says("{'success':false,'status':0}", ANSWER_REFUSED);
	assert_says("{}", ANSWER_SILENT);
	assert_says("[]", ANSWER_SILENT);
	assert_says("[{'success':true}]", ANSWER_SILENT);
	assert_says("{'success':null,'status':''}", ANSWER_SILENT);
	assert_says("{'success':{},'status':[]}", ANSWER_SILENT);
	assert_says("{'status':'Available'}", ANSWER_SILENT);
	assert_says("{'success':2}", ANSWER_SILENT);
	assert_says("{'data':[{'status':'0'}],'success':true}", ANSWER_SUCCESS);
	assert_says("{'data':{'status':0,'success':false}}", ANSWER_SILENT);
}

static void assert_message(const char *text, const char *message)
{
	GR_AUTO_JSON json_t *value = json(text);
	char words[256];

	assert_string_equal(answer_message(value, words), message);
}

static void it_finds_the_servers_words(void **state)
{
	(void)state;
	assert_message("{'message':'a'}", "a");
	assert_message("{'msg':'b'}", "b");
	assert_message("{'error':'c'}", "c");
	assert_message("{'message':'','msg':'d'}", "d");
	assert_message("{'error':{'message':'e'}}", "e");
	assert_message("{'errors':['f']}", "f");
	assert_message("{'data':{'msg':'g'}}", "g");
	assert_message("{'errors':{'email':['is taken','no']}}", "email: is taken");
	assert_message(
	        "{'errors':{'email':['is taken','no'],'name':'is missing'}}", "email: is taken; name: is missing");
	assert_message("{'message':'The given data was invalid.','errors':{'device_id':['is required']}}",
	        "The given data was invalid. (device_id: is required)");
	assert_message("{'message':'i','errors':[]}", "i");
	assert_message("{'errors':{'email':{}}}", "");
	assert_message("{'data':[{'message':'h'}]}", "h");
	assert_message("{'message':404}", "404");
	assert_message("{}", "");
	assert_message("[]", "");
	assert_message("{'message':{}}", "");
	assert_message("{'message':true,'data':7}", "");
	assert_message("{'message':'a\\r\\nb\\u001b[1m'}", "a\\r\\nb");
}

static void it_cuts_long_words_between_characters(void **state)
{
	GR_AUTO_FREE char *words = repeated("", "w\xc3\xb6rter ", 5000, "");
	GR_AUTO_FREE char *solid = repeated("", "\xe2\x82\xac", 5000, "");
	GR_AUTO_JSON json_t *long_words = json_pack("{s:s}", "message", words);
	GR_AUTO_JSON json_t *one_word = json_pack("{s:s}", "message", solid);
	char text[256];

	(void)state;
	(void)answer_message(long_words, text);
	assert_true(strlen(text) < 256 && strlen(text) > 100);
	assert_string_equal(text + strlen(text) - 3, "…");
	assert_true(strlen(answer_message(one_word, text)) < 256);
	assert_true(text_is_utf8(text, strlen(text)));
}

static bool is_auth(const char *message)
{
	GR_AUTO_JSON json_t *value = json_pack("{s:i,s:s}", "status", 0, "message", message);

	return answer_is_about_auth(value);
}

static void it_knows_words_about_the_token(void **state)
{
	static const char *const auth[] = {"Invalid user token", "Token expired", "Your session has expired.",
	        "Unauthenticated.", "Unauthorized", "Please login again", "invalid user_token",
	        "User token is not valid", "Wrong email or password", "The token is invalid", "user_token is required",
	        "Login failed", "Invalid Application Token"};
	static const char *const other[] = {"Device is busy", "Device not found", "Invalid device_id", "No build found",
	        "Device is used by another user", "Reservation expired", "",
	        "The user module has no invalid build in it at all"};
	GR_AUTO_JSON json_t *code = json("{'status':0,'statuscode':'401'}");

	(void)state;
	for (size_t i = 0; i < GR_COUNT(auth); i++)
		if (!is_auth(auth[i]))
			fail_msg("'%s' is about the token", auth[i]);
	for (size_t i = 0; i < GR_COUNT(other); i++)
		if (is_auth(other[i]))
			fail_msg("'%s' is not about the token", other[i]);
	assert_true(answer_is_about_auth(code));
}

static void it_reads_integers_of_every_type(void **state)
{
	static const char *const ones[] = {"1", "'1'", "1.0", "true"};
	static const char *const none[] = {"null", "''", "'null'", "'x'", "1.5", "'1.5'", "[]", "{}", "[1]", "1e300",
	        "9007199254740993", "'99999999999999999999'", "' 1'"};
	int64_t number = 42;

	(void)state;
	for (size_t i = 0; i < GR_COUNT(ones); i++) {
		GR_AUTO_FREE char *text = gr_printf("{'n':%s}", ones[i]);
		GR_AUTO_JSON json_t *value = json(text);

		number = 42;
		assert_true(answer_int(value, "n", &number));
		assert_int_equal(number, 1);
	}
	number = 42;
	for (size_t i = 0; i < GR_COUNT(none); i++) {
		GR_AUTO_FREE char *text = gr_printf("{'n':%s}", none[i]);
		GR_AUTO_JSON json_t *value = json(text);

		if (answer_int(value, "n", &number))
			fail_msg("%s was read as %d", none[i], (int)number);
	}
	assert_int_equal(number, 42);
}

static void it_takes_the_first_of_several_keys(void **state)
{
	GR_AUTO_JSON json_t *value = json("{'a':null,'b':'','c':'null','d':7,'e':'x'}");
	GR_AUTO_FREE char *text = answer_text(value, "a|b|c|d|e");
	int64_t number = 0;

	(void)state;
	assert_string_equal(text, "7");
	assert_true(answer_int(value, "a|d", &number));
	assert_int_equal(number, 7);
	assert_string_equal(json_string_value(answer_member(value, "a|b|e")), "");
	assert_null(answer_member(value, "a|z"));
	assert_null(answer_member(NULL, "a"));
	assert_null(answer_text(NULL, "a"));
	assert_false(answer_flag(NULL, "a"));
}

static void it_reads_texts_and_flags(void **state)
{
	GR_AUTO_JSON json_t *value =
	        json("{'i':12,'r':1.0,'h':1.5,'t':true,'y':'Yes','n':'no','o':'1','l':[],'two':2}");
	GR_AUTO_FREE char *i = answer_text(value, "i");
	GR_AUTO_FREE char *r = answer_text(value, "r");
	GR_AUTO_FREE char *h = answer_text(value, "h");

	(void)state;
	assert_string_equal(i, "12");
	assert_string_equal(r, "1");
	assert_string_equal(h, "1.5");
	assert_null(answer_text(value, "t"));
	assert_null(answer_text(value, "l"));
	assert_true(answer_flag(value, "t") && answer_flag(value, "y") && answer_flag(value, "o") &&
	            answer_flag(value, "r"));
	assert_false(answer_flag(value, "n") || answer_flag(value, "two") || answer_flag(value, "l") ||
	             answer_flag(value, "zz"));
}

static void assert_list(const char *text, int size)
{
	GR_AUTO_FREE char *whole = gr_printf("{'l':%s}", text);
	GR_AUTO_JSON json_t *value = json(whole);
	GR_AUTO_JSON json_t *list = NULL;
	struct gr_error err = {0};
	int rc = answer_list(value, "l", &list, &err);

	if (size < 0) {
		assert_int_equal(rc, -GR_PROTOCOL);
		assert_null(list);
		return;
	}
	assert_int_equal(rc, 0);
	if (json_array_size(list) != (size_t)size)
		fail_msg("%s has %zu items, not %d", text, json_array_size(list), size);
}

static void it_reads_lists_of_every_shape(void **state)
{
	GR_AUTO_JSON json_t *text = json_pack("{s:s}", "l", "[{\"a\":1},{\"a\":2}]");
	GR_AUTO_JSON json_t *one = json_pack("{s:s}", "l", " {\"a\":1}");
	GR_AUTO_JSON json_t *list = NULL;
	GR_AUTO_JSON json_t *single = NULL;

	(void)state;
	assert_list("[]", 0);
	assert_list("{}", 0);
	assert_list("null", 0);
	assert_list("''", 0);
	assert_list("' '", 0);
	assert_list("'null'", 0);
	assert_list("'[]'", 0);
	assert_list("'{}'", 0);
	assert_list("[1,2]", 2);
	assert_list("{'a':1}", 1);
	assert_list("{'0':{},'2':{}}", 2);
	assert_list("{'Pixel 7':{'a':1},'Galaxy S23':{'a':2}}", 2);
	assert_list("{'Pixel 7':{'a':1},'total':1}", 1);
	assert_list("{'current_page':1,'data':[{},{},{}]}", 3);
	assert_list("{'total':3,'last_page':1,'next_page_url':null,'data':[{},{},{}]}", 3);
	assert_list("{'total':4,'data':[{},{},{}]}", -1);
	assert_list("{'total_page':'2','data':[{}]}", -1);
	assert_list("{'next_page_url':'/x?page=2','data':[{}]}", -1);
	assert_list("{'data':{}}", 1);
	assert_list("'x'", -1);
	assert_list("'[1'", -1);
	assert_list("7", -1);
	assert_list("true", -1);
	assert_int_equal(answer_list(text, "l", &list, NULL), 0);
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(answer_list(one, "x|l", &single, NULL), 0);
	assert_int_equal(json_array_size(single), 1);
}

static void it_keeps_the_limits_within_texts_too(void **state)
{
	GR_AUTO_FREE char *deep = repeated("", "[", 5000, "");
	GR_AUTO_JSON json_t *value = json_pack("{s:s}", "l", deep);
	json_t *list = NULL;

	(void)state;
	assert_int_equal(answer_list(value, "l", &list, NULL), -GR_PROTOCOL);
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_objects_and_lists),
	        cmocka_unit_test(it_uses_a_body_up),
	        cmocka_unit_test(it_refuses_what_is_no_answer),
	        cmocka_unit_test(it_shows_the_first_bytes_made_harmless),
	        cmocka_unit_test(it_shows_no_token_of_a_broken_answer),
	        cmocka_unit_test(it_keeps_the_limits),
	        cmocka_unit_test(it_takes_bodies_up_to_64_mib),
	        cmocka_unit_test(it_reads_flags_of_every_type),
	        cmocka_unit_test(it_weighs_the_flags_together),
	        cmocka_unit_test(it_finds_the_servers_words),
	        cmocka_unit_test(it_cuts_long_words_between_characters),
	        cmocka_unit_test(it_knows_words_about_the_token),
	        cmocka_unit_test(it_reads_integers_of_every_type),
	        cmocka_unit_test(it_takes_the_first_of_several_keys),
	        cmocka_unit_test(it_reads_texts_and_flags),
	        cmocka_unit_test(it_reads_lists_of_every_shape),
	        cmocka_unit_test(it_keeps_the_limits_within_texts_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

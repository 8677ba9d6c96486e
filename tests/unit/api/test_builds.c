#include "tests/unit/api/api_test.h"

/* The numbers of an answer, joined with blanks. */
static void assert_numbers(const char *text, const char *numbers)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct build_list list = {0};
	struct gr_error err = {0};
	char all[256] = "";

	if (build_list_decode(answer, &list, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	for (size_t i = 0; i < list.count; i++)
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? " " : "", list.numbers[i]);
	build_list_release(&list);
	if (strcmp(all, numbers) != 0)
		fail_msg("%s gives '%s', not '%s'", text, all, numbers);
}

static void assert_refused(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct build_list list = {0};

	if (build_list_decode(answer, &list, NULL) != -GR_PROTOCOL)
		fail_msg("%s was read", text);
	assert_null(list.numbers);
}

static void it_reads_the_sample(void **state)
{
	GR_AUTO_JSON json_t *answer = sample(OP_BUILD_LIST);
	struct build_list list = {0};

	(void)state;
	assert_int_equal(build_list_decode(answer, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_true(build_list_has(&list, "770"));
	assert_false(build_list_has(&list, "77"));
	assert_false(build_list_has(&list, NULL));
	build_list_release(&list);
	build_list_release(&list);
	build_list_release(NULL);
}

static void it_reads_every_shape(void **state)
{
	(void)state;
	assert_numbers("{'status':1,'build_list':[{'build_number':'1'},{'build_number':2}]}", "1 2");
	assert_numbers("{'status':1,'build_list':[{'build_number':2.0}]}", "2");
	assert_numbers("{'status':1,'build_list':['3',4]}", "3 4");
	assert_numbers("{'status':1,'build_list':5}", "5");
	assert_numbers("{'status':1,'build_list':'6'}", "6");
	assert_numbers("{'status':1,'build_list':'[7,8]'}", "7 8");
	assert_numbers("{'status':1,'data':[{'build_number':'9'}]}", "9");
	assert_numbers("{'status':1,'data':{'build_list':[{'build_number':'9'}]}}", "9");
	assert_numbers("{'status':1,'response':[{'build_number':'9'}]}", "9");
	assert_numbers("{'status':1,'build_list':{'data':[{'build_number':'9'}],'current_page':1}}", "9");
	assert_numbers(
	        "{'status':1,'build_list':{'nightly':{'build_number':'9'},'other':{'build_number':10}}}", "9 10");
	assert_numbers("{'status':1,'build_list':{'0':{'build_number':'9'},'1':{'build_number':'10'}}}", "9 10");
	assert_numbers("{'build_list':[{'build_number':'1'}]}", "1");
	assert_numbers("{'status':1,'build_list':[1,'1','01',{'build_number':1}]}", "1"); /* one build, one number */
}

static void it_takes_no_builds_for_an_empty_list(void **state)
{
	(void)state;
	assert_numbers("{'status':1,'build_list':[]}", "");
	assert_numbers("{'status':1,'build_list':{}}", "");
	assert_numbers("{'status':1,'build_list':null}", "");
	assert_numbers("{'status':1,'build_list':''}", "");
	assert_numbers("{'status':1,'build_list':'[]'}", "");
	assert_numbers("{'status':0,'msg':'No builds found for this application'}", "");
	assert_numbers("{'status':0,'msg':'Build not found'}", "");
	assert_numbers("{'status':'0','msg':'Not found'}", "");
	assert_numbers("{'status':false,'message':'No record found.','build_list':[]}", "");
}

static void a_success_without_a_list_is_empty_and_says_so(void **state)
{
	struct build_list list = {0};
	GR_AUTO_JSON json_t *without = json("{'status':1,'msg':'List of builds'}");
	GR_AUTO_JSON json_t *with = json("{'status':1,'msg':'List of builds','build_list':[]}");
	GR_AUTO_JSON json_t *words = json("{'status':0,'msg':'No data found.'}");

	(void)state;
	assert_int_equal(build_list_decode(without, &list, NULL), 0);
	assert_int_equal(list.count, 0);
	assert_true(list.is_unsaid);
	assert_int_equal(build_list_decode(with, &list, NULL), 0);
	assert_false(list.is_unsaid);
	assert_int_equal(build_list_decode(words, &list, NULL), 0);
	assert_false(list.is_unsaid);
}

static void it_never_takes_a_refusal_for_an_empty_list(void **state)
{
	(void)state;
	assert_refused("{'status':0,'msg':'Invalid user token','build_list':[]}");
	assert_refused("{'status':0,'msg':'Invalid token: no builds','build_list':[]}");
	assert_refused("{'status':0,'msg':'Application not found'}");
	assert_refused("{'status':0}");
	assert_refused("{'status':0,'msg':'No build number given'}");
	assert_refused("{'status':0,'msg':'No application found'}");
	assert_refused("{'status':0,'msg':'Error: no builds found'}");
	assert_refused("{'status':1,'msg':'Could not read the list of builds'}");
	assert_refused("{'msg':'List of builds'}");
	assert_refused("{'success':true,'status':0,'build_list':[1]}");
	assert_refused("{}");
	assert_refused("[]");
	assert_refused("[1]");
}

static void it_refuses_what_is_no_number(void **state)
{
	(void)state;
	assert_refused("{'status':1,'build_list':[{'build_number':'x'}]}");
	assert_refused("{'status':1,'build_list':[{'build_number':''}]}");
	assert_refused("{'status':1,'build_list':[{'created':'2025-03-21'}]}");
	assert_refused("{'status':1,'build_list':[{'build_number':true}]}");
	assert_refused("{'status':1,'build_list':[{'build_number':-1}]}");
	assert_refused("{'status':1,'build_list':[{'build_number':1.5}]}");
	assert_refused("{'status':1,'build_list':[1,null]}");
	assert_refused("{'status':1,'build_list':[true]}");
	assert_refused("{'status':1,'build_list':true}");
	assert_refused("{'status':1,'build_list':[[1]]}");
	assert_refused("{'status':1,'build_list':'none'}");
}

static void it_survives_odd_values(void **state)
{
	struct build_list list = {0};

	(void)state;
	assert_int_equal(build_list_decode(NULL, &list, NULL), -GR_PROTOCOL);
	for (size_t i = 0; i < GR_COUNT(odd_values); i++) {
		json_t *answers[] = {json(odd_values[i]), json_pack("{s:o}", "build_list", json(odd_values[i])),
		        json_pack("{s:[o]}", "build_list", json(odd_values[i]))};

		for (size_t a = 0; a < GR_COUNT(answers); a++) {
			if (build_list_decode(answers[a], &list, NULL) == 0)
				build_list_release(&list);
			json_decref(answers[a]);
		}
	}
}

static void assert_segment(const char *url, const char *segment)
{
	GR_AUTO_FREE char *last = url_last_segment(url);

	if (!segment) {
		assert_null(last);
		return;
	}
	assert_non_null(last);
	assert_string_equal(last, segment);
}

static void it_finds_the_last_segment_of_a_url(void **state)
{
	(void)state;
	assert_segment("https://h.example/apps/native-test/73", "73");
	assert_segment("https://h.example/apps/native-test/73/", "73");
	assert_segment("https://h.example/apps/native-test/73?a=/9#/8", "73");
	assert_segment("/build/apps/4206", "4206");
	assert_segment("4206", "4206");
	assert_segment("//h.example/73", "73");
	assert_segment("/a?u=http://x/9", "a");
	assert_segment("https://h.example", NULL);
	assert_segment("https://h.example/", NULL);
	assert_segment("https://h.example?a=/73", NULL);
	assert_segment("//h.example", NULL);
	assert_segment("https://h.example/a/..", NULL);
	assert_segment("https://", NULL);
	assert_segment("///", NULL);
	assert_segment("", NULL);
	assert_segment(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_the_sample),
	        cmocka_unit_test(it_reads_every_shape),
	        cmocka_unit_test(it_takes_no_builds_for_an_empty_list),
	        cmocka_unit_test(a_success_without_a_list_is_empty_and_says_so),
	        cmocka_unit_test(it_never_takes_a_refusal_for_an_empty_list),
	        cmocka_unit_test(it_refuses_what_is_no_number),
	        cmocka_unit_test(it_survives_odd_values),
	        cmocka_unit_test(it_finds_the_last_segment_of_a_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/api/api_test.h"

static struct device_list decode(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct device_list list = {0};
	struct gr_error err = {0};

	if (device_list_decode(answer, &list, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return list;
}

static void assert_count(const char *text, size_t count)
{
	struct device_list list = decode(text);

	if (list.count != count)
		fail_msg("%s has %zu devices, not %zu", text, list.count, count);
	device_list_release(&list);
}

static void assert_refused(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct device_list list = {0};
	struct gr_error err = {0};

	if (device_list_decode(answer, &list, &err) != -GR_PROTOCOL)
		fail_msg("%s was read", text);
	assert_null(list.devices);
}

/* One device with the given members beside its id. */
static struct device_list one(const char *members)
{
	GR_AUTO_FREE char *text = gr_printf("{'data':[{'device_id':'1'%s%s}]}", *members ? "," : "", members);
	struct device_list list = decode(text);

	assert_int_equal(list.count, 1);
	return list;
}

static void assert_state(const char *members, enum device_state state)
{
	struct device_list list = one(members);

	if (list.devices[0].state != state)
		fail_msg("{%s} is %s", members, device_state_words(list.devices[0].state));
	device_list_release(&list);
}

static void assert_platform(const char *members, enum platform platform)
{
	struct device_list list = one(members);

	if (list.devices[0].platform != platform)
		fail_msg("{%s} is %s", members, platform_name(list.devices[0].platform));
	device_list_release(&list);
}

static void it_reads_the_device_list(void **state)
{
	GR_AUTO_JSON json_t *answer = sample(OP_GET_DEVICE_LIST);
	struct device_list list = {0};
	const struct device *device;

	(void)state;
	assert_int_equal(device_list_decode(answer, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	device = &list.devices[0];
	assert_string_equal(device->device_id, "31");
	assert_string_equal(device->udid, "00008101-001A");
	assert_string_equal(device->s_device, "903JFV");
	assert_string_equal(device->name, "iPhone 12 Pro Max");
	assert_string_equal(device->manufacturer, "Apple");
	assert_string_equal(device->os_version, "18.3.1");
	assert_string_equal(device->tags, "iOSRegression");
	assert_null(device->reserved_by);
	assert_int_equal(device->platform, PLATFORM_IOS);
	assert_int_equal(device->state, DEVICE_IN_USE);
	device_list_release(&list);
	device_list_release(&list);
	device_list_release(NULL);
	device_release(NULL);
}

static void it_reads_one_device_under_devices(void **state)
{
	GR_AUTO_JSON json_t *answer = sample(OP_GET_ALL_DEVICES_WITH_FILTER);
	struct device_list list = {0};

	(void)state;
	assert_int_equal(device_list_decode(answer, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.devices[0].device_id, "27");
	assert_null(list.devices[0].udid);
	assert_null(list.devices[0].tags);
	assert_null(list.devices[0].appium_url);
	assert_int_equal(list.devices[0].platform, PLATFORM_UNKNOWN);
	assert_int_equal(list.devices[0].state, DEVICE_FREE);
	device_list_release(&list);
}

static void it_reads_a_group_and_the_details_of_a_device(void **state)
{
	GR_AUTO_JSON json_t *group = sample(OP_GROUP_DEVICES);
	GR_AUTO_JSON json_t *details = sample(OP_GET_DEVICE_DETAILS);
	struct device_list list = {0};

	(void)state;
	assert_int_equal(device_list_decode(group, &list, NULL), 0);
	assert_int_equal(list.devices[0].platform, PLATFORM_WEB); /* although its automation is UiAutomator2 */
	assert_int_equal(list.devices[0].state, DEVICE_FREE);
	device_list_release(&list);
	assert_int_equal(device_list_decode(details, &list, NULL), 0);
	assert_string_equal(list.devices[0].name, "iPhone 12");
	assert_string_equal(list.devices[0].appium_url, "{URL}");
	assert_int_equal(list.devices[0].platform, PLATFORM_IOS);
	assert_int_equal(list.devices[0].state, DEVICE_RUNS_BUILD);
	device_list_release(&list);
}

static void it_reads_lists_of_every_shape(void **state)
{
	(void)state;
	assert_count("{'data':[{'device_id':1},{'device_id':2}]}", 2);
	assert_count("{'devices':[{'device_id':1},{'device_id':2}]}", 2);
	assert_count("{'data':{'device_id':1}}", 1);
	assert_count("{'data':{'0':{'device_id':1},'1':{'device_id':2}}}", 2);
	assert_count("{'data':{'R58':{'device_id':1},'R59':{'device_id':2}}}", 2);
	assert_count("{'response':[{'device_id':1},{'device_id':2}]}", 2);
	assert_count("{'data':[{'iOS':[{'device_id':1}]},{'Android':{'R58':{'device_id':2}}}]}", 2);
	assert_count("{'data':[{'platform':'iOS','devices':[{'device_id':1},{'device_id':2}]},{'devices':[]}]}", 2);
	assert_count("{'data':[{'id':1},{'id':2},{'name':'x'}]}", 2);
	assert_count("{'result':{'android':[{'device_id':1}]}}", 1);
	assert_count("{'data':{'current_page':1,'data':[{'device_id':1},{'device_id':2}]}}", 2);
	assert_count("{'data':{'devices':[{'device_id':1}]}}", 1);
	assert_count("{'data':{'devices':{'ios':[{'device_id':1}]}}}", 1);
	assert_count("{'data':[],'devices':[{'device_id':1}]}", 1);
	assert_count("[{'device_id':1}]", 1);
	assert_count("{'success':true,'message':'Devices'}", 0);
	assert_count("{'success':false,'message':'No data found.'}", 0);
	assert_count("{'data':[]}", 0);
	assert_count("{'data':{}}", 0);
	assert_count("{'data':null}", 0);
	assert_count("{'data':''}", 0);
	assert_count("{'devices':'[]'}", 0);
	assert_count("{'data':[{'UDID':'x'}]}", 1);
	assert_count("{'data':[{'device_name':'no id'}]}", 0);
	assert_count("{'data':[{'device_id':1},{'device_id':'1'}]}", 1); /* or it would be taken twice */
	assert_refused("{}");
	assert_refused("{'success':true,'message':'Something failed'}");
	assert_refused("{'data':7}");
	assert_refused("{'data':[7]}");
	assert_refused("{'data':'x'}");
	assert_refused("{'data':true}");
	assert_refused("{'data':{'android':7}}");
}

static void it_reads_lists_by_platform(void **state)
{
	struct device_list list = decode(
	        "{'devices':{'android':[{'device_id':1}],'iOS':[{'device_id':2},{'device_id':3,'device_type':3}],"
	        "'web':{'device_id':4},'total':4}}");

	(void)state;
	assert_int_equal(list.count, 4);
	assert_int_equal(list.devices[0].platform, PLATFORM_ANDROID);
	assert_int_equal(list.devices[1].platform, PLATFORM_IOS);
	assert_int_equal(list.devices[2].platform, PLATFORM_WEB);
	assert_int_equal(list.devices[3].platform, PLATFORM_WEB);
	device_list_release(&list);
	assert_count("{'data':{'android':[],'ios':null,'web':''}}", 0);
}

static void it_knows_the_platform_from_several_fields(void **state)
{
	(void)state;
	assert_platform("'device_type':'1'", PLATFORM_IOS);
	assert_platform("'device_type':1", PLATFORM_IOS);
	assert_platform("'device_type':1.0", PLATFORM_IOS);
	assert_platform("'device_type':'2'", PLATFORM_ANDROID);
	assert_platform("'device_type':3", PLATFORM_WEB);
	assert_platform("'device_type':'Android'", PLATFORM_ANDROID);
	assert_platform("'device_type':'android/ios'", PLATFORM_UNKNOWN);
	assert_platform("'device_type':true", PLATFORM_UNKNOWN);
	assert_platform("'platform_name':'android'", PLATFORM_ANDROID);
	assert_platform("'platformName':'iOS'", PLATFORM_IOS);
	assert_platform("'automation_name':'XCUITest'", PLATFORM_IOS);
	assert_platform("'automationName':'UiAutomator2'", PLATFORM_ANDROID);
	assert_platform("'automation_name':'UiAutomator2','device_type':'3'", PLATFORM_WEB);
	assert_platform("'automation_name':'UiAutomator2','platform_name':'Web'", PLATFORM_WEB);
	assert_platform("'mobile_number':'iOS'", PLATFORM_IOS);
	assert_platform("'mobile_number':'iOS','device_type':'2'", PLATFORM_ANDROID);
	assert_platform("'mobile_number':'+44 1632 960001'", PLATFORM_UNKNOWN);
	assert_platform("", PLATFORM_UNKNOWN);
}

static void it_knows_the_state_from_the_flags(void **state)
{
	(void)state;
	assert_state("'is_connected':'1'", DEVICE_FREE);
	assert_state("'is_offline':'0'", DEVICE_FREE);
	assert_state("'is_connected':'0'", DEVICE_DISCONNECTED);
	assert_state("'is_connected':0", DEVICE_DISCONNECTED);
	assert_state("'is_connected':false", DEVICE_DISCONNECTED);
	assert_state("'is_connected':true", DEVICE_FREE);
	assert_state("'is_connected':'','is_offline':0", DEVICE_FREE);
	assert_state("'is_offline':1", DEVICE_OFFLINE);
	assert_state("'is_device_offline':true", DEVICE_OFFLINE);
	assert_state("'is_unauthorised':'1','is_offline':'1'", DEVICE_UNAUTHORISED);
	assert_state("'is_rebooting':1.0", DEVICE_REBOOTING);
	assert_state("'is_cleaning':'true'", DEVICE_CLEANING);
	assert_state("'is_preparing':'1'", DEVICE_PREPARING);
	assert_state("'is_reserved':'1','is_run_build':'1'", DEVICE_RESERVED);
	assert_state("'is_run_build':'1','is_run_device_cloud':'1'", DEVICE_RUNS_BUILD);
	assert_state("'is_run_generator':'1'", DEVICE_IN_GENERATOR);
	assert_state("'is_run_local_execution':'1'", DEVICE_LOCAL_EXECUTION);
	assert_state("'is_run_device_cloud':'1'", DEVICE_IN_USE);
	assert_state("'is_run_virtual_usb':'1'", DEVICE_VIRTUAL_USB);
	assert_state("'is_run_build':'2'", DEVICE_RUNS_BUILD); /* no promise that it is free */
	assert_state("", DEVICE_UNKNOWN);
}

static void it_knows_the_state_from_the_status_text(void **state)
{
	(void)state;
	assert_state("'device_status':'Available'", DEVICE_FREE);
	assert_state("'device_status':'Unavailable'", DEVICE_UNKNOWN);
	assert_state("'device_status':'Not Available'", DEVICE_UNKNOWN);
	assert_state("'device_status':'Offline'", DEVICE_OFFLINE);
	assert_state("'device_status':'Disconnected'", DEVICE_DISCONNECTED);
	assert_state("'device_status':'Busy'", DEVICE_IN_USE);
	assert_state("'device_status':'In Use'", DEVICE_IN_USE);
	assert_state("'device_status':'Reserved'", DEVICE_RESERVED);
	assert_state("'device_status':'Cleaning'", DEVICE_CLEANING);
	assert_state("'device_status':'Wobbly'", DEVICE_UNKNOWN);
	assert_state("'device_status':'Available','is_reserved':'1'", DEVICE_RESERVED);
	assert_state("'device_status':'Busy','is_reserved':'0'", DEVICE_IN_USE);
	assert_state("'device_status':'null'", DEVICE_UNKNOWN);
}

static void it_has_words_for_every_state(void **state)
{
	(void)state;
	for (int i = DEVICE_FREE; i <= DEVICE_UNKNOWN; i++)
		assert_true(strlen(device_state_words((enum device_state)i)) > 3);
}

static void it_reads_tags_of_both_shapes(void **state)
{
	struct device_list text = one("'tags':'a, b'");
	struct device_list list = one("'tags':['a',7,'','b']");

	(void)state;
	assert_string_equal(text.devices[0].tags, "a, b");
	assert_string_equal(list.devices[0].tags, "a,b");
	device_list_release(&text);
	device_list_release(&list);
}

static void it_gives_expressions_what_they_see(void **state)
{
	struct device_list list = one("'tags':'a, b,,','platform_version':'14.1','device_name':'X','device_type':2");
	GR_AUTO_JSON json_t *seen = device_to_json(&list.devices[0]);
	GR_AUTO_JSON json_t *wanted =
	        json("{'device_id':'1','udid':null,'s_device':null,'name':'X','manufacturer':null,"
	             "'os':'14.1','os_major':14,'platform':'android','tags':['a','b']}");
	struct device back = {0};

	(void)state;
	if (!json_equal(seen, wanted))
		fail_msg("%s", json_dumps(seen, 0));
	assert_int_equal(device_from_json(seen, &back, NULL), 0);
	assert_string_equal(back.device_id, "1");
	assert_string_equal(back.name, "X");
	assert_string_equal(back.os_version, "14.1");
	assert_string_equal(back.tags, "a,b");
	assert_int_equal(back.platform, PLATFORM_ANDROID);
	device_release(&back);
	device_list_release(&list);
}

static void it_takes_a_device_by_its_id_alone(void **state)
{
	GR_AUTO_JSON json_t *good = json("{'device_id':5}");
	struct device device = {0};

	(void)state;
	assert_int_equal(device_from_json(good, &device, NULL), 0);
	assert_string_equal(device.device_id, "5");
	device_release(&device);
	for (size_t i = 0; i < GR_COUNT(odd_values); i++) {
		GR_AUTO_JSON json_t *bad = json(odd_values[i]);

		assert_int_equal(device_from_json(bad, &device, NULL), -GR_CONFIG);
	}
}

static void it_survives_odd_values_everywhere(void **state)
{
	static const char *const keys[] = {"device_id", "UDID", "tags", "device_type", "platform_version",
	        "is_connected", "is_reserved", "device_status", "automation_name", "mobile_number", "appium_url"};

	struct device_list none = {0};

	(void)state;
	assert_int_equal(device_list_decode(NULL, &none, NULL), -GR_PROTOCOL);
	for (size_t i = 0; i < GR_COUNT(odd_values); i++) {
		GR_AUTO_JSON json_t *row = json("{'device_id':1}");
		json_t *answers[4];
		struct device_list list = {0};

		for (size_t k = 0; k < GR_COUNT(keys); k++)
			json_object_set_new(row, keys[k], json(odd_values[i]));
		answers[0] = json(odd_values[i]);
		answers[1] = json_pack("{s:o}", "data", json(odd_values[i]));
		answers[2] = json_pack("{s:{s:o}}", "devices", "android", json(odd_values[i]));
		answers[3] = json_pack("{s:[O]}", "data", row);
		for (size_t a = 0; a < GR_COUNT(answers); a++) {
			if (device_list_decode(answers[a], &list, NULL) == 0)
				device_list_release(&list);
			json_decref(answers[a]);
		}
	}
}

static void it_knows_platforms_by_name_and_number(void **state)
{
	(void)state;
	assert_int_equal(platform_parse("iOS"), PLATFORM_IOS);
	assert_int_equal(platform_parse(""), PLATFORM_UNKNOWN);
	assert_int_equal(platform_parse(NULL), PLATFORM_UNKNOWN);
	assert_int_equal(platform_parse("12"), PLATFORM_UNKNOWN);
	assert_string_equal(platform_name(PLATFORM_WEB), "web");
	assert_string_equal(platform_name(PLATFORM_UNKNOWN), "unknown");
	assert_string_equal(platform_process_type(PLATFORM_ANDROID), "oaa");
	assert_string_equal(platform_process_type(PLATFORM_IOS), "oia");
	assert_string_equal(platform_process_type(PLATFORM_WEB), "ow");
	assert_null(platform_process_type(PLATFORM_UNKNOWN));
	assert_string_equal(platform_direct_code(PLATFORM_ANDROID), "2");
	assert_string_equal(platform_direct_code(PLATFORM_IOS), "1");
	assert_null(platform_direct_code(PLATFORM_WEB));
	assert_string_equal(platform_direct_word(PLATFORM_ANDROID), "Android");
	assert_string_equal(platform_direct_word(PLATFORM_IOS), "iOS");
	assert_null(platform_direct_word(PLATFORM_WEB));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_the_device_list),
	        cmocka_unit_test(it_reads_one_device_under_devices),
	        cmocka_unit_test(it_reads_a_group_and_the_details_of_a_device),
	        cmocka_unit_test(it_reads_lists_of_every_shape),
	        cmocka_unit_test(it_reads_lists_by_platform),
	        cmocka_unit_test(it_knows_the_platform_from_several_fields),
	        cmocka_unit_test(it_knows_the_state_from_the_flags),
	        cmocka_unit_test(it_knows_the_state_from_the_status_text),
	        cmocka_unit_test(it_has_words_for_every_state),
	        cmocka_unit_test(it_reads_tags_of_both_shapes),
	        cmocka_unit_test(it_gives_expressions_what_they_see),
	        cmocka_unit_test(it_takes_a_device_by_its_id_alone),
	        cmocka_unit_test(it_survives_odd_values_everywhere),
	        cmocka_unit_test(it_knows_platforms_by_name_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

# execution_detail to JUnit, as short as it can be.
def attribute: tostring | @html;
"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>",
(.build_devices[] |
	"<testsuite name=\"\(.device_name | attribute)\" tests=\"\(.test_cases | length)\" failures=\"\(.no_of_fail)\">",
	(.test_cases[] |
		"<testcase classname=\"\(.build_module_id | attribute)\" name=\"\(.test_case_name | attribute)\">" +
		(if .test_status == "3" then "<failure message=\"\(.failed_reason | attribute)\"/>" else "" end) +
		"</testcase>"),
	"</testsuite>"),
"</testsuites>"

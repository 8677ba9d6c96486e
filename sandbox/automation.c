/* Appium sessions and what the cloud says of them; device analytics. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "sandbox/routes.h"
#include "sandbox/runs.h"

static bool session_fits(const struct call *call, const json_t *session)
{
	static const char *const same[] = {"project_name", "session_name", NULL};
	int64_t minutes = 0, limit = 0, number = 0;
	size_t i;

	if (strcmp(call_text(call, "device_id"), member_text(session, "device_id")) != 0)
		return false;
	for (i = 0; same[i] != NULL; i++)
		if (*call_text(call, same[i]) != '\0' &&
		        strcmp(call_text(call, same[i]), member_text(session, same[i])) != 0)
			return false;
	/* "all builds executed before that build number" */
	if (number_parse_int(call_text(call, "build_number"), &limit) &&
	        number_parse_int(member_text(session, "build_number"), &number) && number >= limit)
		return false;
	if (number_parse_int(call_text(call, "last_minutes"), &minutes))
		return member_number(session, "at", 0) >= state_now(call->state) - 60.0 * (double)minutes;
	return true;
}

json_t *handle_all_automation_build_results(struct call *call)
{
	static const char *const keys[] = {
	        "build_number", "session_name", "project_name", "testcase_name", "created", NULL};
	json_t *answer = NULL, *list = NULL;
	size_t i, k;
	json_t *session;

	if (call_device(call, &answer) == NULL)
		return answer;
	list = json_array();
	json_array_foreach (call->state->sessions, i, session) {
		json_t *row = NULL;

		if (!session_fits(call, session))
			continue;
		row = json_object();
		for (k = 0; keys[k] != NULL; k++)
			(void)json_object_set(row, keys[k], json_object_get(session, keys[k]));
		(void)json_array_append_new(list, row);
	}
	answer = call_accept(call, "");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

json_t *handle_automation_build_results_and_logs(struct call *call)
{
	const json_t *session = list_find(call->state->sessions, "build_number", call_text(call, "build_number"));
	const json_t *row = NULL;
	json_t *answer = NULL, *entry = NULL, *list = NULL;
	GR_AUTO_FREE char *video = NULL;

	if (session == NULL)
		return call_refuse(call, 404, "Build number not found.");
	row = json_object_get(device_of_id(call->state, member_text(session, "device_id")), "row");
	video = gr_printf(
	        "%s/device-cloud/Logs/appium/%s/Recording.mp4", call->state->base_url, call_text(call, "build_number"));
	entry = json_object();
	member_set_text(entry, "logs", "session opened\nsession closed\n");
	member_set_text(entry, "device_type", member_text(row, "device_type"));
	member_set_text(entry, "username", "310bb27eae55c0da");
	member_set_text(entry, "name", member_text(row, "device_name"));
	member_set_text(entry, "version", member_text(row, "platform_version"));
	member_set_text(entry, "image", member_text(row, "device_name"));
	member_set_text(entry, "src", video);
	member_set_text(entry, "duration", "61");
	member_set_text(entry, "start_date", member_text(session, "created"));
	member_set_text(entry, "end_date", member_text(session, "created"));
	member_set_text(entry, "status", "1");
	list = json_array();
	(void)json_array_append_new(list, entry);
	answer = call_accept(call, "Log info");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

static json_t *analytics_row(const struct call *call, const struct test_run *run)
{
	static const char *const empty[] = {
	        "device_location", "device_data_room", "device_data_center", "mobile_number", "device_groups", NULL};
	GR_AUTO_FREE char *from = state_time_text(call->state, run->starts);
	GR_AUTO_FREE char *to = state_time_text(call->state, run->ends);
	GR_AUTO_FREE char *month = gr_strndup(from, 7);
	GR_AUTO_FREE char *from_date = gr_strndup(from, 10);
	GR_AUTO_FREE char *to_date = gr_strndup(to, 10);
	GR_AUTO_FREE char *span =
	        gr_printf("%dm %ds", (int)(run->ends - run->starts) / 60, (int)(run->ends - run->starts) % 60);
	GR_AUTO_FREE char *last = gr_printf("%s UTC", to);
	json_t *row = json_object();
	size_t i;

	member_set_text(row, "device_name", member_text(run->device, "name"));
	member_set_text(row, "UDID", member_text(json_object_get(run->device, "row"), "UDID"));
	member_set_text(row, "user_name", "Tester");
	member_set_text(row, "process_server", "Build Run");
	member_set_text(row, "month", month);
	member_set_text(row, "startTime", from + 11);
	member_set_text(row, "startDate", from_date);
	member_set_text(row, "endTime", to + 11);
	member_set_text(row, "endDate", to_date);
	member_set_text(row, "duration", span);
	for (i = 0; empty[i] != NULL; i++)
		member_set_text(row, empty[i], "");
	member_set_text(row, "device_last_used_on", last);
	return row;
}

static bool analytics_fit(const struct call *call, const struct test_run *run)
{
	const char *server = call_text(call, "process_server");
	const char *from = call_text(call, "filter_date_from"), *to = call_text(call, "filter_date_to");
	GR_AUTO_FREE char *date = NULL;

	if (run->ends > state_now(call->state) || (*server != '\0' && strcmp(server, "build") != 0))
		return false;
	if (*call_text(call, "device_id") != '\0' &&
	        strcmp(call_text(call, "device_id"), member_text(run->device, "device_id")) != 0)
		return false;
	date = state_time_text(call->state, run->starts);
	date[10] = '\0';
	return (*from == '\0' || strcmp(date, from) >= 0) && (*to == '\0' || strcmp(date, to) <= 0);
}

/* One page of the runs that are over. */
json_t *handle_get_device_analytics(struct call *call)
{
	int64_t page = 1, limit = 10, total = 0;
	json_t *answer = NULL, *list = json_array();
	size_t i;
	GR_AUTO_FREE char *page_text = NULL, *pages_text = NULL, *total_text = NULL;

	(void)number_parse_int(call_text(call, "page"), &page);
	(void)number_parse_int(call_text(call, "pageLimit"), &limit);
	limit = limit < 1 || limit > 1000 ? 10 : limit;
	page = page < 1 || page > 1000000 ? 1 : page;
	for (i = 0; i < call->state->run_count; i++) {
		if (!analytics_fit(call, &call->state->runs[i]))
			continue;
		if (total / limit == page - 1)
			(void)json_array_append_new(list, analytics_row(call, &call->state->runs[i]));
		total++;
	}
	page_text = gr_printf("%" JSON_INTEGER_FORMAT, (json_int_t)page);
	pages_text = gr_printf("%" JSON_INTEGER_FORMAT, (json_int_t)((total + limit - 1) / limit));
	total_text = gr_printf("%" JSON_INTEGER_FORMAT, (json_int_t)total);
	answer = call_accept(call, "Device analytics data");
	member_set_text(answer, "current_page", page_text);
	member_set_text(answer, "total_page", pages_text);
	member_set_text(answer, "total_record", total_text);
	call_put_list(call, answer, "data", list, false);
	return answer;
}

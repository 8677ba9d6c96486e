/* Teams and device groups, and what belongs to which. */
#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/devices.h"
#include "sandbox/routes.h"

static json_t *entry_new(const struct call *call, const char *id, const char *name_key, const char *name)
{
	GR_AUTO_FREE char *created = state_time_text(call->state, state_now(call->state));
	json_t *entry = json_object();

	member_set_text(entry, "id", id);
	member_set_text(entry, "user_id", member_text(call->user, "user_id"));
	member_set_text(entry, name_key, name);
	member_set_text(entry, "is_default", "0");
	member_set_text(entry, "created_at", created);
	(void)json_object_set_new(entry, "members", json_object());
	(void)json_object_set_new(entry, "admins", json_object());
	return entry;
}

static json_t *found(
        struct call *call, const json_t *list, const char *parameter, const char *words, json_t **ret_answer)
{
	json_t *entry = list_find(list, "id", call_text(call, parameter));

	if (entry == NULL)
		*ret_answer = call_refuse(call, 404, "%s", words);
	return entry;
}

static json_t *team_of_call(struct call *call, json_t **ret_answer)
{
	return found(call, call->state->teams, "team_id", "Team not found.", ret_answer);
}

static json_t *group_of_call(struct call *call, json_t **ret_answer)
{
	return found(call, call->state->groups, "group_id", "Device group not found.", ret_answer);
}

static void list_remove(json_t *list, const json_t *entry)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_array_get(list, i) == entry) {
			(void)json_array_remove(list, i);
			return;
		}
}

/* "0" or "1"; others are refused. */
static json_t *status_refusal(struct call *call, bool may_be_absent)
{
	const char *status = call_text(call, "status");

	if ((may_be_absent && *status == '\0') || strcmp(status, "0") == 0 || strcmp(status, "1") == 0)
		return NULL;
	return call_refuse(call, 422, "status must be 0 or 1.");
}

static void put_id(json_t *answer, const char *key, const char *id)
{
	json_t *number = json_loads(id, JSON_DECODE_ANY, NULL);

	(void)json_object_set_new(answer, key, number != NULL ? number : json_string(id));
}

/* Put the key into the set or take it out, as `status` says. */
static bool set_member(const struct call *call, json_t *set, const char *key)
{
	bool is_in = strcmp(call_text(call, "status"), "0") != 0;

	if (is_in)
		(void)json_object_set_new(set, key, json_true());
	else
		(void)json_object_del(set, key);
	return is_in;
}

json_t *handle_team_list(struct call *call)
{
	static const char *const keys[] = {
	        "id", "user_id", "team_name", "description", "status", "is_default", "created_at", NULL};
	json_t *answer = call_accept(call, "All team list"), *list = json_array(), *team;
	size_t i, k;

	json_array_foreach (call->state->teams, i, team) {
		json_t *row = json_object();

		for (k = 0; keys[k] != NULL; k++)
			member_set_text(row, keys[k], member_text(team, keys[k]));
		(void)json_array_append_new(list, row);
	}
	call_put_list(call, answer, "data", list, false);
	return answer;
}

json_t *handle_create_team(struct call *call)
{
	json_t *answer = status_refusal(call, true), *team = NULL;
	GR_AUTO_FREE char *id = NULL;

	if (answer != NULL)
		return answer;
	id = state_next_id(call->state);
	team = entry_new(call, id, "team_name", call_text(call, "team_name"));
	member_set_text(team, "description", call_text(call, "team_description"));
	member_set_text(team, "status", *call_text(call, "status") != '\0' ? call_text(call, "status") : "1");
	(void)json_array_append_new(call->state->teams, team);
	answer = call_accept(call, "Team created successfully.");
	put_id(answer, "team_id", id);
	return answer;
}

json_t *handle_update_team(struct call *call)
{
	json_t *answer = NULL, *team = team_of_call(call, &answer);

	if (team == NULL || (answer = status_refusal(call, false)) != NULL)
		return answer;
	member_set_text(team, "team_name", call_text(call, "team_name"));
	if (*call_text(call, "team_description") != '\0')
		member_set_text(team, "description", call_text(call, "team_description"));
	member_set_text(team, "status", call_text(call, "status"));
	answer = call_accept(call, "Team updated successfully.");
	put_id(answer, "team_id", call_text(call, "team_id"));
	return answer;
}

json_t *handle_delete_team(struct call *call)
{
	json_t *answer = NULL;
	const json_t *team = team_of_call(call, &answer);

	if (team == NULL)
		return answer;
	list_remove(call->state->teams, team);
	answer = call_accept(call, "Team deleted successfully.");
	put_id(answer, "team_id", call_text(call, "team_id"));
	return answer;
}

json_t *handle_assign_team_admin(struct call *call)
{
	json_t *answer = NULL, *team = team_of_call(call, &answer);

	if (team == NULL || (answer = status_refusal(call, true)) != NULL)
		return answer;
	if (list_find(call->state->users, "user_id", call_text(call, "user_id")) == NULL)
		return call_refuse(call, 404, "User not found.");
	return call_accept(call, set_member(call, json_object_get(team, "admins"), call_text(call, "user_id"))
	                                 ? "Team admin assigned successfully."
	                                 : "Team admin removed successfully.");
}

/* The reference answers a removal with "success": false and words of success; so does the sandbox. */
json_t *handle_assign_user_to_team(struct call *call)
{
	json_t *answer = NULL, *team = team_of_call(call, &answer);

	if (team == NULL || (answer = status_refusal(call, false)) != NULL)
		return answer;
	if (list_find(call->state->users, "user_id", call_text(call, "user_id")) == NULL)
		return call_refuse(call, 404, "User not found.");
	if (set_member(call, json_object_get(team, "members"), call_text(call, "user_id")))
		return call_accept(call, "Team user assigned successfully.");
	answer = call_accept(call, "Team user removed successfully.");
	(void)json_object_set_new(answer, "success", json_false());
	return answer;
}

/* Teams that have the group. */
static json_t *teams_of_group(const struct call *call, const json_t *group)
{
	json_t *list = json_array();
	const char *id;
	json_t *value;

	json_object_foreach (json_object_get(group, "admins"), id, value) {
		const json_t *team = list_find(call->state->teams, "id", id);
		json_t *row = json_object();

		member_set_text(row, "id", id);
		member_set_text(row, "team_name", member_text(team, "team_name"));
		(void)json_array_append_new(list, row);
	}
	return list;
}

json_t *handle_get_device_groups(struct call *call)
{
	json_t *answer = call_accept(call, "All device group list"), *list = json_array(), *group;
	size_t i;

	json_array_foreach (call->state->groups, i, group) {
		json_t *row = json_object();

		member_set_text(row, "id", member_text(group, "id"));
		member_set_text(row, "user_id", member_text(group, "user_id"));
		member_set_text(row, "group_name", member_text(group, "group_name"));
		member_set_text(row, "is_default", "0");
		member_set_text(row, "created", member_text(group, "created_at"));
		(void)json_object_set_new(row, "teams", teams_of_group(call, group));
		(void)json_array_append_new(list, row);
	}
	call_put_list(call, answer, "data", list, false);
	return answer;
}

json_t *handle_create_device_group(struct call *call)
{
	GR_AUTO_FREE char *id = state_next_id(call->state);
	json_t *answer = call_accept(call, "Device group created successfully.");

	(void)json_array_append_new(
	        call->state->groups, entry_new(call, id, "group_name", call_text(call, "group_name")));
	put_id(answer, "group_id", id);
	return answer;
}

json_t *handle_update_device_group(struct call *call)
{
	json_t *answer = NULL, *group = group_of_call(call, &answer);

	if (group == NULL)
		return answer;
	member_set_text(group, "group_name", call_text(call, "group_name"));
	answer = call_accept(call, "Device group updated successfully.");
	put_id(answer, "group_id", call_text(call, "group_id"));
	return answer;
}

json_t *handle_delete_device_group(struct call *call)
{
	json_t *answer = NULL;
	const json_t *group = group_of_call(call, &answer);

	if (group == NULL)
		return answer;
	list_remove(call->state->groups, group);
	answer = call_accept(call, "Device group deleted successfully.");
	put_id(answer, "group_id", call_text(call, "group_id"));
	return answer;
}

json_t *handle_assign_device_to_group(struct call *call)
{
	json_t *answer = NULL, *group = group_of_call(call, &answer);
	bool is_in = false;

	if (group == NULL || call_device(call, &answer) == NULL || (answer = status_refusal(call, false)) != NULL)
		return answer;
	is_in = set_member(call, json_object_get(group, "members"), call_text(call, "device_id"));
	answer = call_accept(
	        call, is_in ? "Device assigned to group successfully." : "Device removed from group successfully.");
	member_set_text(answer, "group_id", call_text(call, "group_id"));
	return answer;
}

json_t *handle_assign_device_group_to_team(struct call *call)
{
	json_t *answer = NULL, *group = group_of_call(call, &answer);
	bool is_in = false;

	if (group == NULL || team_of_call(call, &answer) == NULL || (answer = status_refusal(call, false)) != NULL)
		return answer;
	is_in = set_member(call, json_object_get(group, "admins"), call_text(call, "team_id"));
	answer = call_accept(call,
	        is_in ? "Device group assigned to team successfully." : "Device group removed from team successfully.");
	member_set_text(answer, "group_id", call_text(call, "group_id"));
	return answer;
}

json_t *handle_group_devices(struct call *call)
{
	json_t *answer = NULL, *list = NULL;
	const json_t *group = group_of_call(call, &answer);
	const char *id;
	json_t *value;

	if (group == NULL)
		return answer;
	list = json_array();
	json_object_foreach (json_object_get(group, "members"), id, value) {
		const json_t *device = device_of_id(call->state, id);

		if (device != NULL)
			(void)json_array_append_new(list, device_row(call->state, device));
	}
	answer = call_accept(call, "Group device list.");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

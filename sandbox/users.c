/* Users: tokens, the list, the log of logins, and keeping accounts. */
#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/catalogue.h"
#include "sandbox/routes.h"

static json_int_t number_of(const json_t *user)
{
	json_t *value = json_loads(member_text(user, "user_id"), JSON_DECODE_ANY, NULL);
	json_int_t number = json_integer_value(value);

	json_decref(value);
	return number;
}

json_t *handle_get_user_token(struct call *call)
{
	const json_t *user = list_find(call->state->users, "email", call_text(call, "email"));
	json_t *answer = NULL;

	if (user == NULL || strcmp(member_text(user, "password"), call_text(call, "password")) != 0)
		return call_refuse(call, 401, "Invalid email or password.");
	answer = call_accept(call, "User Token Fetched");
	(void)json_object_set_new(answer, "user_id", json_integer(number_of(user)));
	member_set_text(answer, "email", member_text(user, "email"));
	member_set_text(answer, "user_token", member_text(user, "user_token"));
	member_set_text(answer, "teams", "[]");
	return answer;
}

json_t *handle_user_list(struct call *call)
{
	static const char *const keys[] = {"email", "username", "first_name", "last_name", NULL};
	json_t *answer = call_accept(call, "All user list");
	json_t *list = json_array();
	size_t i, k;
	json_t *user;

	json_array_foreach (call->state->users, i, user) {
		json_t *row = json_object();

		(void)json_object_set_new(row, "user_id", json_integer(number_of(user)));
		(void)json_object_set_new(row, "parent_id", json_integer(1));
		for (k = 0; keys[k] != NULL; k++)
			member_set_text(row, keys[k], member_text(user, keys[k]));
		(void)json_object_set_new(row, "teams", json_array());
		(void)json_array_append_new(list, row);
	}
	call_put_list(call, answer, "data", list, true);
	return answer;
}

/* One login of each user, on the day that the sandbox started. */
json_t *handle_authentication_log(struct call *call)
{
	const char *date = call_text(call, "date"), *action = call_text(call, "action"),
	           *id = call_text(call, "user_id");
	GR_AUTO_FREE char *now = state_time_text(call->state, 0);
	json_t *answer = NULL, *list = NULL;
	size_t i;
	json_t *user;

	if (*date == '\0' && (*action != '\0' || *id != '\0'))
		return call_refuse(call, 422, "The date field is required with action or user_id.");
	if (*action != '\0' && strcmp(action, "login") != 0 && strcmp(action, "logout") != 0)
		return call_refuse(call, 422, "Invalid action.");
	list = json_array();
	json_array_foreach (call->state->users, i, user) {
		json_t *row = NULL;

		if ((*id != '\0' && strcmp(id, member_text(user, "user_id")) != 0) || strcmp(action, "logout") == 0 ||
		        (*date != '\0' && strncmp(now, date, strlen(date)) != 0))
			continue;
		row = json_object();
		member_set_text(row, "action", "login");
		member_set_text(row, "user_id", member_text(user, "user_id"));
		member_set_text(row, "email", member_text(user, "email"));
		member_set_text(row, "time_stamp", now);
		(void)json_array_append_new(list, row);
	}
	answer = call_accept(call, "");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

static void set_names(const struct call *call, json_t *user)
{
	static const char *const keys[][2] = {
	        {"firstname", "first_name"}, {"lastname", "last_name"}, {"password", "password"}};
	size_t i;

	for (i = 0; i < GR_COUNT(keys); i++)
		if (*call_text(call, keys[i][0]) != '\0')
			member_set_text(user, keys[i][1], call_text(call, keys[i][0]));
}

json_t *handle_create_user(struct call *call)
{
	const char *role = call_text(call, "role");
	GR_AUTO_FREE char *id = NULL;
	json_t *user = NULL, *answer = NULL;

	if (list_find(call->state->users, "email", call_text(call, "email")) != NULL)
		return call_refuse(call, 409, "Email already exists.");
	if (*role != '\0' && strcmp(role, "Cloud Admin") != 0 && strcmp(role, "Team Admin") != 0 &&
	        strcmp(role, "Team User") != 0)
		return call_refuse(call, 422, "Invalid role.");
	id = state_next_id(call->state);
	user = user_add(call->state, id, call_text(call, "email"), call_text(call, "password"), "");
	member_set_text(user, "username", call_text(call, "firstname"));
	set_names(call, user);
	answer = call_accept(call, "User updated successfully."); /* as the reference has it */
	member_set_text(answer, "user_id", id);
	return answer;
}

static json_t *user_of_call(struct call *call, json_t **ret_answer)
{
	json_t *user = list_find(call->state->users, "user_id", call_text(call, "user_id"));

	if (user == NULL)
		*ret_answer = call_refuse(call, 404, "User not found.");
	return user;
}

json_t *handle_update_user(struct call *call)
{
	json_t *answer = NULL, *user = user_of_call(call, &answer);

	if (user == NULL)
		return answer;
	set_names(call, user);
	return call_accept(call, "User updated successfully.");
}

json_t *handle_delete_user(struct call *call)
{
	json_t *answer = NULL, *entry = NULL;
	const json_t *user = user_of_call(call, &answer);
	size_t i;

	if (user == NULL)
		return answer;
	if (user == call->user)
		return call_refuse(call, 409, "You cannot delete yourself.");
	for (i = 0; i < call->state->reservation_count; i++)
		if (call->state->reservations[i].user == user)
			return call_refuse(call, 409, "The user has device reservations.");
	json_array_foreach (call->state->users, i, entry)
		if (entry == user) {
			(void)json_array_remove(call->state->users, i);
			break;
		}
	return call_accept(call, "User deleted successfully.");
}

/* Whether the user's devices have this one; its place. */
static bool user_has_device(const json_t *user, const char *device_id, size_t *ret_index)
{
	size_t i;
	json_t *id;

	json_array_foreach (json_object_get(user, "devices"), i, id)
		if (strcmp(json_string_value(id), device_id) == 0) {
			*ret_index = i;
			return true;
		}
	return false;
}

json_t *handle_add_device(struct call *call)
{
	json_t *answer = NULL, *user = user_of_call(call, &answer);
	const json_t *device = user != NULL ? call_device(call, &answer) : NULL;
	size_t index = 0;

	if (device == NULL)
		return answer;
	if (!user_has_device(user, call_text(call, "device_id"), &index))
		(void)json_array_append_new(
		        json_object_get(user, "devices"), json_string(call_text(call, "device_id")));
	return call_accept(call, "Device added successfully.");
}

json_t *handle_remove_device(struct call *call)
{
	json_t *answer = NULL, *user = user_of_call(call, &answer);
	const json_t *device = user != NULL ? call_device(call, &answer) : NULL;
	size_t index = 0;

	if (device == NULL)
		return answer;
	if (!user_has_device(user, call_text(call, "device_id"), &index))
		return call_refuse(call, 404, "The device is not assigned to the user.");
	(void)json_array_remove(json_object_get(user, "devices"), index);
	return call_accept(call, "Device removed successfully");
}

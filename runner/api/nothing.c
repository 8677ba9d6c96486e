/* Some servers refuse to list what is empty: "status": 0, "No data found." Which reads are lists, and which words say
 * that there is nothing in one. An empty list can be a proof (nothing was started, nothing is held), so words of a
 * mistake never count as such. */
#include <ctype.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* The lists, and what the words about an empty one call its entries; "": only in general ("no data found"), because "no
 * user" may be about the account that asks. */
static const struct {
	enum operation_id operation;
	const char *noun;
} lists[] = {
        {OP_USER_LIST, ""},
        {OP_AUTHENTICATION_LOG, "log"},
        {OP_TEAM_LIST, "team"},
        {OP_GET_DEVICE_GROUPS, "group"},
        {OP_GROUP_DEVICES, "device"},
        {OP_GET_APPLICATIONS_LIST, "application"},
        {OP_GET_APPLICATION_INFO, "version"},
        {OP_GET_BUILD_VERSION_INFO, "build"},
        {OP_GET_NATIVE_TEST_RESULTS, ""},
        {OP_GET_DEVICE_LIST, "device"},
        {OP_GET_ALL_DEVICES_WITH_FILTER, "device"},
        {OP_ALL_AUTOMATION_BUILD_RESULTS, "build"},
        {OP_RESERVE_DEVICE_LIST, "reservation"},
        {OP_GET_ALL_INSTALLED_APPLICATIONS, "application"},
        {OP_GET_DEVICE_ANALYTICS, ""},
        {OP_GET_BROWSER_DOWNLOADED_FILES, "file"},
        {OP_BUILD_LIST, "build"},
        {OP_NETWORK_LOGS, "log"},
        {OP_INSIGHTS_DATA, ""},
        {OP_TRANSACTION_ANALYSIS, ""},
};

static const char *noun_of(const struct operation *operation)
{
	for (size_t i = 0; i < GR_COUNT(lists); i++)
		if (operation == operation_get(lists[i].operation))
			return lists[i].noun;
	return NULL;
}

bool answer_speaks_of_error(const json_t *answer)
{
	static const char *const words[] = {"invalid", "error", "denied", "permission", "expired", "wrong", "fail",
	        "unable", "cannot", "could not", "required", "allowed", "unavailable", "try again", "exception"};
	char text[256];

	if (answer_is_about_auth(answer))
		return true;
	(void)answer_message(answer, text);
	for (size_t i = 0; i < GR_COUNT(words); i++)
		if (text_contains_nocase(text, words[i]))
			return true;
	return false;
}

/* What may stand behind "no builds": with any other word it may be about something else ("no build number given"). */
static bool is_end_of_nothing(const char *rest)
{
	static const char *const words[] = {"found", "available", "exist", "present", "yet", "for ", "in ", "on ",
	        "of ", "to ", "were ", "was ", "are ", "is ", "have ", "has "};

	if (*rest == 's')
		rest++;
	if (*rest != ' ')
		return !isalnum((unsigned char)*rest);
	for (size_t i = 0; i < GR_COUNT(words); i++)
		if (text_has_prefix(rest + 1, words[i]))
			return true;
	return false;
}

/* "no NOUN found"; `text` is in small letters. */
static bool says_no(const char *text, const char *noun)
{
	GR_AUTO_FREE char *no = gr_printf("no %s", noun);

	for (const char *at = strstr(text, no); at != NULL; at = strstr(at + 1, no))
		if ((at == text || !isalnum((unsigned char)at[-1])) && is_end_of_nothing(at + strlen(no)))
			return true;
	return false;
}

static bool says_not_found(const char *text, const char *noun)
{
	static const char *const forms[] = {"%s not found", "%ss not found", "%s list not found", "%s list is empty",
	        "not have any %s", "not found any %s"};

	for (size_t i = 0; i < GR_COUNT(forms); i++) {
		const char *hole = strstr(forms[i], "%s");
		GR_AUTO_FREE char *words =
		        gr_printf("%.*s%s%s", (int)(hole - forms[i]), forms[i], noun, hole + strlen("%s"));
		const char *at = strstr(text, words);

		if (at != NULL && (at == text || !isalnum((unsigned char)at[-1])))
			return true;
	}
	return false;
}

static bool is_nothing_of(const char *text, const char *noun)
{
	return *noun != '\0' && (says_no(text, noun) || says_not_found(text, noun));
}

bool operation_says_nothing_there(const struct operation *operation, const json_t *answer)
{
	static const char *const general[] = {"data", "record", "result"};
	const char *noun = noun_of(operation);
	char text[256];

	if (noun == NULL || answer_speaks_of_error(answer))
		return false;
	(void)answer_message(answer, text);
	for (char *at = text; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	for (size_t i = 0; i < GR_COUNT(general); i++)
		if (is_nothing_of(text, general[i]))
			return true;
	return is_nothing_of(text, noun);
}

#include "runner/api/operation.h"

#include <assert.h>
#include <string.h>

#include "runner/base/text.h"

#define P(...)                                                                                                         \
	{                                                                                                              \
		__VA_ARGS__                                                                                            \
	}
#define USER_TOKEN                                                                                                     \
	P("user_token", PARAMETER_TOKEN | PARAMETER_REQUIRED | PARAMETER_SECRET, NULL,                                 \
	        "token of the account; the runner fills it in")
#define PARAMETERS(...) ((const struct parameter[]){__VA_ARGS__, {NULL, 0, NULL, NULL}})
#define SAMPLE(...) #__VA_ARGS__

static const struct operation operations[OP_COUNT] = {
#define OPERATION(id, ...) [OP_##id] = {__VA_ARGS__},
#include "runner/api/operations.def"
#undef OPERATION
};
static_assert(OP_COUNT == 79, "the API reference lists 79 operations");

const struct operation *operation_get(enum operation_id id)
{
	assert(id < OP_COUNT);
	return &operations[id];
}

const struct operation *operation_find(const char *name)
{
	for (size_t i = 0; name && i < OP_COUNT; i++)
		if (strcmp(operations[i].id, name) == 0 || text_equal(operations[i].alias, name))
			return &operations[i];
	return NULL;
}

const char *operation_suggest(const char *name)
{
	const char *names[2 * OP_COUNT + 1];
	size_t count = 0;

	/* Ids first: of two equally near names the reference's own is the better hint. */
	for (size_t i = 0; i < OP_COUNT; i++)
		names[count++] = operations[i].id;
	for (size_t i = 0; i < OP_COUNT; i++)
		if (operations[i].alias)
			names[count++] = operations[i].alias;
	names[count] = NULL;
	return name ? text_suggest(name, names) : NULL;
}

const struct parameter *operation_parameter(const struct operation *operation, const char *name)
{
	for (const struct parameter *parameter = operation->parameters; parameter->name; parameter++)
		if (strcmp(parameter->name, name) == 0)
			return parameter;
	return NULL;
}

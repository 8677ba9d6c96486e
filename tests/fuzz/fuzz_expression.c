/* Expressions and templates: compiled, explained and evaluated in a scope that has something of everything. */
#include <string.h>

#include "pipelines/expression.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

static const char scope_text[] =
        "{\"inputs\":{\"a\":\"text\",\"n\":3,\"f\":2.5,\"b\":true,\"none\":null,\"list\":[1,\"two\",{\"k\":\"v\"}]},"
        "\"steps\":{\"build\":{\"outcome\":\"passed\",\"bytes\":10}},\"results\":{\"pass_rate\":0.97,\"failed\":1},"
        "\"run\":{\"id\":\"x\",\"key\":\"k\"},\"env\":{\"HOME\":\"/\"},\"devices\":{\"phone\":[{\"name\":\"Pixel\"}]},"
        "\"matrix\":{\"device\":{\"name\":\"Pixel\"}},\"app\":{\"id\":1}}";

static void try_one(struct expression *expression, const json_t *scope)
{
	struct gr_error err = {0};
	json_t *value = NULL;
	bool is_true;

	gr_free(expression_explain(expression, scope));
	if (expression_evaluate(expression, scope, &value, &err) == 0)
		FUZZ_MUST(value != NULL);
	else
		FUZZ_MUST(value == NULL && err.text[0] != '\0');
	json_decref(value);
	err = (struct gr_error){0};
	(void)expression_is_true(expression, scope, &is_true, &err);
	expression_free(expression);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_FREE char *text = gr_strndup((const char *)data, bytes);
	GR_AUTO_JSON json_t *scope = json_loads(scope_text, 0, NULL);
	struct expression *expression = NULL;
	struct gr_error err = {0};

	if (expression_compile(text, 1, 1, &expression, &err) == 0)
		try_one(expression, scope);
	else
		FUZZ_MUST(err.text[0] != '\0');
	expression = NULL;
	err = (struct gr_error){0};
	if (template_compile(text, 1, 1, &expression, &err) == 0 && expression)
		try_one(expression, scope);
	return 0;
}

/* A JUnit document, written and read again, and the rules that every one of them keeps. */
#ifndef GRIDLANE_TESTS_REPORTERS_JUNIT_DOCUMENT_H
#define GRIDLANE_TESTS_REPORTERS_JUNIT_DOCUMENT_H

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "runner/base/text.h"
#include "tests/unit/reporters/sample.h"

/* libxml2's characters are unsigned; its BAD_CAST drops const. */
static inline const xmlChar *xml(const char *text)
{
	return (const xmlChar *)text;
}

static inline xmlDocPtr write_and_read_in(
        const struct results *results, const struct report_context *given, char **ret_text)
{
	struct folder folder;
	struct report_context context = *given;
	struct gr_error err = {0};
	xmlDocPtr document;
	size_t bytes;
	char *text;

	folder_make(&folder);
	context.directory = folder.handle;
	if (reporter_find("junit")->write(results, "junit.xml", &context, &err) < 0)
		fail_msg("%s", err.text);
	text = folder_read(&folder, "junit.xml", &bytes);
	assert_true(text_is_utf8(text, bytes));
	document = xmlReadMemory(text, (int)bytes, "junit.xml", NULL, XML_PARSE_NONET);
	assert_non_null(document);
	if (ret_text)
		*ret_text = text;
	else
		gr_free(text);
	folder_remove(&folder);
	return document;
}

static inline xmlDocPtr write_and_read_with(const struct results *results, struct redactor *redactor, char **ret_text)
{
	const struct report_context context = {.redactor = redactor};

	return write_and_read_in(results, &context, ret_text);
}

static inline xmlDocPtr write_and_read(const struct results *results)
{
	return write_and_read_with(results, NULL, NULL);
}

static inline xmlNodePtr first(xmlNodePtr parent, const char *name)
{
	xmlNodePtr node = parent ? xmlFirstElementChild(parent) : NULL;

	while (node && strcmp((const char *)node->name, name) != 0)
		node = xmlNextElementSibling(node);
	return node;
}

static inline size_t count(xmlNodePtr parent, const char *name)
{
	size_t found = 0;

	for (xmlNodePtr node = xmlFirstElementChild(parent); node; node = xmlNextElementSibling(node))
		found += strcmp((const char *)node->name, name) == 0;
	return found;
}

/* The attribute, the caller's; "" when it is not there. */
static inline char *get(xmlNodePtr node, const char *name)
{
	xmlChar *value = xmlGetProp(node, xml(name));
	char *copy = gr_strdup(value ? (const char *)value : "");

	xmlFree(value);
	return copy;
}

static inline void expect(xmlNodePtr node, const char *name, const char *value)
{
	GR_AUTO_FREE char *found = NULL;

	assert_non_null(node);
	found = get(node, name);
	assert_string_equal(found, value);
}

static inline char *content(xmlNodePtr node)
{
	xmlChar *value = xmlNodeGetContent(node);
	char *copy = gr_strdup((const char *)value);

	xmlFree(value);
	return copy;
}

static inline xmlNodePtr find_case(xmlNodePtr suite, const char *name)
{
	for (xmlNodePtr node = xmlFirstElementChild(suite); node; node = xmlNextElementSibling(node)) {
		GR_AUTO_FREE char *found = get(node, "name");

		if (strcmp((const char *)node->name, "testcase") == 0 && strcmp(found, name) == 0)
			return node;
	}
	fail_msg("there is no testcase '%s'", name);
	return NULL;
}

static inline void expect_number(xmlNodePtr node, const char *name, size_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%zu", number);
	expect(node, name, text);
}

static inline void check_case(xmlNodePtr test, json_t *names, size_t counts[4])
{
	GR_AUTO_FREE char *name = get(test, "name");
	GR_AUTO_FREE char *class_name = get(test, "classname");
	GR_AUTO_FREE char *key = gr_printf("%s\n%s", class_name, name);
	size_t failures = count(test, "failure"), errors = count(test, "error"), skipped = count(test, "skipped");

	assert_true(*name && *class_name);
	assert_true(failures + errors + skipped <= 1);
	assert_true(count(test, "system-out") <= 1);
	assert_null(json_object_get(names, key)); /* told apart over the whole document */
	(void)json_object_set_new(names, key, json_true());
	counts[0]++;
	counts[1] += failures;
	counts[2] += errors;
	counts[3] += skipped;
}

/* What every document must keep. Returns how many cases there are. */
static inline size_t check_rules(xmlDocPtr document)
{
	xmlNodePtr root = xmlDocGetRootElement(document);
	GR_AUTO_JSON json_t *names = json_object();
	size_t number = 0, cases = 0;

	assert_string_equal((const char *)root->name, "testsuites");
	for (xmlAttrPtr attribute = root->properties; attribute; attribute = attribute->next)
		assert_true(strcmp((const char *)attribute->name, "name") == 0 ||
		            strcmp((const char *)attribute->name, "time") == 0);
	for (xmlNodePtr suite = xmlFirstElementChild(root); suite; suite = xmlNextElementSibling(suite)) {
		size_t counts[4] = {0};

		assert_string_equal((const char *)suite->name, "testsuite");
		assert_null(first(suite, "testsuite"));
		for (xmlNodePtr test = xmlFirstElementChild(suite); test; test = xmlNextElementSibling(test))
			if (strcmp((const char *)test->name, "testcase") == 0)
				check_case(test, names, counts);
		expect_number(suite, "id", number++);
		expect_number(suite, "tests", counts[0]);
		expect_number(suite, "failures", counts[1]);
		expect_number(suite, "errors", counts[2]);
		expect_number(suite, "skipped", counts[3]);
		assert_true(counts[0] > 0);
		cases += counts[0];
	}
	assert_true(cases > 0);
	return cases;
}

#endif

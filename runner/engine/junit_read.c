/* JUnit files that a user's test command wrote. They are not ours: nothing outside the file is loaded, no entity of its
 * own is replaced, and its size is bounded. */
#include <assert.h>
#include <glob.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/base/file.h"
#include "runner/base/library.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/base/number.h"
#include "runner/engine/document.h"

#define FILE_MOST_BYTES (64 << 20)
#define CASES_MOST 100000
#define REASON_MOST_BYTES (64 << 10)
/* File systems keep times in steps of up to two seconds. */
#define CLOCK_STEP_MS 2000

struct libxml2 {
#define SYMBOL(name) __typeof__(name) *name;
#include "runner/engine/libxml2.def"
#undef SYMBOL
};

static int load(struct libxml2 *library, struct gr_error *err)
{
	static const char *const names[] = {
#define SYMBOL(name) #name,
#include "runner/engine/libxml2.def"
#undef SYMBOL
	};
	int r;

	static_assert(sizeof(*library) == GR_COUNT(names) * sizeof(void *), "a pointer a symbol");
	r = library_load(GRIDLANE_LIBXML2, names, GR_COUNT(names), library, err);
	if (r < 0)
		return r;
	(void)library->xmlMemSetup(gr_free, gr_library_alloc, gr_library_resize, gr_strdup); /* NULL alone fails */
	return 0;
}

static json_t *attribute(const struct libxml2 *library, xmlNode *node, const char *name)
{
	xmlChar *value = library->xmlGetNoNsProp(node, (const xmlChar *)name);
	json_t *text = value ? json_string((const char *)value) : NULL;

	(*library->xmlFree)(value);
	return text;
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The message, and the text where it says more. */
static json_t *reason_of(const struct libxml2 *library, xmlNode *node)
{
	GR_AUTO_JSON json_t *message = attribute(library, node, "message");
	xmlChar *content = library->xmlNodeGetContent(node);
	const char *more = content ? (const char *)content : "";
	const char *first = message ? json_string_value(message) : "";
	GR_AUTO_FREE char *text = gr_printf("%.*s%s%.*s",
	        (int)text_whole_words(first, strlen(first), REASON_MOST_BYTES), first, message && *more ? "\n" : "",
	        (int)text_whole_words(more, strlen(more), REASON_MOST_BYTES), more);
	json_t *reason = json_string(text);

	(*library->xmlFree)(content);
	return reason ? reason : json_string("(not UTF-8)");
}

static void set_status(const struct libxml2 *library, json_t *test, const char *status, xmlNode *node)
{
	(void)json_object_set_new(test, "status", json_string(status));
	(void)json_object_set_new(test, "reason", reason_of(library, node));
}

/* Google Test writes of a disabled test no more than that it was not run. */
static bool was_not_run(const struct libxml2 *library, xmlNode *node)
{
	static const char *const words[] = {"notrun", "disabled", "skipped", "ignored"};
	GR_AUTO_JSON json_t *status = attribute(library, node, "status");

	for (size_t i = 0; i < GR_COUNT(words); i++)
		if (text_equal_nocase(json_string_value(status), words[i]))
			return true;
	return false;
}

static void add_case(const struct libxml2 *library, xmlNode *node, json_t *cases)
{
	json_t *test = json_object();
	GR_AUTO_JSON json_t *time = attribute(library, node, "time");
	json_t *name = attribute(library, node, "name");
	double seconds = 0;

	(void)json_object_set_new(test, "name", name ? name : json_string("(a test without a name)"));
	(void)json_object_set_new(test, "class_name", attribute(library, node, "classname"));
	(void)json_object_set_new(test, "status", json_string(was_not_run(library, node) ? "skipped" : "passed"));
	if (time && number_parse_real(json_string_value(time), &seconds) && seconds >= 0 && seconds < 1e9)
		(void)json_object_set_new(test, "time_ms", json_integer((json_int_t)(seconds * 1000 + 0.5)));
	for (xmlNode *child = node->children; child; child = child->next)
		if (is_element(child, "skipped"))
			set_status(library, test, "skipped", child);
	for (xmlNode *child = node->children; child; child = child->next)
		if (is_element(child, "failure") || is_element(child, "error"))
			set_status(library, test, "failed", child);
	(void)json_array_append_new(cases, test);
}

/* The next node in the order of the file. */
static xmlNode *following(xmlNode *node, const xmlNode *root)
{
	if (node->type == XML_ELEMENT_NODE && node->children)
		return node->children;
	while (node != root && !node->next)
		node = node->parent;
	return node == root ? NULL : node->next;
}

static int read_document(
        const struct libxml2 *library, xmlDoc *document, const char *path, json_t *cases, struct gr_error *err)
{
	xmlNode *root = library->xmlDocGetRootElement(document);

	if (!root || (!is_element(root, "testsuites") && !is_element(root, "testsuite")))
		return gr_fail(err, GR_COMMAND, 0, "'%s' is no JUnit file", path);
	for (xmlNode *node = root; node; node = following(node, root)) {
		if (is_element(node, "testcase"))
			add_case(library, node, cases);
		if (json_array_size(cases) > CASES_MOST)
			return gr_fail(err, GR_COMMAND, 0, "'%s': more than %d test cases", path, CASES_MOST);
	}
	return 0;
}

static int read_one(const struct libxml2 *library, const char *path, json_t *cases, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	xmlDoc *document;
	int r = file_read(path, FILE_MOST_BYTES, GR_COMMAND, &data, err);

	if (r < 0)
		return r;
	document = library->xmlReadMemory(buffer_text(&data), (int)data.bytes, "junit.xml", NULL,
	        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!document)
		return gr_fail(err, GR_COMMAND, 0, "'%s' is no JUnit file: it is not well-formed XML", path);
	/* Its entities would be expanded, each within others. No writer of JUnit files has one. */
	r = document->intSubset ? gr_fail(err, GR_COMMAND, 0, "'%s' is no JUnit file: it has a document type", path)
	                        : read_document(library, document, path, cases, err);
	library->xmlFreeDoc(document);
	return r;
}

static bool is_fresh(const char *path, int64_t since_wall_ms)
{
	struct stat state;

	return stat(path, &state) == 0 &&
	       (int64_t)state.st_mtim.tv_sec * 1000 + state.st_mtim.tv_nsec / 1000000 + CLOCK_STEP_MS >= since_wall_ms;
}

int junit_read(const char *pattern, int64_t since_wall_ms, json_t **ret_cases, struct gr_error *err)
{
	GR_AUTO_JSON json_t *cases = json_array();
	glob_t found = {0};
	struct libxml2 library;
	int how = glob(pattern, 0, NULL, &found), r = how == 0 ? load(&library, err) : 0;

	for (size_t i = 0; r == 0 && how == 0 && i < found.gl_pathc; i++)
		if (is_fresh(found.gl_pathv[i], since_wall_ms))
			r = read_one(&library, found.gl_pathv[i], cases, err);
	globfree(&found);
	if (r == 0)
		*ret_cases = gr_take(&cases);
	return r;
}

/* libyaml's events become a tree. Every limit is kept while reading: libyaml has none, and its time grows with the
 * square of the nesting, so reading stops at the first event that passes one. */
#include "pipelines/load.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

#include "pipelines/findings.h"
#include "pipelines/node.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define CORE_TAG "tag:yaml.org,2002:"

struct level {
	struct node *node;
	struct node *key; /* of a map: waiting for its value */
	char *anchor; /* until the node is complete */
};

struct anchor {
	char *name;
	const struct node *node;
};

struct loader {
	const char *text;
	size_t bytes;
	struct diagnostics *findings;
	struct level levels[TREE_MOST_DEPTH];
	size_t depth;
	struct anchor *anchors;
	size_t anchor_count;
	size_t nodes, aliases, expanded;
	struct node *root;
	struct node retired; /* a list: merged values, which anchors may point into */
	bool has_document;
};

static struct place mark_place(yaml_mark_t mark)
{
	return (struct place){.line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1, .length = 0};
}

static bool refuse(struct loader *loader, yaml_mark_t mark, const char *hint, const char *words)
{
	findings_add(loader->findings, mark_place(mark), hint, "%s", words);
	return false;
}

static void loader_release(struct loader *loader)
{
	for (size_t i = 0; i < loader->depth; i++) {
		node_free(loader->levels[i].key);
		gr_free(loader->levels[i].anchor);
	}
	for (size_t i = 0; i < loader->anchor_count; i++)
		gr_free(loader->anchors[i].name);
	gr_free(loader->anchors);
	for (size_t i = 0; i < loader->retired.count; i++)
		node_free(loader->retired.items[i]);
	gr_free(loader->retired.items);
}

static struct level *loader_top(struct loader *loader)
{
	return loader->depth > 0 ? &loader->levels[loader->depth - 1] : NULL;
}

static void anchor_add(struct loader *loader, const char *name, const struct node *node)
{
	loader->anchors = gr_grow(loader->anchors, loader->anchor_count, sizeof(*loader->anchors));
	loader->anchors[loader->anchor_count++] = (struct anchor){.name = gr_strdup(name), .node = node};
}

/* Put a node where it belongs: it is the parent's from now on, so that nothing is lost on the way out. */
static bool place_node(struct loader *loader, struct node *node, yaml_mark_t mark)
{
	struct level *top = loader_top(loader);

	if (top == NULL) {
		loader->root = node;
		return true;
	}
	if (top->node->kind == NODE_LIST) {
		node_add(top->node, node);
		return true;
	}
	if (top->key != NULL) {
		node_add_member(top->node, gr_take(&top->key), node);
		return true;
	}
	if (node->kind == NODE_SCALAR) {
		expression_free(gr_take(&node->template));
		top->key = node;
		return true;
	}
	node_free(node);
	return refuse(loader, mark, NULL, "a key must be a single word or text, not a list or a map");
}

/* YAML's core tags, and no others. Returns the name behind "!!", or NULL when there is none to speak of. */
static const char *core_tag(const yaml_char_t *tag)
{
	const char *text = (const char *)tag;

	return text != NULL && text_has_prefix(text, CORE_TAG) ? text + strlen(CORE_TAG) : NULL;
}

static bool refuse_tag(struct loader *loader, const yaml_char_t *tag, yaml_mark_t mark)
{
	static const char *const known[] = {"str", "int", "float", "bool", "null", "map", "seq"};
	const char *name = core_tag(tag);

	for (size_t i = 0; name != NULL && i < GR_COUNT(known); i++) {
		if (strcmp(name, known[i]) == 0)
			return refuse(loader, mark, NULL, "this tag does not fit the value that it stands before");
	}
	return refuse(loader, mark, NULL, "tags other than YAML's own (!!str, !!int, !!map, ...) are not known here");
}

/* The tag of a list or a map. */
static bool check_tag(struct loader *loader, const yaml_char_t *tag, const char *wanted, yaml_mark_t mark)
{
	const char *name = core_tag(tag);

	if (tag == NULL || strcmp((const char *)tag, "!") == 0 || (name != NULL && strcmp(name, wanted) == 0))
		return true;
	return refuse_tag(loader, tag, mark);
}

/* A scalar's tag, if it has one, must be that of the value which it has anyway; !!str makes text of anything. */
static bool apply_tag(struct loader *loader, struct node *node, const yaml_char_t *tag, yaml_mark_t mark)
{
	static const char *const names[] = {[JSON_STRING] = "str",
	        [JSON_INTEGER] = "int",
	        [JSON_REAL] = "float",
	        [JSON_TRUE] = "bool",
	        [JSON_FALSE] = "bool",
	        [JSON_NULL] = "null"};
	const char *name = core_tag(tag);
	GR_AUTO_JSON json_t *value = NULL;

	if (tag == NULL)
		return true;
	node->is_plain = false;
	if (strcmp((const char *)tag, "!") == 0 || (name != NULL && strcmp(name, "str") == 0))
		return true;
	node->is_plain = true;
	if (node_evaluate(node, NULL, &value, NULL) == 0 && name != NULL &&
	        strcmp(names[json_typeof(value)], name) == 0)
		return true;
	return refuse_tag(loader, tag, mark);
}

static bool count_node(struct loader *loader, yaml_mark_t mark)
{
	if (++loader->nodes > TREE_MOST_NODES)
		return refuse(loader, mark, NULL, "the file has more than 100000 values");
	return true;
}

static struct node *node_new(enum node_kind kind, yaml_mark_t mark)
{
	struct node *node = gr_alloc(1, sizeof(*node));

	*node = (struct node){.kind = kind, .line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1};
	return node;
}

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

/* The tag and anchor before a value belong to its event: the text itself ends where the event ends. */
static void find_text_column(struct node *node, const yaml_event_t *event)
{
	bool is_quoted = event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
	                 event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	size_t width = event->end_mark.index - event->start_mark.index, characters = count_characters(node->text);
	bool is_bare = event->data.scalar.tag == NULL && event->data.scalar.anchor == NULL;

	if (event->start_mark.line == event->end_mark.line && is_bare && width == characters + (is_quoted ? 2 : 0))
		node->text_column = node->column + (is_quoted ? 1 : 0);
}

static void compile_template(struct loader *loader, struct node *node)
{
	struct text_place place = node_text_place(node);
	struct gr_error err = {0};

	if (template_compile_at(&place, &node->template, &err) != 0) {
		findings_add_error(loader->findings, node_place(node), &err);
		node->is_broken = true;
	}
}

static bool is_key_position(struct loader *loader)
{
	const struct level *top = loader_top(loader);

	return top != NULL && top->node->kind == NODE_MAP && top->key == NULL;
}

static bool on_scalar(struct loader *loader, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	struct node *node;

	if (!count_node(loader, event->start_mark))
		return false;
	if (event->data.scalar.length > TREE_MOST_SCALAR_BYTES)
		return refuse(loader, event->start_mark, NULL, "this text is longer than 64 KiB");
	if (memchr(text, '\0', event->data.scalar.length) != NULL)
		return refuse(loader, event->start_mark, NULL, "this text holds a NUL character");
	node = node_new(NODE_SCALAR, event->start_mark);
	node->text = gr_strdup(text);
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (!apply_tag(loader, node, event->data.scalar.tag, event->start_mark)) {
		node_free(node);
		return false;
	}
	find_text_column(node, event);
	if (!is_key_position(loader))
		compile_template(loader, node);
	if (event->data.scalar.anchor != NULL && !is_key_position(loader))
		anchor_add(loader, (const char *)event->data.scalar.anchor, node);
	return place_node(loader, node, event->start_mark);
}

static bool on_open(struct loader *loader, enum node_kind kind, const yaml_event_t *event)
{
	const yaml_char_t *tag = kind == NODE_MAP ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	const yaml_char_t *anchor =
	        kind == NODE_MAP ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	struct node *node;

	if (!count_node(loader, event->start_mark) ||
	        !check_tag(loader, tag, kind == NODE_MAP ? "map" : "seq", event->start_mark))
		return false;
	if (loader->depth >= TREE_MOST_DEPTH)
		return refuse(loader, event->start_mark, NULL, "lists and maps are nested more than 64 levels deep");
	node = node_new(kind, event->start_mark);
	if (!place_node(loader, node, event->start_mark))
		return false;
	loader->levels[loader->depth++] = (struct level){.node = node, .anchor = gr_strdup((const char *)anchor)};
	return true;
}

static bool on_close(struct loader *loader)
{
	struct level *top = loader_top(loader);
	struct node *merged = NULL;

	assert(top != NULL); /* libyaml ends only what it began */
	loader->depth--;
	if (top->node->kind == NODE_MAP)
		merged = map_finish(top->node, &loader->expanded, loader->findings);
	if (merged != NULL)
		node_add(&loader->retired, merged);
	if (top->anchor != NULL)
		anchor_add(loader, top->anchor, top->node);
	gr_free(gr_take(&top->anchor));
	return true;
}

static bool is_open_anchor(const struct loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->depth; i++) {
		if (text_equal(loader->levels[i].anchor, name))
			return true;
	}
	return false;
}

static const struct node *anchor_find(const struct loader *loader, const char *name)
{
	for (size_t i = loader->anchor_count; i-- > 0;) {
		if (strcmp(loader->anchors[i].name, name) == 0)
			return loader->anchors[i].node;
	}
	return NULL;
}

static bool refuse_alias(struct loader *loader, const yaml_event_t *event, const char *name)
{
	const char *names[65] = {0};
	GR_AUTO_FREE char *hint = NULL;
	const char *near;

	if (is_open_anchor(loader, name))
		return refuse(loader, event->start_mark, NULL, "this alias stands inside the value that it names");
	for (size_t i = 0; i < loader->anchor_count && i < 64; i++)
		names[i] = loader->anchors[i].name;
	near = text_suggest(name, names);
	if (near != NULL)
		hint = gr_printf("did you mean '*%s'?", near);
	findings_add(loader->findings, mark_place(event->start_mark), hint, "no anchor '&%s' stands before this alias",
	        name);
	return false;
}

static bool on_alias(struct loader *loader, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct node *source = is_open_anchor(loader, name) ? NULL : anchor_find(loader, name);
	struct node *copy;

	if (++loader->aliases > TREE_MOST_ALIASES)
		return refuse(loader, event->start_mark, NULL, "the file uses more than 100 aliases");
	if (source == NULL)
		return refuse_alias(loader, event, name);
	if (is_key_position(loader))
		return refuse(loader, event->start_mark, NULL, "an alias cannot be a key");
	if (loader->depth + node_height(source) > TREE_MOST_DEPTH + 1)
		return refuse(loader, event->start_mark, NULL,
		        "with this alias, lists and maps are nested more than 64 levels deep");
	copy = node_copy(source, &loader->expanded);
	if (copy == NULL)
		return refuse(
		        loader, event->start_mark, NULL, "the aliases of this file stand for more than 10000 values");
	return place_node(loader, copy, event->start_mark);
}

static bool on_document(struct loader *loader, const yaml_event_t *event)
{
	if (loader->has_document)
		return refuse(loader, event->start_mark, "put the other pipeline into a file of its own",
		        "a second document begins here; a pipeline file holds one");
	loader->has_document = true;
	return true;
}

/* One event; false ends the reading. */
static bool on_event(struct loader *loader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(loader, event);
	case YAML_ALIAS_EVENT:
		return on_alias(loader, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(loader, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(loader, NODE_LIST, event);
	case YAML_MAPPING_START_EVENT:
		return on_open(loader, NODE_MAP, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(loader);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return true;
	}
	return true;
}

/* line: from 0 */
static bool is_indented_with_tab(const char *text, size_t bytes, size_t line)
{
	const char *end = text + bytes;

	for (; line > 0 && text < end; line--) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		text = line_end != NULL ? line_end + 1 : end;
	}
	while (text < end && *text == ' ')
		text++;
	return text < end && *text == '\t';
}

static void report_syntax(struct loader *loader, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "it cannot be read";
	GR_AUTO_FREE char *hint = NULL;

	if (parser->context != NULL)
		hint = gr_printf("%s that began in line %zu", parser->context, parser->context_mark.line + 1);
	if (parser->error == YAML_MEMORY_ERROR)
		gr_out_of_memory(); /* no mistake of the file's */
	if (is_indented_with_tab(loader->text, loader->bytes, parser->problem_mark.line))
		findings_add(loader->findings, mark_place(parser->problem_mark), "indent with blanks",
		        "a tab is no indentation in YAML");
	else
		findings_add(loader->findings, mark_place(parser->problem_mark), hint, "this is not valid YAML: %s",
		        problem);
}

/* true when the stream was read to its end. */
static bool read_events(struct loader *loader, yaml_parser_t *parser)
{
	bool may_go_on = true, is_over = false;

	while (may_go_on && !is_over) {
		yaml_event_t event;

		if (yaml_parser_parse(parser, &event) == 0) {
			report_syntax(loader, parser);
			return false;
		}
		is_over = event.type == YAML_STREAM_END_EVENT;
		may_go_on = on_event(loader, &event);
		yaml_event_delete(&event);
	}
	return may_go_on;
}

static bool check_bytes(const char *text, size_t bytes, struct diagnostics *findings)
{
	const struct place start = {.line = 1, .column = 1, .length = 1};

	if (bytes > TREE_MOST_BYTES)
		findings_add(findings, start, NULL, "the file is larger than 1 MiB");
	else if (bytes >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		findings_add(findings, start, "save it as UTF-8", "the file is in UTF-16; only UTF-8 is read");
	else if (memchr(text, '\0', bytes) != NULL)
		findings_add(findings, start, NULL, "the file holds a NUL byte; it is not a text file in UTF-8");
	else if (!text_is_utf8(text, bytes))
		findings_add(findings, start, "save it as UTF-8", "the file is not valid UTF-8");
	else
		return true;
	return false;
}

void tree_load(const char *text, size_t bytes, struct node **ret_root, struct diagnostics *findings)
{
	struct loader loader = {.findings = findings};
	yaml_parser_t parser;
	bool is_complete;

	*ret_root = NULL;
	if (bytes >= 3 &&
	        memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark is fine, and no part of the text */
		text += 3;
		bytes -= 3;
	}
	if (!check_bytes(text, bytes, findings))
		return;
	loader.text = text;
	loader.bytes = bytes;
	if (yaml_parser_initialize(&parser) == 0) {
		findings_add(findings, (struct place){0}, NULL, "no memory is left to read the file");
		return;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
	is_complete = read_events(&loader, &parser);
	yaml_parser_delete(&parser);
	loader_release(&loader);
	if (is_complete)
		*ret_root = loader.root;
	else
		node_free(loader.root);
}

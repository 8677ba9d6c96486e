/* `quarantine:` names a file of known-bad tests, which is checked like a part of the pipeline. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* A longer list is no list of exceptions. */
#define ENTRIES_MOST 1000
/* Each pattern is tried on every failed test, and takes their lengths multiplied at worst. */
#define WORDS_MOST_BYTES 1000

static const struct key entry_keys[] = {
        {"test", NULL}, {"device", NULL}, {"reason", NULL}, {"owner", NULL}, {"until", NULL}, {NULL, NULL}};

/* Plain words, which must be there unless `is_optional`. */
static bool read_words(
        struct check *check, const struct node *entry, const char *key, bool is_optional, char **ret_words)
{
	const struct node *node = node_member(entry, key);

	if (node == NULL) {
		if (!is_optional)
			check_fail(check, entry, NULL, "a quarantined test needs '%s'", key);
		return is_optional;
	}
	if (node->kind != NODE_SCALAR || node->text[strspn(node->text, " \t\r\n")] == '\0' || node->template != NULL) {
		check_fail(check, node, NULL, "'%s' must be a text that is not empty, without ${{ }}", key);
		return false;
	}
	if (strlen(node->text) > WORDS_MOST_BYTES) {
		check_fail(check, node, NULL, "'%s' is longer than %d bytes", key, WORDS_MOST_BYTES);
		return false;
	}
	*ret_words = gr_strdup(node->text);
	return true;
}

static bool read_until(struct check *check, const struct node *node, struct quarantine_entry *entry)
{
	int64_t day_ms;

	if (!read_words(check, node, "until", false, &entry->until))
		return false;
	node = node_member(node, "until");
	day_ms = clock_parse_day(entry->until);
	if (day_ms < 0) {
		check_fail(check, node, "write for example: until: 2026-12-31",
		        "'until' must be a day (YYYY-MM-DD), not '%s'", entry->until);
		return false;
	}
	entry->ends_ms = day_ms + CLOCK_DAY_MS;
	if (quarantine_entry_is_over(entry, clock_wall_ms()))
		findings_warn(check->findings, node_place(node), "mend the test, or give the entry a new day",
		        "the quarantine of '%s' ended with %s, so its failures count again", entry->test, entry->until);
	return true;
}

/* Nothing but wildcards: it names no test, and every failure of the device would be known. */
static void check_width(struct check *check, const struct node *node, const struct quarantine_entry *entry)
{
	if (entry->test[strspn(entry->test, "*?")] == '\0')
		findings_warn(check->findings, node_place(node), "name the tests that are known to fail",
		        "'%s' quarantines every test%s%s", entry->test, entry->device != NULL ? " on " : "",
		        entry->device != NULL ? entry->device : "");
}

static void check_twice(struct check *check, const struct node *node, const struct quarantine_entry *entry)
{
	const struct quarantine *quarantine = &check->plan->quarantine;

	for (size_t i = 0; i < quarantine->count; i++)
		if (text_equal(quarantine->entries[i].test, entry->test) &&
		        (text_equal(quarantine->entries[i].device, entry->device) ||
		                (quarantine->entries[i].device == NULL && entry->device == NULL)))
			check_fail(check, node, NULL, "'%s' is quarantined in line %u already", entry->test,
			        quarantine->entries[i].line);
}

static void check_entry(struct check *check, const struct node *node)
{
	struct quarantine *quarantine = &check->plan->quarantine;
	struct quarantine_entry entry = {.line = node->line};
	bool is_right;

	if (!check_keys(check, node, "a quarantined test", entry_keys))
		return;
	is_right = read_words(check, node, "test", false, &entry.test);
	is_right = read_words(check, node, "device", true, &entry.device) && is_right;
	is_right = read_words(check, node, "reason", false, &entry.reason) && is_right;
	is_right = read_words(check, node, "owner", false, &entry.owner) && is_right;
	is_right = read_until(check, node, &entry) && is_right;
	if (is_right) {
		check_twice(check, node, &entry);
		check_width(check, node_member(node, "test"), &entry);
	}
	quarantine->entries = gr_grow(quarantine->entries, quarantine->count, sizeof(entry));
	quarantine->entries[quarantine->count++] = entry;
}

static void check_entries(struct check *check, const struct node *root)
{
	if (root == NULL) /* no entry, or what cannot be read has been said */
		return;
	if (root->kind != NODE_LIST || root->count > ENTRIES_MOST) {
		check_fail(check, root, "- { test: Pays by card, reason: ..., owner: ..., until: 2026-12-31 }",
		        "a quarantine is a list of at most %d tests", ENTRIES_MOST);
		return;
	}
	for (size_t i = 0; i < root->count; i++)
		check_entry(check, root->items[i]);
}

/* Findings from here on are of the other file. */
static void check_source(struct check *check, const char *path, const struct buffer *source)
{
	struct diagnostics *findings = check->findings;
	struct node *root = NULL;

	findings->quarantine_file = gr_strdup(path);
	findings->quarantine_source = gr_strdup(buffer_text(source));
	findings->is_in_quarantine = true;
	tree_load(buffer_text(source), source->bytes, &root, findings);
	check_entries(check, root);
	findings->is_in_quarantine = false;
	node_free(root);
}

void check_quarantine(struct check *check, const struct node *node)
{
	struct plan *plan = check->plan;
	GR_AUTO_BUFFER struct buffer source = {0};
	GR_AUTO_FREE char *name = NULL;
	GR_AUTO_FREE char *path = NULL;
	struct gr_error err = {0};

	if (node == NULL || !read_text(check, node, "`quarantine`", &name))
		return;
	if (!check_file(check, node, name, false, &plan->quarantine.file))
		return;
	path = plan->working_directory != NULL && plan->quarantine.file[0] != '/'
	               ? gr_printf("%s/%s", plan->working_directory, plan->quarantine.file)
	               : gr_strdup(plan->quarantine.file);
	if (file_read(path, TREE_MOST_BYTES, GR_CONFIG, &source, &err) != 0) {
		findings_add_error(check->findings, node_place(node), &err);
		return;
	}
	file_sha256_memory(source.data, source.bytes, plan->quarantine_sha256);
	check_source(check, path, &source);
}

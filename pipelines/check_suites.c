/* Suites of the results: the steps of the file that run tests. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/text.h"

/* The step's own id, or the word that one would be made from. */
static const char *id_of(const struct node *step, const struct kind *kind)
{
	const struct node *id = node_member(step, "id");

	return id != NULL && id->kind == NODE_SCALAR ? id->text : kind->name;
}

static bool is_made_from(const char *name, const char *word)
{
	return text_has_prefix(name, word) && (name[strlen(word)] == '\0' || name[strlen(word)] == '-');
}

static const struct kind *kind_of(const struct node *step)
{
	const struct node *uses = node_member(step, "uses");

	return uses != NULL && uses->kind == NODE_SCALAR ? kind_find(uses->text) : NULL;
}

/* As deep as the file. */
bool check_suites(const struct node *steps, const char *name, const char **names, size_t most)
{
	size_t count = 0;

	while (names[count] != NULL)
		count++;
	for (size_t i = 0; steps != NULL && steps->kind == NODE_LIST && i < steps->count; i++) {
		const struct node *step = steps->items[i];
		const struct kind *kind = kind_of(step);

		if (check_suites(node_member(step, "steps"), name, names, most))
			return true;
		while (names[count] != NULL)
			count++;
		if (kind == NULL || (kind->flags & KIND_RUNS_TESTS) == 0)
			continue;
		if (text_equal(id_of(step, kind), name) ||
		        (node_member(step, "id") == NULL && is_made_from(name, kind->name)))
			return true;
		if (count < most)
			names[count++] = id_of(step, kind);
	}
	return false;
}

/* As deep as the file. */
bool check_subjects(const struct node *steps)
{
	for (size_t i = 0; steps != NULL && steps->kind == NODE_LIST && i < steps->count; i++) {
		const struct kind *kind = kind_of(steps->items[i]);

		if ((kind != NULL && (kind->flags & KIND_SUBJECT) != 0) ||
		        check_subjects(node_member(steps->items[i], "steps")))
			return true;
	}
	return false;
}

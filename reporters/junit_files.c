/* Into how many JUnit files the suites go. One, as a rule; when it would be longer than its readers take, further ones
 * beside it (junit-2.xml), so that none is refused as a whole. Or a file a device run, each as strict schemas want it.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "reporters/formats.h"
#include "reporters/junit_document.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/library.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* GitLab takes 30 MiB; what is reckoned here is reckoned high. */
#define FILE_MOST_BYTES ((size_t)20 << 20)
#define FILE_MOST_CASES 100000
#define CASE_BYTES 80 /* tags and time */
#define TROUBLE_BYTES 700

/* ---- parts: suites, cut where a file would be too long ---- */

struct part_walk {
	struct junit_plan plan;
	struct junit_suite suite;
	size_t next; /* entry of the suite that the next part begins with */
	size_t number; /* of the part in its suite */
	size_t text_bytes; /* of all parts so far */
	size_t budget; /* of text_bytes: later texts are short */
};

static void walk_init(struct part_walk *walk, const struct results *results, struct redactor *redactor)
{
	*walk = (struct part_walk){.budget = JUNIT_TEXT_BUDGET};
	junit_plan_init(&walk->plan, results, redactor);
}

static void walk_release(struct part_walk *walk)
{
	junit_suite_release(&walk->suite);
	junit_plan_release(&walk->plan);
}

static size_t text_bytes(struct part_walk *walk, const char *text)
{
	size_t most = walk->text_bytes < walk->budget ? WORDS_TEXT_BYTES : JUNIT_TEXT_LATER;
	size_t bytes = text ? strlen(text) : 0;

	bytes = bytes < most ? bytes : most;
	walk->text_bytes += bytes;
	return TROUBLE_BYTES + bytes + bytes / 4;
}

/* A name in an attribute: signs of markup become up to six. */
static size_t name_bytes(const char *name)
{
	size_t bytes = strlen(name);

	for (const char *at = name; (at = strpbrk(at, "<>&\"")) != NULL; at++)
		bytes += 5;
	return bytes;
}

static size_t entry_bytes(struct part_walk *walk, const struct junit_entry *entry)
{
	size_t bytes = CASE_BYTES + name_bytes(entry->name) + name_bytes(entry->class_name);

	if (entry->status != STATUS_PASSED)
		bytes += text_bytes(walk, entry->reason);
	for (size_t i = 0; entry->test && i < entry->test->attempt_count; i++)
		bytes += text_bytes(walk, entry->test->attempts[i].reason);
	return bytes;
}

static bool next_suite(struct part_walk *walk)
{
	junit_suite_release(&walk->suite);
	walk->next = walk->number = 0;
	return junit_plan_next(&walk->plan, &walk->suite);
}

static void fill_part(struct part_walk *walk, struct junit_part *part)
{
	while (walk->next < walk->suite.count && part->count < FILE_MOST_CASES && part->bytes < FILE_MOST_BYTES) {
		const struct junit_entry *entry = &walk->suite.entries[walk->next++];

		part->count++;
		part->counts[entry->status]++;
		part->time_ms += entry->time_ms;
		part->bytes += entry_bytes(walk, entry);
	}
}

/* false: there is no further part. Release it. */
static bool next_part(struct part_walk *walk, struct junit_part *ret_part)
{
	if (walk->next >= walk->suite.count && !next_suite(walk))
		return false;
	*ret_part = (struct junit_part){.suite = &walk->suite, .first = walk->next};
	fill_part(walk, ret_part);
	ret_part->name = walk->number++ == 0 ? gr_strdup(walk->suite.name)
	                                     : gr_printf("%s - part %zu", walk->suite.name, walk->number);
	return true;
}

static void part_release(struct junit_part *part)
{
	gr_free(part->name);
}

/* ---- how parts share files ---- */

struct file_plan {
	int64_t *times_ms; /* of each file */
	size_t *parts; /* in each file */
	size_t count;
};

static void add_part(struct file_plan *files, const struct junit_part *part, size_t *cases, size_t *bytes)
{
	bool is_full =
	        files->count == 0 || *cases + part->count > FILE_MOST_CASES || *bytes + part->bytes > FILE_MOST_BYTES;

	if (is_full) {
		files->times_ms = gr_grow(files->times_ms, files->count, sizeof(*files->times_ms));
		files->parts = gr_grow(files->parts, files->count, sizeof(*files->parts));
		files->times_ms[files->count] = 0;
		files->parts[files->count++] = 0;
		*cases = *bytes = 0;
	}
	files->times_ms[files->count - 1] += part->time_ms;
	files->parts[files->count - 1]++;
	*cases += part->count;
	*bytes += part->bytes;
}

static void plan_files(struct file_plan *files, const struct results *results)
{
	struct part_walk walk;
	struct junit_part part;
	size_t cases = 0, bytes = 0;

	*files = (struct file_plan){0};
	walk_init(&walk, results, NULL);
	while (next_part(&walk, &part)) {
		add_part(files, &part, &cases, &bytes);
		part_release(&part);
	}
	walk_release(&walk);
}

/* ---- writing ---- */

static int put_bytes(void *writer, const char *data, int bytes)
{
	file_write(writer, data, (size_t)bytes); /* keeps its first error for the commit */
	return bytes;
}

static int put_end(void *writer)
{
	(void)writer;
	return 0;
}

struct target {
	const struct report_context *context;
	struct file_writer *writer;
	char *name;
};

static int begin_file(struct target *target, struct document *document, struct gr_error *err)
{
	int r = file_create(target->context->directory, target->name, 0644, &target->writer, err);
	xmlOutputBufferPtr output =
	        r < 0 ? NULL : document->library.xmlOutputBufferCreateIO(put_bytes, put_end, target->writer, NULL);

	if (r < 0)
		return r;
	document->xml = output ? document->library.xmlNewTextWriter(output) : NULL;
	document->suites = 0;
	if (!document->xml)
		return gr_fail(err, GR_INTERNAL, 0, "file '%s': libxml2 cannot write", target->name);
	if (document->library.xmlTextWriterStartDocument(document->xml, "1.0", "UTF-8", NULL) < 0)
		document->is_broken = true;
	return 0;
}

static int end_file(struct target *target, struct document *document, struct gr_error *err)
{
	if (document->library.xmlTextWriterEndDocument(document->xml) < 0)
		document->is_broken = true;
	document->library.xmlFreeTextWriter(document->xml); /* lets the rest go */
	if (document->is_broken)
		return gr_fail(err, GR_INTERNAL, 0, "file '%s': libxml2 refused to write a part of it", target->name);
	return file_commit(&target->writer, err);
}

int junit_load(struct libxml2 *ret_library, struct gr_error *err)
{
	static const char *const names[] = {
#define SYMBOL(name) #name,
#include "reporters/libxml2.def"
#undef SYMBOL
	};
	int r;

	static_assert(sizeof(*ret_library) == GR_COUNT(names) * sizeof(void *), "a pointer a symbol");
	r = library_load(GRIDLANE_LIBXML2, names, GR_COUNT(names), ret_library, err);
	if (r < 0)
		return r;
	(void)ret_library->xmlMemSetup(gr_free, gr_library_alloc, gr_library_resize, gr_strdup); /* NULL alone fails */
	return 0;
}

static int document_init(struct document *document, const struct results *results, const struct report_context *context,
        struct gr_error *err)
{
	*document = (struct document){
	        .redactor = context->redactor, .results = results, .workspace_path = context->workspace_path};
	return junit_load(&document->library, err);
}

/* "junit.xml", "junit-2.xml" */
static char *numbered(const char *name, size_t number)
{
	const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');

	if (number == 0)
		return gr_strdup(name);
	if (!dot || (slash && dot < slash))
		return gr_printf("%s-%zu", name, number + 1);
	return gr_printf("%.*s-%zu%s", (int)(dot - name), name, number + 1, dot);
}

static int write_file(struct target *target, struct document *document, struct part_walk *walk,
        const struct file_plan *files, size_t number, struct gr_error *err)
{
	struct junit_part part;
	int r = begin_file(target, document, err);

	if (r < 0)
		return r;
	junit_start_root(document, files->times_ms[number]);
	for (size_t i = 0; i < files->parts[number] && next_part(walk, &part); i++) {
		junit_write_part(document, &part);
		part_release(&part);
	}
	junit_end_root(document);
	return end_file(target, document, err);
}

/* What an earlier report of this folder had more: whoever reads `junit*.xml` would count it, too. */
static void remove_more(const struct report_context *context, const char *name, size_t number)
{
	GR_AUTO_FREE char *more = numbered(name, number);

	for (; unlinkat(context->directory, more, 0) == 0; number++) {
		gr_free(more);
		more = numbered(name, number + 1);
	}
}

int junit_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	struct document document;
	struct part_walk walk;
	struct file_plan files;
	int r = document_init(&document, results, context, err);

	if (r < 0)
		return r;
	plan_files(&files, results);
	walk_init(&walk, results, context->redactor);
	for (size_t i = 0; r == 0 && i < files.count; i++) {
		struct target file = {.context = context, .name = numbered(target, i)};

		r = write_file(&file, &document, &walk, &files, i, err);
		file_discard(&file.writer);
		gr_free(file.name);
	}
	walk_release(&walk);
	if (r == 0)
		remove_more(context, target, files.count);
	gr_free(files.times_ms);
	gr_free(files.parts);
	return r;
}

/* ---- a file a suite ---- */

static int write_strict(
        struct target *target, struct document *document, const struct junit_part *part, struct gr_error *err)
{
	int r = begin_file(target, document, err);

	if (r < 0)
		return r;
	junit_write_part(document, part);
	return end_file(target, document, err);
}

/* "001-Pixel_7.xml" */
static bool is_ours(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits >= 3 && name[digits] == '-' && text_has_suffix_nocase(name, ".xml");
}

int junit_files_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_FREE char *folder = gr_strndup(target, strlen(target) - text_has_suffix_nocase(target, "/"));
	struct document document;
	struct part_walk walk;
	struct junit_part part;
	int r = document_init(&document, results, context, err);

	if (r < 0)
		return r;
	document.is_strict = true;
	report_folder_clear(context->directory, folder, is_ours);
	walk_init(&walk, results, context->redactor);
	for (size_t number = 1; r == 0 && next_part(&walk, &part); number++) {
		struct target file = {
		        .context = context, .name = gr_printf("%s/%03zu-%.100s.xml", folder, number, walk.suite.slug)};

		r = write_strict(&file, &document, &part, err);
		file_discard(&file.writer);
		gr_free(file.name);
		part_release(&part);
	}
	walk_release(&walk);
	return r;
}

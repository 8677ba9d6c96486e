/* gridlane history: what earlier runs did, as tables and as JSON. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reporters/words.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/commands/history_quarantine.h"
#include "runner/commands/session.h"

#define ROWS_DEFAULT 50
#define ROWS_MOST 1000000
/* Failures that go away by themselves are called flaky from one in a hundred on. */
#define FLAKY_LEAST 0.01
#define CELL_BYTES 60
#define CAUSE_BYTES 400

struct column {
	const char *title, *key;
	int width;
};

static const struct column run_columns[] = {{"RUN", "run_id", 30}, {"PIPELINE", "pipeline", 20},
        {"BRANCH", "branch", 14}, {"VERDICT", "verdict", 14}, {"STARTED", "started", 24}, {"SECONDS", "seconds", 9},
        {"TESTS", "tests", 6}, {"PASSED", "passed", 6}, {"FAILED", "failed", 6}, {"QUARANTINED", "quarantined", 11},
        {NULL, NULL, 0}};
static const struct column outcome_columns[] = {{"STATUS", "status", 8}, {"QUARANTINED", "quarantined", 11},
        {"TRY", "attempt", 4}, {"SECONDS", "seconds", 9}, {"DEVICE", "device", 20}, {"CLASS", "class", 24},
        {"TEST", "test", 30}, {NULL, NULL, 0}};
static const struct column flaky_columns[] = {{"RATE", "rate", 7}, {"FROM", "low", 7}, {"TO", "high", 7},
        {"OF", "outcomes", 6}, {"FAILED", "failures", 6}, {"DEVICE", "device", 20}, {"CLASS", "class", 24},
        {"TEST", "test", 30}, {NULL, NULL, 0}};
static const struct column slow_columns[] = {{"SECONDS", "seconds", 9}, {"SLOWEST", "slowest", 9},
        {"OF", "outcomes", 6}, {"DEVICE", "device", 20}, {"CLASS", "class", 24}, {"TEST", "test", 30}, {NULL, NULL, 0}};
static const struct column change_columns[] = {{"STATUS", "status", 8}, {"DEVICE", "device", 20},
        {"CLASS", "class", 24}, {"TEST", "test", 30}, {NULL, NULL, 0}};

static char *cell_of(const json_t *value, size_t most_bytes)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	if (json_is_integer(value))
		return gr_printf("%lld", (long long)json_integer_value(value));
	if (json_is_real(value))
		return gr_printf("%.3f", json_real_value(value));
	if (json_is_true(value))
		return gr_strdup("yes");
	if (!json_is_string(value) || json_string_length(value) == 0)
		return gr_strdup("-");
	text_neutralise(&out, json_string_value(value), json_string_length(value), most_bytes);
	return buffer_take(&out);
}

static char *cell(const json_t *value)
{
	return cell_of(value, CELL_BYTES);
}

/* The last column ends with its text. */
static void print_cell(const struct column *column, const char *text)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	words_pad(&out, text, column[1].title ? (size_t)column->width : 0);
	printf("%s%s", buffer_text(&out), column[1].title ? " " : "\n");
}

static void print_table(const struct column *columns, const json_t *rows)
{
	for (const struct column *column = columns; column->title; column++)
		print_cell(column, column->title);
	for (size_t i = 0; i < json_array_size(rows); i++)
		for (const struct column *column = columns; column->title; column++) {
			GR_AUTO_FREE char *text = cell(json_object_get(json_array_get(rows, i), column->key));

			print_cell(column, text);
		}
}

static void print_run(const struct column *columns, const json_t *run)
{
	GR_AUTO_FREE char *id = cell(json_object_get(run, "run_id"));
	GR_AUTO_FREE char *verdict = cell(json_object_get(run, "verdict"));
	GR_AUTO_FREE char *cause = cell_of(json_object_get(run, "cause"), CAUSE_BYTES);

	printf("run %s: %s (%s)\n\n", id, verdict, cause);
	print_table(columns, json_object_get(run, "outcomes"));
}

static void print_comparison(const struct column *columns, const json_t *comparison)
{
	static const struct {
		const char *key, *words;
	} parts[] = {{"new_failures", "new failures"}, {"fixed", "fixed"}, {"still_failing", "still failing"},
	        {"missing", "missing or without a result"}, {"added", "added"}, {"slower", "slower"}};

	for (size_t i = 0; i < GR_COUNT(parts); i++) {
		const json_t *list = json_object_get(comparison, parts[i].key);

		printf("%s: %zu\n", parts[i].words, json_array_size(list));
		if (json_array_size(list) > 0) {
			print_table(columns, list);
			printf("\n");
		}
	}
}

/* ---- questions ---- */

static int ask_list(struct history *history, const struct history_filter *filter, const char **words, json_t **ret,
        struct gr_error *err)
{
	(void)words;
	return history_list(history, filter, ret, err);
}

static int ask_show(struct history *history, const struct history_filter *filter, const char **words, json_t **ret,
        struct gr_error *err)
{
	(void)filter;
	return history_show(history, words[1], ret, err);
}

static int ask_flaky(struct history *history, const struct history_filter *filter, const char **words, json_t **ret,
        struct gr_error *err)
{
	(void)words;
	return history_flaky(history, filter, FLAKY_LEAST, ret, err);
}

static int ask_slow(struct history *history, const struct history_filter *filter, const char **words, json_t **ret,
        struct gr_error *err)
{
	(void)words;
	return history_slow(history, filter, ret, err);
}

static int ask_compare(struct history *history, const struct history_filter *filter, const char **words, json_t **ret,
        struct gr_error *err)
{
	(void)filter;
	return history_compare(history, words[1], words[2], ret, err);
}

static const struct question {
	const char *word;
	size_t arguments;
	int (*ask)(struct history *history, const struct history_filter *filter, const char **words, json_t **ret,
	        struct gr_error *err);
	void (*print)(const struct column *columns, const json_t *answer);
	const struct column *columns;
} questions[] = {
        {"list", 1, ask_list, print_table, run_columns},
        {"show", 2, ask_show, print_run, outcome_columns},
        {"flaky", 1, ask_flaky, print_table, flaky_columns},
        {"slow", 1, ask_slow, print_table, slow_columns},
        {"compare", 3, ask_compare, print_comparison, change_columns},
};

static const struct question *find_question(const struct arguments *arguments, struct gr_error *err)
{
	for (size_t i = 0; i < GR_COUNT(questions); i++) {
		if (strcmp(questions[i].word, arguments->words[0]) != 0)
			continue;
		if (questions[i].arguments == arguments->word_count)
			return &questions[i];
		(void)gr_fail(err, GR_USAGE, 0, "history %s takes %zu run%s", questions[i].word,
		        questions[i].arguments - 1, questions[i].arguments == 2 ? "" : "s");
		return NULL;
	}
	(void)gr_fail(
	        err, GR_USAGE, 0, "history '%s' is none of list, show, flaky, slow, compare", arguments->words[0]);
	return NULL;
}

/* A run that is named is one run: nothing is left to be chosen or cut. */
static int check_filter(const struct question *question, const struct arguments *arguments, struct gr_error *err)
{
	bool has_filter = argument_is_given(arguments, OPT_PIPELINE) || argument_is_given(arguments, OPT_BRANCH) ||
	                  argument_is_given(arguments, OPT_LIMIT);

	if (question->arguments > 1 && has_filter)
		return gr_fail(err, GR_USAGE, 0, "--pipeline, --branch and --limit belong to list, flaky and slow");
	return 0;
}

static int check_quarantine(const struct arguments *arguments, struct gr_error *err)
{
	bool is_wanted = argument_is_given(arguments, OPT_QUARANTINE);

	if (is_wanted && (!text_equal(arguments->words[0], "flaky") || argument_is_given(arguments, OPT_JSON)))
		return gr_fail(err, GR_USAGE, 0, "--quarantine belongs to `history flaky`, and is YAML");
	if (!is_wanted && argument_is_given(arguments, OPT_OWNER))
		return gr_fail(err, GR_USAGE, 0, "--owner belongs to --quarantine");
	return 0;
}

static int read_filter(const struct arguments *arguments, struct history_filter *filter, struct gr_error *err)
{
	const char *limit = argument_value(arguments, OPT_LIMIT);

	*filter = (struct history_filter){.pipeline = argument_value(arguments, OPT_PIPELINE),
	        .branch = argument_value(arguments, OPT_BRANCH),
	        .most = ROWS_DEFAULT};
	if (limit && (!number_parse_int(limit, &filter->most) || filter->most < 1 || filter->most > ROWS_MOST))
		return gr_fail(err, GR_USAGE, 0, "--limit: '%s' is not a whole number from 1 to %d", limit, ROWS_MOST);
	return 0;
}

/* The place, which must be there: a question makes no history. The caller's. */
static char *existing_place(const struct arguments *arguments, struct gr_error *err)
{
	char *place = history_place(arguments, false, err);

	if (place && (history_is_server(place) || access(place, F_OK) == 0))
		return place;
	err->failure = GR_USAGE; /* a run without a history is none the worse; a question has no answer */
	if (place) {
		GR_AUTO_FREE char *shown = history_shown(place);

		(void)gr_fail(err, GR_USAGE, 0, "there is no history at '%s' yet; --history FILE names another", shown);
	}
	gr_free(place);
	return NULL;
}

static int answer(const struct arguments *arguments, struct redactor *redactor, struct gr_error *err)
{
	const struct question *question = find_question(arguments, err);
	GR_AUTO_FREE char *place = question ? existing_place(arguments, err) : NULL;
	GR_AUTO_JSON json_t *reply = NULL;
	struct history *history = NULL;
	struct history_filter filter;
	int r;

	if (!place)
		return -(int)err->failure;
	history_learn_secrets(place, redactor);
	r = read_filter(arguments, &filter, err);
	if (r == 0)
		r = check_filter(question, arguments, err);
	if (r == 0)
		r = check_quarantine(arguments, err);
	if (r == 0)
		r = history_open(place, &history, err);
	if (r == 0)
		r = question->ask(history, &filter, arguments->words, &reply, err);
	history_close(history);
	if (r < 0)
		return r;
	if (argument_is_given(arguments, OPT_QUARANTINE))
		quarantine_print(reply, argument_value(arguments, OPT_OWNER));
	else if (!argument_is_given(arguments, OPT_JSON))
		question->print(question->columns, reply);
	else if (json_dumpf(reply, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0)
		printf("\n");
	return 0;
}

int command_history(const struct arguments *arguments)
{
	struct redactor *redactor = redactor_new();
	struct gr_error err = {0};
	int r = answer(arguments, redactor, &err);
	GR_AUTO_FREE char *clean = redactor_text(redactor, err.text);

	redactor_free(redactor);
	if (r == 0)
		return 0;
	(void)gr_fail(&err, err.failure, 0, "%s", clean);
	return complain(&err);
}

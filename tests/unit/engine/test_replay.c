/* What is made of each record of a journal, as somebody else may have written it. Records are written here with ' for
 * ".
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/engine/crc.h"
#include "runner/engine/journal.h"

struct world {
	char path[64];
	int directory, sequence, generation;
	struct buffer text;
};

static void add(struct world *world, const char *members)
{
	GR_AUTO_FREE char *json = gr_printf("{'v':1,'seq':%d,'gen':%d,'mono':10,'wall':20,'boot':'b',%s}",
	        ++world->sequence, world->generation, members);

	for (char *at = json; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	buffer_printf(&world->text, "%08x %s\n", crc32c(json, strlen(json)), json);
}

static void open_world(struct world *world)
{
	*world = (struct world){.path = "/tmp/gridlane-replay-XXXXXX", .generation = 1};
	assert_non_null(mkdtemp(world->path));
	world->directory = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->directory >= 0);
	assert_int_equal(mkdirat(world->directory, "state", 0700), 0);
	add(world, "'type':'head','t':'now','detail':{'run_id':'r1'}");
}

static void close_world(struct world *world)
{
	GR_AUTO_FREE char *command = gr_printf("rm -rf '%s'", world->path);

	assert_int_equal(system(command), 0);
	(void)close(world->directory);
	buffer_release(&world->text);
}

static void put(const struct world *world, const char *name, const char *text, size_t bytes)
{
	int fd = openat(world->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(file_write_all(fd, text, bytes), 0);
	assert_int_equal(close(fd), 0);
}

static int try_read(const struct world *world, struct replay **ret_replay, struct gr_error *err)
{
	*err = (struct gr_error){0};
	*ret_replay = NULL;
	put(world, JOURNAL_NAME, buffer_text(&world->text), world->text.bytes);
	return replay_read(world->directory, ret_replay, err);
}

static struct replay *read_back(const struct world *world)
{
	struct replay *replay;
	struct gr_error err;

	if (try_read(world, &replay, &err) != 0)
		fail_msg("%s", err.text);
	return replay;
}

static void expect_refused(const struct world *world, const char *words)
{
	struct replay *replay;
	struct gr_error err;

	assert_int_equal(try_read(world, &replay, &err), -GR_DISK);
	assert_null(replay);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in: %s", words, err.text);
}

/* A journal that holds one more record than a head, and is refused. */
static void check_refused(const char *members, const char *words)
{
	struct world world;

	open_world(&world);
	add(&world, members);
	expect_refused(&world, words);
	close_world(&world);
}

#define OF_STEP "'lane':'main','step':'s',"
#define RESULT                                                                                                         \
	"{'device':{'device_id':'27'},'build_number':'7','complete':%s,'cases':[{'name':'Pays','status':'passed'}]}"

static void a_record_that_is_not_known_is_refused(void **state)
{
	(void)state;
	check_refused("'type':'step_dreamt'", "unknown record 'step_dreamt'");
	check_refused("'type':7", "another version");
	check_refused("'text':'no type'", "another version");
	check_refused("'type':'device_result'," OF_STEP "'outcome':'passed'", "a result without its file");
	check_refused("'type':'device_result'," OF_STEP "'file':'state/r.json'", "a result without its file");
	check_refused("'type':'device_result'," OF_STEP "'file':'state/r.json','sha256':'00'", "state/r.json");
	check_refused("'type':'device_result'," OF_STEP "'result':[]", "journal: record 2 cannot be taken: ");
}

static void a_line_that_is_too_short_for_a_checksum_is_damage(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	buffer_add_text(&world.text, "0123\n");
	add(&world, "'type':'run_cancelled'");
	expect_refused(&world, "damaged at byte");
	close_world(&world);
}

static void a_journal_without_a_head_is_empty(void **state)
{
	struct world world;
	struct replay *replay;
	struct gr_error err;

	(void)state;
	open_world(&world);
	buffer_clear(&world.text);
	assert_int_equal(try_read(&world, &replay, &err), -GR_CONFIG);
	assert_non_null(strstr(err.text, "empty"));
	assert_int_equal(unlinkat(world.directory, JOURNAL_NAME, 0), 0);
	assert_int_equal(replay_read(world.directory, &replay, &err), -GR_CONFIG);
	close_world(&world);
}

/* Each kind with each member of another type than it should have: refused with words, or taken without it. */
static void no_type_of_a_member_is_trusted(void **state)
{
	static const char *const values[] = {"null", "7", "-1e300", "[]", "{}", "true", "''", "['x']", "{'key':{}}",
	        "{'key':'k','bytes':'x','path':7,'environment':[],'rerun':[],'start_wall_ms':{},'status':[]}"};

	(void)state;
	for (int kind = RUN_STARTED; kind <= RUN_JUDGED; kind++)
		for (size_t i = 0; i < GR_COUNT(values); i++) {
			const char *v = values[i];
			GR_AUTO_FREE char *members =
			        gr_printf("'type':'%s','lane':%s,'step':%s,'text':%s,'outcome':%s,"
			                  "'done':%s,'total':%s,'detail':%s,'failure':%s,'result':%s",
			                run_event_name((enum run_event_kind)kind), v, v, v, v, v, v, v, v, v);
			GR_AUTO_FREE char *named = gr_printf("'type':'%s'," OF_STEP "'text':%s,'detail':%s,'file':%s",
			        run_event_name((enum run_event_kind)kind), v, v, v);
			struct replay *replay;
			struct gr_error err;
			struct world world;

			open_world(&world);
			add(&world, i % 2 ? named : members);
			add(&world, i % 2 ? members : named);
			if (try_read(&world, &replay, &err) == 0) {
				assert_false(replay->is_done && replay->exit_status != 0);
				replay_conclude(replay);
			} else {
				assert_true(err.text[0] != '\0' && err.failure != GR_NONE);
			}
			replay_free(replay);
			close_world(&world);
		}
}

static void an_outcome_that_is_not_known_is_an_error(void **state)
{
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'step_ended'," OF_STEP "'outcome':'splendid','detail':{'n':1}");
	replay = read_back(&world);
	assert_int_equal(replay_find(replay, "main", "s")->outcome, OUTCOME_ERROR);
	assert_false(replay_is_settled(replay_find(replay, "main", "s")));
	assert_null(replay_find(replay, "main", "other"));
	assert_null(replay_find(NULL, "main", "s"));
	replay_free(replay);
	close_world(&world);
}

/* A long result is a file beside the journal; its record names it with its hash. */
static void a_result_file_is_taken_as_it_was_written_or_not_at_all(void **state)
{
	static const char json[] = "{\"device\":{\"device_id\":\"27\"},\"build_number\":\"7\",\"complete\":true,"
	                           "\"cases\":[{\"name\":\"Pays\",\"status\":\"passed\"}]}";
	struct world world;
	struct replay *replay;
	char sha256[65];

	(void)state;
	open_world(&world);
	file_sha256_memory(json, strlen(json), sha256);
	put(&world, "state/r.json", json, strlen(json));
	{
		GR_AUTO_FREE char *members =
		        gr_printf("'type':'device_result'," OF_STEP "'file':'state/r.json','sha256':'%s'", sha256);

		add(&world, members);
	}
	replay = read_back(&world);
	assert_int_equal(replay->results.run_count, 1);
	assert_string_equal(replay->results.runs[0].build_number, "7");
	assert_int_equal(replay->results.runs[0].case_count, 1);
	replay_free(replay);
	put(&world, "state/r.json", json, strlen(json) - 3); /* cut */
	expect_refused(&world, "'state/r.json' is not what the journal says it is");
	assert_int_equal(unlinkat(world.directory, "state/r.json", 0), 0);
	expect_refused(&world, "state/r.json");
	close_world(&world);
}

static void a_result_file_that_is_no_json_is_refused(void **state)
{
	struct world world;
	char sha256[65];

	(void)state;
	open_world(&world);
	file_sha256_memory("{", 1, sha256);
	put(&world, "state/r.json", "{", 1);
	{
		GR_AUTO_FREE char *members =
		        gr_printf("'type':'device_result'," OF_STEP "'file':'state/r.json','sha256':'%s'", sha256);

		add(&world, members);
	}
	expect_refused(&world, "'state/r.json'");
	close_world(&world);
}

static void what_was_given_back_for_certain_is_not_held(void **state)
{
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'resource_held','text':'Galaxy','detail':{'key':'device/1','operation':'release_device'}");
	add(&world, "'type':'resource_held','detail':{'key':'device/2'}");
	add(&world, "'type':'resource_released','outcome':'error','detail':{'key':'device/1','message':'no answer'}");
	add(&world, "'type':'resource_released','outcome':'passed','detail':{'key':'device/2'}");
	replay = read_back(&world);
	assert_int_equal(json_array_size(replay->held), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(replay->held, 0), "key")), "device/1");
	replay_free(replay);
	add(&world, "'type':'resource_held','text':'nobody knows what'");
	expect_refused(&world, "has no key");
	close_world(&world);
}

/* Which ends of a process settle the run for all that come after it. */
static void a_verdict_is_final_unless_more_can_be_found_out(void **state)
{
	static const struct {
		int generation, exit_status;
		bool is_done;
	} rows[] = {
	        {1, 0, true}, {1, 1, true}, {1, 2, true}, {2, 2, false}, {1, 3, false}, {1, 4, false}, {1, 143, false}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		GR_AUTO_FREE char *members = gr_printf("'type':'run_judged','done':%d", rows[i].exit_status);
		struct world world;
		struct replay *replay;

		open_world(&world);
		world.generation = rows[i].generation;
		add(&world, members);
		replay = read_back(&world);
		assert_true(replay->has_verdict && !replay->is_behind);
		assert_int_equal(replay->exit_status, rows[i].exit_status);
		assert_int_equal(replay->is_done, rows[i].is_done);
		replay_free(replay);
		add(&world, "'type':'head','detail':{'run_id':'r1'}"); /* another process goes on with it */
		replay = read_back(&world);
		assert_false(replay->is_done || replay->has_verdict);
		replay_free(replay);
		close_world(&world);
	}
}

/* A process whose journal broke leaves its verdict in a file; half a file is none. */
static void a_verdict_beside_a_broken_journal_counts_when_it_is_whole(void **state)
{
	static const struct {
		const char *text;
		bool is_there, is_done;
	} rows[] = {{"1\n", true, true}, {"0\n", true, true}, {"3\n", true, false}, {"1", false, false},
	        {"", false, false}, {"one\n", false, false}, {"1 or 0\n", false, false}};
	struct world world;

	(void)state;
	open_world(&world);
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		struct replay *replay;

		put(&world, "state/verdict-1", rows[i].text, strlen(rows[i].text));
		replay = read_back(&world);
		assert_int_equal(replay->has_verdict, rows[i].is_there);
		assert_int_equal(replay->is_behind, rows[i].is_there);
		assert_int_equal(replay->is_done, rows[i].is_done);
		assert_int_equal(replay->exit_status, rows[i].is_there ? rows[i].text[0] - '0' : -1);
		replay_free(replay);
	}
	close_world(&world);
}

static void a_further_start_forgets_what_was_learned_and_keeps_the_result(void **state)
{
	GR_AUTO_FREE char *result = gr_printf("'type':'device_result'," OF_STEP "'result':" RESULT, "true");
	const struct replay_step *step;
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'step_started'," OF_STEP "'text':'app_build_run'");
	add(&world, "'type':'step_intent'," OF_STEP "'text':'app_build_run'");
	add(&world, "'type':'step_learned'," OF_STEP "'detail':{'number':'7','start_wall_ms':5}");
	add(&world, result);
	for (int round = 1; round <= 2; round++)
		add(&world, "'type':'step_learned'," OF_STEP "'detail':{'rerun':{'round':1}}");
	replay = read_back(&world);
	step = replay_find(replay, "main", "s");
	assert_null(json_object_get(step->memory, "number"));
	assert_true(step->has_known && step->known.is_complete);
	assert_null(step->open_operation);
	assert_int_equal(step->start_ms, 10);
	assert_int_equal(step->start_wall_ms, 20);
	assert_string_equal(step->start_boot, "b");
	assert_string_equal(replay_kind_of(replay, step), "app_build_run");
	assert_true(replay_has_result(replay, step));
	replay_free(replay);
	close_world(&world);
}

static void the_first_token_of_a_run_is_the_one_it_was_made_with(void **state)
{
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'run_started','text':'p','detail':{'run_id':'r1','token_print':'salt:one'}");
	add(&world, "'type':'step_answer'," OF_STEP "'detail':{'status':0}");
	replay = read_back(&world);
	assert_false(replay->has_answered);
	replay_free(replay);
	add(&world, "'type':'run_started','text':'p','detail':{'run_id':'r1','token_print':'salt:two'}");
	add(&world, "'type':'step_answer'," OF_STEP "'detail':{'status':200}");
	replay = read_back(&world);
	assert_string_equal(replay->token_print, "salt:one");
	assert_true(replay->has_answered);
	replay_free(replay);
	close_world(&world);
}

static void files_are_known_by_their_paths(void **state)
{
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'artifact','detail':{'path':'a.log','sha256':'00','bytes':3,'lane':'main','rerun':1}");
	add(&world, "'type':'artifact','detail':{'path':'a.log','bytes':4,'origin':'server'}");
	add(&world, "'type':'artifact','detail':{'missing':'no space','device':'27'}");
	replay = read_back(&world);
	assert_int_equal(replay->results.artifact_count, 2);
	assert_int_equal(replay->results.artifacts[0].bytes, 4);
	assert_string_equal(replay->results.artifacts[1].missing, "no space");
	replay_free(replay);
	close_world(&world);
}

static const struct problem *problem_of(const struct replay *replay, const char *step)
{
	for (size_t i = 0; i < replay->results.problem_count; i++)
		if (replay->results.problems[i].step && strcmp(replay->results.problems[i].step, step) == 0)
			return &replay->results.problems[i];
	return NULL;
}

static void steps_that_were_under_way_are_problems_of_the_report(void **state)
{
	GR_AUTO_FREE char *half =
	        gr_printf("'type':'device_result','lane':'main','step':'half','result':" RESULT, "false");
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'step_started','lane':'main','step':'done','text':'run'");
	add(&world, "'type':'step_ended','lane':'main','step':'done','outcome':'passed'");
	add(&world, "'type':'step_started','lane':'main','step':'killed','text':'run'");
	replay = read_back(&world);
	assert_false(replay_leaves_open(replay));
	replay_conclude(replay);
	assert_null(problem_of(replay, "done"));
	assert_int_equal(problem_of(replay, "killed")->failure, GR_CANCELLED);
	assert_non_null(strstr(problem_of(replay, "killed")->message, "gridlane resume"));
	assert_int_not_equal(replay->results.exit_status, 0);
	replay_free(replay);
	add(&world, half);
	replay = read_back(&world);
	assert_true(replay_leaves_open(replay));
	assert_false(replay_has_result(replay, replay_find(replay, "main", "half")));
	replay_free(replay);
	close_world(&world);
}

/* The gate is not in the journal: what was not judged, or not judged to be green, is not green for it. */
static void no_green_without_a_green_verdict(void **state)
{
	static const char *const judged[] = {NULL, "'type':'run_judged','done':0", "'type':'run_judged','done':1"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(judged); i++) {
		struct world world;
		struct replay *replay;

		open_world(&world);
		add(&world, "'type':'step_ended','lane':'main','step':'done','outcome':'passed'");
		add(&world, "'type':'lane_ended','lane':'main','outcome':'passed'");
		if (judged[i])
			add(&world, judged[i]);
		replay = read_back(&world);
		replay_conclude(replay);
		assert_int_equal(replay->results.exit_status, i == 1 ? 0 : 3);
		replay_free(replay);
		close_world(&world);
	}
}

/* Polls had shown one test of a run when the process was killed: it is in the results. */
static void what_polls_had_shown_of_a_killed_run_is_in_the_results(void **state)
{
	struct world world;
	struct replay *replay;

	(void)state;
	open_world(&world);
	add(&world, "'type':'step_started'," OF_STEP "'text':'app_build_run','detail':{'runs_tests':true}");
	add(&world, "'type':'step_learned'," OF_STEP "'detail':{'intent':true,'number':'7','device':{'device_id':'27',"
	            "'name':'Galaxy S23','platform':'android'},'case/7/0':['Pays',null,null,'3',null,0,3,false,1000]}");
	replay = read_back(&world);
	assert_int_equal(replay->results.run_count, 0);
	replay_conclude(replay);
	assert_int_equal(replay->results.run_count, 1);
	assert_int_equal(replay->results.runs[0].case_count, 1);
	assert_string_equal(replay->results.runs[0].build_number, "7");
	assert_false(replay->results.runs[0].is_complete);
	assert_true(replay_leaves_open(replay));
	assert_null(problem_of(replay, "s"));
	replay_free(replay);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_record_that_is_not_known_is_refused),
	        cmocka_unit_test(a_line_that_is_too_short_for_a_checksum_is_damage),
	        cmocka_unit_test(a_journal_without_a_head_is_empty),
	        cmocka_unit_test(no_type_of_a_member_is_trusted),
	        cmocka_unit_test(an_outcome_that_is_not_known_is_an_error),
	        cmocka_unit_test(a_result_file_is_taken_as_it_was_written_or_not_at_all),
	        cmocka_unit_test(a_result_file_that_is_no_json_is_refused),
	        cmocka_unit_test(what_was_given_back_for_certain_is_not_held),
	        cmocka_unit_test(a_verdict_is_final_unless_more_can_be_found_out),
	        cmocka_unit_test(a_verdict_beside_a_broken_journal_counts_when_it_is_whole),
	        cmocka_unit_test(a_further_start_forgets_what_was_learned_and_keeps_the_result),
	        cmocka_unit_test(the_first_token_of_a_run_is_the_one_it_was_made_with),
	        cmocka_unit_test(files_are_known_by_their_paths),
	        cmocka_unit_test(steps_that_were_under_way_are_problems_of_the_report),
	        cmocka_unit_test(no_green_without_a_green_verdict),
	        cmocka_unit_test(what_polls_had_shown_of_a_killed_run_is_in_the_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

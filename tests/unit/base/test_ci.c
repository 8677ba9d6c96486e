/* One row a provider: what its environment says, and what must be found in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/ci.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

struct row {
	const char *provider;
	const char *environment; /* NAME=VALUE, blank-separated */
	const char *build_url, *branch, *commit, *pull_request, *job;
	const char *other_job; /* one more variable, or another value, that must give another key */
};

static const struct row rows[] = {
        {"GitHub Actions",
                "GITHUB_ACTIONS=true GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=o/r GITHUB_RUN_ID=5 "
                "GITHUB_SHA=abc "
                "GITHUB_REF=refs/pull/12/merge GITHUB_HEAD_REF=topic GITHUB_REF_NAME=12/merge GITHUB_JOB=devices",
                "https://github.com/o/r/actions/runs/5", "topic", "abc", "12", "devices", "GITHUB_JOB=other"},
        {"GitHub Actions", "GITHUB_ACTIONS=true GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main GITHUB_JOB=devices",
                NULL, "main", NULL, NULL, "devices", "GITHUB_RUN_ID=6"},
        {"Gitea Actions",
                "GITHUB_ACTIONS=true GITEA_ACTIONS=true GITHUB_SERVER_URL=https://git.example GITHUB_REPOSITORY=o/r "
                "GITHUB_RUN_NUMBER=9",
                "https://git.example/o/r/actions/runs/9", NULL, NULL, NULL, NULL, "GITHUB_JOB=x"},
        {"GitLab CI",
                "GITLAB_CI=true CI=true CI_JOB_URL=https://gitlab.example/j/7 CI_COMMIT_REF_NAME=main "
                "CI_COMMIT_SHA=abc "
                "CI_MERGE_REQUEST_IID=3 CI_JOB_NAME=devices CI_PIPELINE_ID=1",
                "https://gitlab.example/j/7", "main", "abc", "3", "devices", "CI_NODE_INDEX=2"},
        {"Azure Pipelines",
                "TF_BUILD=True SYSTEM_COLLECTIONURI=https://dev.azure.com/o/ SYSTEM_TEAMPROJECT=p BUILD_BUILDID=44 "
                "BUILD_SOURCEBRANCH=refs/heads/release/1 BUILD_SOURCEVERSION=abc SYSTEM_PULLREQUEST_PULLREQUESTID=8 "
                "AGENT_JOBNAME=devices",
                "https://dev.azure.com/o/p/_build/results?buildId=44", "release/1", "abc", "8", "devices",
                "BUILD_BUILDID=45"},
        {"CircleCI",
                "CIRCLECI=true CIRCLE_BUILD_URL=https://circleci.example/1 CIRCLE_BRANCH=main CIRCLE_SHA1=abc "
                "CIRCLE_PULL_REQUEST=https://github.com/o/r/pull/15 CIRCLE_JOB=devices CIRCLE_WORKFLOW_ID=w",
                "https://circleci.example/1", "main", "abc", "15", "devices", "CIRCLE_NODE_INDEX=1"},
        {"Buildkite",
                "BUILDKITE=true BUILDKITE_BUILD_URL=https://bk.example/1 BUILDKITE_BRANCH=main BUILDKITE_COMMIT=abc "
                "BUILDKITE_PULL_REQUEST=false BUILDKITE_STEP_KEY=devices BUILDKITE_BUILD_ID=1",
                "https://bk.example/1", "main", "abc", NULL, "devices", "BUILDKITE_PARALLEL_JOB=1"},
        {"Bitrise",
                "BITRISE_IO=true BITRISE_BUILD_URL=https://app.bitrise.example/1 BITRISE_GIT_BRANCH=main "
                "BITRISE_GIT_COMMIT=abc "
                "BITRISE_PULL_REQUEST=5 BITRISE_TRIGGERED_WORKFLOW_ID=devices",
                "https://app.bitrise.example/1", "main", "abc", "5", "devices", "BITRISE_BUILD_SLUG=s"},
        {"TeamCity",
                "TEAMCITY_VERSION=2024 BUILD_URL=https://tc.example/1 BUILD_VCS_NUMBER=abc "
                "TEAMCITY_BUILDCONF_NAME=devices",
                "https://tc.example/1", NULL, "abc", NULL, "devices", "BUILD_NUMBER=2"},
        {"Jenkins",
                "JENKINS_URL=https://ci.example/ BUILD_URL=https://ci.example/job/x/1/ BRANCH_NAME=PR-4 "
                "CHANGE_BRANCH=topic "
                "GIT_COMMIT=abc CHANGE_ID=4 JOB_NAME=x",
                "https://ci.example/job/x/1/", "topic", "abc", "4", "x", "BUILD_NUMBER=2"},
        {"Bitbucket Pipelines",
                "BITBUCKET_BUILD_NUMBER=6 BITBUCKET_REPO_FULL_NAME=o/r BITBUCKET_BRANCH=main BITBUCKET_COMMIT=abc "
                "BITBUCKET_PR_ID=2",
                "https://bitbucket.org/o/r/pipelines/results/6", "main", "abc", "2", NULL, "BITBUCKET_PARALLEL_STEP=1"},
        {"Travis CI",
                "TRAVIS=true TRAVIS_JOB_WEB_URL=https://travis.example/1 TRAVIS_BRANCH=main TRAVIS_COMMIT=abc "
                "TRAVIS_PULL_REQUEST=false "
                "TRAVIS_JOB_NUMBER=4.1",
                "https://travis.example/1", "main", "abc", NULL, "4.1", "TRAVIS_JOB_NUMBER=4.2"},
        {"AppVeyor",
                "APPVEYOR=True APPVEYOR_URL=https://ci.appveyor.com APPVEYOR_ACCOUNT_NAME=a APPVEYOR_PROJECT_SLUG=p "
                "APPVEYOR_BUILD_ID=3 "
                "APPVEYOR_REPO_BRANCH=main APPVEYOR_REPO_COMMIT=abc APPVEYOR_PULL_REQUEST_NUMBER=9 "
                "APPVEYOR_JOB_NAME=devices",
                "https://ci.appveyor.com/project/a/p/builds/3", "main", "abc", "9", "devices", "APPVEYOR_JOB_NUMBER=2"},
        {"AWS CodeBuild",
                "CODEBUILD_BUILD_ID=p:1 CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/main "
                "CODEBUILD_RESOLVED_SOURCE_VERSION=abc "
                "CODEBUILD_WEBHOOK_TRIGGER=pr/11",
                NULL, "main", "abc", "11", NULL, "CODEBUILD_BUILD_ID=p:2"},
        {"Harness CI",
                "HARNESS_BUILD_ID=3 DRONE=true DRONE_BUILD_LINK=https://h.example/3 DRONE_BRANCH=main "
                "DRONE_COMMIT_SHA=abc",
                "https://h.example/3", "main", "abc", NULL, NULL, "HARNESS_STAGE_ID=b"},
        {"Drone",
                "DRONE=true DRONE_BUILD_LINK=https://drone.example/3 DRONE_SOURCE_BRANCH=topic DRONE_BRANCH=main "
                "DRONE_COMMIT_SHA=abc "
                "DRONE_PULL_REQUEST=14 DRONE_STEP_NAME=devices",
                "https://drone.example/3", "topic", "abc", "14", "devices", "DRONE_BUILD_NUMBER=4"},
        {"Woodpecker",
                "CI=woodpecker CI_PIPELINE_URL=https://wp.example/3 CI_COMMIT_BRANCH=main CI_COMMIT_SHA=abc "
                "CI_COMMIT_PULL_REQUEST=1 "
                "CI_WORKFLOW_NAME=devices",
                "https://wp.example/3", "main", "abc", "1", "devices", "CI_PIPELINE_NUMBER=4"},
        {"Semaphore",
                "SEMAPHORE=true SEMAPHORE_ORGANIZATION_URL=https://o.semaphoreci.com SEMAPHORE_WORKFLOW_ID=w "
                "SEMAPHORE_GIT_BRANCH=main "
                "SEMAPHORE_GIT_SHA=abc SEMAPHORE_GIT_PR_NUMBER=6 SEMAPHORE_JOB_NAME=devices",
                "https://o.semaphoreci.com/workflows/w", "main", "abc", "6", "devices", "SEMAPHORE_JOB_INDEX=2"},
        {"Codemagic", "CM_BUILD_ID=b CM_PROJECT_ID=p CM_BRANCH=main CM_COMMIT=abc CM_PULL_REQUEST_NUMBER=2",
                "https://codemagic.io/app/p/build/b", "main", "abc", "2", NULL, "CM_BUILD_ID=c"},
        {"Bamboo",
                "bamboo_buildKey=K bamboo_buildResultsUrl=https://bamboo.example/1 bamboo_planRepository_branch=main "
                "bamboo_planRepository_revision=abc bamboo_repository_pr_key=7 bamboo_shortJobName=devices",
                "https://bamboo.example/1", "main", "abc", "7", "devices", "bamboo_buildResultKey=K-2"},
        {"GoCD", "GO_PIPELINE_NAME=p GO_REVISION=abc GO_JOB_NAME=devices", NULL, NULL, "abc", NULL, "devices",
                "GO_PIPELINE_COUNTER=3"},
        {"Cirrus CI",
                "CIRRUS_CI=true CIRRUS_TASK_ID=t CIRRUS_BRANCH=main CIRRUS_CHANGE_IN_REPO=abc CIRRUS_PR=21 "
                "CIRRUS_TASK_NAME=devices",
                "https://cirrus-ci.com/task/t", "main", "abc", "21", "devices", "CIRRUS_BUILD_ID=4"},
        {"Codefresh",
                "CF_BUILD_ID=b CF_BUILD_URL=https://cf.example/b CF_BRANCH=main CF_REVISION=abc "
                "CF_PULL_REQUEST_NUMBER=2 "
                "CF_STEP_NAME=devices",
                "https://cf.example/b", "main", "abc", "2", "devices", "CF_BUILD_ID=c"},
        {"Argo Workflows", "ARGO_NODE_ID=fleet-1", NULL, NULL, NULL, NULL, NULL, "ARGO_NODE_ID=fleet-2"},
};

struct environment {
	const char *entries, *more; /* more wins */
	char value[256];
};

static const char *find(struct environment *environment, const char *entries, const char *name)
{
	size_t bytes = strlen(name);

	while (entries != NULL && *entries != '\0') {
		size_t length = strcspn(entries, " ");

		if (length > bytes && strncmp(entries, name, bytes) == 0 && entries[bytes] == '=') {
			assert_true(length - bytes - 1 < sizeof(environment->value));
			memcpy(environment->value, entries + bytes + 1, length - bytes - 1);
			environment->value[length - bytes - 1] = '\0';
			return environment->value;
		}
		entries += length + (entries[length] == ' ');
	}
	return NULL;
}

static const char *look_up(void *user, const char *name)
{
	struct environment *environment = user;
	const char *value = find(environment, environment->more, name);

	return value != NULL ? value : find(environment, environment->entries, name);
}

static void assert_text(const struct row *row, const char *what, const char *found, const char *expected)
{
	if (!text_equal(found, expected))
		fail_msg("%s: %s is '%s', expected '%s'", row->provider, what, found ? found : "(none)",
		        expected ? expected : "(none)");
}

static void every_provider_is_told_by_its_variables(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		struct environment environment = {.entries = rows[i].environment};
		struct ci ci;

		ci_detect(look_up, &environment, &ci);
		assert_text(&rows[i], "provider", ci.provider, rows[i].provider);
		assert_text(&rows[i], "build URL", ci.build_url, rows[i].build_url);
		assert_text(&rows[i], "branch", ci.branch, rows[i].branch);
		assert_text(&rows[i], "commit", ci.commit, rows[i].commit);
		assert_text(&rows[i], "pull request", ci.pull_request, rows[i].pull_request);
		assert_text(&rows[i], "job", ci.job, rows[i].job);
		ci_release(&ci);
	}
}

static void a_repeated_job_has_the_same_key_and_another_job_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		struct environment environment = {.entries = rows[i].environment};
		struct ci first, again, other;

		ci_detect(look_up, &environment, &first);
		ci_detect(look_up, &environment, &again);
		environment.more = rows[i].other_job;
		ci_detect(look_up, &environment, &other);
		assert_string_equal(first.key, again.key);
		assert_string_not_equal(first.key, other.key);
		ci_release(&first);
		ci_release(&again);
		ci_release(&other);
	}
}

static void every_row_of_the_table_is_tried_here(void **state)
{
	const char *name, *sign;
	size_t count = 0;

	(void)state;
	for (; ci_provider(count, &name, &sign); count++) {
		bool is_here = false;

		for (size_t i = 0; i < GR_COUNT(rows); i++)
			is_here = is_here || strcmp(rows[i].provider, name) == 0;
		if (!is_here)
			fail_msg("no environment of %s is tried", name);
	}
	assert_true(count >= 15);
}

static void nothing_is_found_where_no_ci_is(void **state)
{
	struct environment environment = {.entries = "HOME=/root CI=true BUILD_URL=x GITHUB_ACTIONS=false"};
	struct ci ci;

	(void)state;
	ci_detect(look_up, &environment, &ci);
	assert_null(ci.provider);
	assert_null(ci.build_url);
	assert_string_equal(ci.key, "");
	assert_null(ci_to_json(&ci));
	ci_release(&ci);
	environment.more = "GRIDLANE_JOB=lane-3";
	ci_detect(look_up, &environment, &ci);
	assert_string_equal(ci.key, "GRIDLANE_JOB=lane-3\n");
	ci_release(&ci);
}

static void only_what_is_known_is_in_the_json(void **state)
{
	struct environment environment = {.entries = "GITLAB_CI=true CI_COMMIT_REF_NAME=main CI_JOB_NAME="};
	struct ci ci;
	json_t *json;

	(void)state;
	ci_detect(look_up, &environment, &ci);
	json = ci_to_json(&ci);
	assert_int_equal(json_object_size(json), 2);
	assert_string_equal(json_string_value(json_object_get(json, "provider")), "GitLab CI");
	assert_string_equal(json_string_value(json_object_get(json, "branch")), "main");
	json_decref(json);
	ci_release(&ci);
}

static void values_are_harmless_lines(void **state)
{
	struct environment environment = {.entries = "GITLAB_CI=true CI_COMMIT_REF_NAME=a\nb\x1b[31mc"};
	struct ci ci;

	(void)state;
	ci_detect(look_up, &environment, &ci);
	assert_null(strchr(ci.branch, '\n'));
	assert_null(strchr(ci.branch, '\x1b'));
	ci_release(&ci);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_provider_is_told_by_its_variables),
	        cmocka_unit_test(a_repeated_job_has_the_same_key_and_another_job_another),
	        cmocka_unit_test(every_row_of_the_table_is_tried_here),
	        cmocka_unit_test(nothing_is_found_where_no_ci_is),
	        cmocka_unit_test(only_what_is_known_is_in_the_json),
	        cmocka_unit_test(values_are_harmless_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

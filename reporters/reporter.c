#include "reporters/reporter.h"

#include <string.h>

#include "reporters/formats.h"

const struct reporter reporters[] = {
        {"json", "results.json", "everything that is known about the run, for machines and for other reports",
                json_report_write, false, false},
        {"junit", "junit.xml", "JUnit XML, one suite for each device, as CI systems read it", junit_write, false,
                false},
        {"junit-files", "junit", "a folder with a JUnit file for each device run, as strict schemas want them",
                junit_files_write, false, false},
        {"summary", "summary.md", "ten lines of Markdown for people", summary_write, true, false},
        {"html", "report", "a folder with a page for people: index.html, report.css", html_write, false, false},
        {"github", "-", "GitHub Actions: annotations, the step's summary and outputs", github_write, true, false},
        {"gitlab", "-", "GitLab CI: failures in a folded section of the job's log", gitlab_write, true, false},
        {"azure", "-", "Azure Pipelines: issues and the summary", azure_write, true, false},
        {"teamcity", "-", "TeamCity: every test as service messages, one flow a device run", teamcity_write, true,
                false},
        {"buildkite", "annotation.md", "Buildkite: Markdown for `buildkite-agent annotate`", buildkite_write, true,
                false},
        {"ctrf", "ctrf.json", "Common Test Report Format", ctrf_write, true, false},
        {"allure", "allure-results", "a folder of Allure's own results, for its versions 2 and 3", allure_write, false,
                false},
        {"tap", "results.tap", "Test Anything Protocol, version 14", tap_write, true, false},
        {"attestation", "attestation.intoto.jsonl",
                "the test result of the tested builds as an in-toto Statement, signed", attestation_write, true, true},
        {"predicate", "test-result.json", "the same, not signed: for cosign and GitHub's attest action",
                predicate_write, true, true},
        {NULL, NULL, NULL, NULL, false, false},
};

const struct reporter *reporter_find(const char *name)
{
	for (const struct reporter *reporter = reporters; reporter->name; reporter++)
		if (strcmp(reporter->name, name) == 0)
			return reporter;
	return NULL;
}

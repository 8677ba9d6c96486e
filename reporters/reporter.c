#include "reporters/reporter.h"

#include <string.h>

#include "reporters/formats.h"

const struct reporter reporters[] = {
        {"json", "results.json", "everything that is known about the run, for machines and for other reports",
                json_report_write, false},
        {"junit", "junit.xml", "JUnit XML, one suite for each device, as CI systems read it", junit_write, false},
        {"summary", "summary.md", "ten lines of Markdown for people", summary_write, false},
        {"html", "report", "a folder with a page for people: index.html, report.css", html_write, false},
        {"github", "-", "GitHub Actions: annotations, the step's summary and outputs", github_write, true},
        {"gitlab", "-", "GitLab CI: failures in a folded section of the job's log", gitlab_write, true},
        {"azure", "-", "Azure Pipelines: issues and the summary", azure_write, true},
        {"teamcity", "-", "TeamCity: every test as service messages, one flow a device run", teamcity_write, true},
        {"buildkite", "annotation.md", "Buildkite: Markdown for `buildkite-agent annotate`", buildkite_write, false},
        {"ctrf", "ctrf.json", "Common Test Report Format", ctrf_write, false},
        {"tap", "results.tap", "Test Anything Protocol, version 14", tap_write, false},
        {NULL, NULL, NULL, NULL, false},
};

const struct reporter *reporter_find(const char *name)
{
	for (const struct reporter *reporter = reporters; reporter->name; reporter++)
		if (strcmp(reporter->name, name) == 0)
			return reporter;
	return NULL;
}

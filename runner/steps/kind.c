#include "runner/steps/kind.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/machines.h"

#define NEEDED(name, type, choices, help)                                                                              \
	{                                                                                                              \
		name, type, FIELD_REQUIRED, NULL, choices, help                                                        \
	}
#define OPTION(name, type, fallback, choices, help)                                                                    \
	{                                                                                                              \
		name, type, 0, fallback, choices, help                                                                 \
	}
#define OUTPUT(name, type, help)                                                                                       \
	{                                                                                                              \
		name, type, 0, NULL, NULL, help                                                                        \
	}
#define TOKEN(name, help)                                                                                              \
	{                                                                                                              \
		name, TYPE_SECRET, FIELD_SECRET_OK, NULL, NULL, help                                                   \
	}

#define PLATFORMS "android|ios|web"
#define DEVICE_FIELD                                                                                                   \
	NEEDED("device", TYPE_DEVICE, NULL, "The device: ${{ matrix.device }}, one of devices.NAME, or { id: 26 }.")
#define BUILD_FIELD NEEDED("build", TYPE_BUILD, NULL, "The build: ${{ steps.ID }} of an upload, an id, or { id: 272 }.")
#define EMPTY_FIELD                                                                                                    \
	OPTION("allow_empty", TYPE_BOOL, "false", NULL,                                                                \
	        "Take a run without any test as passed; without it such a run is an error.")
#define COUNT_OUTPUTS                                                                                                  \
	OUTPUT("device_id", TYPE_TEXT, "Id of the device that it ran on."),                                            \
	        OUTPUT("tests", TYPE_INT, "Test cases seen."),                                                         \
	        OUTPUT("executed", TYPE_INT, "Test cases that passed or failed."),                                     \
	        OUTPUT("passed", TYPE_INT, "Test cases that passed."),                                                 \
	        OUTPUT("failed", TYPE_INT, "Test cases that failed."),                                                 \
	        OUTPUT("skipped", TYPE_INT, "Test cases that the server skipped."),                                    \
	        OUTPUT("errors", TYPE_INT, "Test cases without a proven result."),                                     \
	        OUTPUT("pass_rate", TYPE_REAL, "passed / executed, from 0 to 1; 0 when none was executed."),           \
	        OUTPUT("flaky", TYPE_INT, "Test cases that passed after they had failed; they are among `passed`."),   \
	        OUTPUT("quarantined", TYPE_INT, "Failures that are quarantined; they are not among `failed`."),        \
	        OUTPUT("reruns", TYPE_INT, "Further starts (`rerun`)."),                                               \
	        OUTPUT("rerun_outputs", TYPE_LIST, "The outputs that each of them had by itself."),                    \
	        OUTPUT("completed", TYPE_BOOL, "Whether the server said, provably, that the run is over.")

static const struct field create_application_fields[] = {
        NEEDED("name", TYPE_TEXT, NULL, "Name of the application."),
        OPTION("platform", TYPE_CHOICE, NULL, PLATFORMS, "Platform of the application; app.platform if left out."),
        OPTION("version", TYPE_TEXT, "1", NULL, "Name of its first version."),
        OPTION("reuse", TYPE_BOOL, "false", NULL, "Take the application of that name if there is one."),
        {0},
};
static const struct field create_application_outputs[] = {
        OUTPUT("app_id", TYPE_TEXT, "Id of the application."),
        OUTPUT("name", TYPE_TEXT, "Name of the application."),
        OUTPUT("platform", TYPE_TEXT, "android, ios or web."),
        TOKEN("application_token", "Token of the application (a handle)."),
        OUTPUT("version_id", TYPE_TEXT, "Id of the version."),
        TOKEN("version_token", "Token of the version (a handle)."),
        OUTPUT("reused", TYPE_BOOL, "Whether it was there before."),
        {0},
};

static const struct field create_version_fields[] = {
        NEEDED("name", TYPE_TEXT, NULL, "Name of the version."),
        OPTION("description", TYPE_TEXT, NULL, NULL, "What the version is, for people."),
        OPTION("platform", TYPE_CHOICE, NULL, PLATFORMS,
                "Platform of the version; app.platform, then that of the other versions, if left out."),
        OPTION("reuse", TYPE_BOOL, "false", NULL, "Take the version of that name if there is one."),
        {0},
};
static const struct field create_version_outputs[] = {
        OUTPUT("version_id", TYPE_TEXT, "Id of the version."),
        OUTPUT("name", TYPE_TEXT, "Name of the version."),
        OUTPUT("app_id", TYPE_TEXT, "Id of its application."),
        OUTPUT("platform", TYPE_TEXT, "android, ios or web."),
        TOKEN("version_token", "Token of the version (a handle)."),
        OUTPUT("reused", TYPE_BOOL, "Whether it was there before."),
        {0},
};

static const struct field upload_build_fields[] = {
        NEEDED("file", TYPE_FILE, ".apk|.ipa", "The .apk or .ipa: a path, or a pattern that matches one file."),
        OPTION("version", TYPE_VERSION, NULL, NULL,
                "Where it belongs: ${{ steps.ID }} of a version, a name, an id, { id: } or { name: }. Needed unless "
                "direct."),
        OPTION("name", TYPE_TEXT, NULL, NULL, "Name of the build; the file's name and the run's key if left out."),
        OPTION("bundle_identifier", TYPE_TEXT, NULL, NULL,
                "Bundle or package id, when the server cannot read it from the file."),
        OPTION("direct", TYPE_BOOL, "false", NULL,
                "Upload without application and version, for install with mode: direct."),
        OPTION("platform", TYPE_CHOICE, NULL, "android|ios",
                "Platform of a direct upload; told by the file's extension if left out."),
        {0},
};
static const struct field upload_build_outputs[] = {
        OUTPUT("app_build_id", TYPE_TEXT, "Id of the build."),
        OUTPUT("name", TYPE_TEXT, "Name of the build; null after a direct upload."),
        OUTPUT("file", TYPE_TEXT, "Path of the file that was sent."),
        OUTPUT("sha256", TYPE_TEXT, "SHA-256 of the file, in hex; null if the upload was found on the server."),
        OUTPUT("bytes", TYPE_INT, "Length of the file; null if the upload was found on the server."),
        OUTPUT("direct", TYPE_BOOL, "Whether it was a direct upload."),
        OUTPUT("platform", TYPE_TEXT, "android or ios."),
        OUTPUT("adopted", TYPE_BOOL, "Whether the build was found on the server after a lost answer."),
        OUTPUT("app_id", TYPE_TEXT, "Id of the application; null after a direct upload."),
        OUTPUT("version_id", TYPE_TEXT, "Id of the version; null after a direct upload."),
        TOKEN("application_token", "Token of the application (a handle); null after a direct upload."),
        TOKEN("version_token", "Token of the version (a handle); null after a direct upload."),
        {0},
};

static const struct field install_fields[] = {
        BUILD_FIELD,
        DEVICE_FIELD,
        OPTION("mode", TYPE_CHOICE, "sync", "sync|async|direct",
                "sync: the server answers when it is done; async: start, then read its log; direct: the same for a "
                "direct upload."),
        OPTION("resign", TYPE_BOOL, "false", NULL, "Have the server sign an .ipa again."),
        OPTION("disable_secure_flag", TYPE_BOOL, "false", NULL, "Lift the ban on screenshots (Android, mode: sync)."),
        {0},
};
static const struct field install_outputs[] = {
        OUTPUT("app_build_id", TYPE_TEXT, "Id of the build that was installed."),
        OUTPUT("seconds", TYPE_REAL, "How long it took."),
        OUTPUT("mode", TYPE_TEXT, "sync, async or direct."),
        OUTPUT("device_id", TYPE_TEXT, "Id of the device."),
        OUTPUT("log_url", TYPE_TEXT, "Where the server's log of the installation is; null with mode: sync."),
        {0},
};

static const struct field app_build_run_fields[] = {
        BUILD_FIELD,
        DEVICE_FIELD,
        NEEDED("module", TYPE_MODULE, NULL, "The test module: its id, or its name in the version."),
        OPTION("tags", TYPE_TEXTS, NULL, NULL, "Run the test cases with one of these tags."),
        OPTION("testcases", TYPE_TESTCASES, NULL, NULL,
                "Run these test cases: a list of ids, or a mapping of names to ids; then each name must appear in the "
                "results."),
        OPTION("bundle_identifier", TYPE_TEXT, NULL, NULL, "Bundle or package id of the app."),
        OPTION("website_url", TYPE_TEXT, NULL, NULL, "The website that a web run tests."),
        OPTION("tg_connect", TYPE_BOOL, "false", NULL,
                "Run through TG Connect, which reaches hosts of your own network."),
        OPTION("resign", TYPE_BOOL, "false", NULL, "Have the server sign an .ipa again."),
        EMPTY_FIELD,
        {0},
};
static const struct field app_build_run_outputs[] = {
        OUTPUT("app_build_id", TYPE_TEXT, "Id of the build that was tested."),
        OUTPUT("build_number", TYPE_TEXT, "The run's number, proven to be this run's."),
        OUTPUT("build_id", TYPE_TEXT, "The run's id, the last part of build_url."),
        OUTPUT("build_url", TYPE_TEXT, "The run's page."),
        OUTPUT("build_test_id", TYPE_TEXT, "Id of the device's part of the run, for logs and insights."),
        OUTPUT("adopted", TYPE_BOOL, "Whether the run was found on the server after a lost answer."),
        COUNT_OUTPUTS,
        {0},
};

static const struct field native_test_fields[] = {
        BUILD_FIELD,
        DEVICE_FIELD,
        NEEDED("file", TYPE_FILE, ".apk|.zip", "The tests: an Espresso .apk for Android, an XCUITest .zip for iOS."),
        OPTION("name", TYPE_TEXT, NULL, NULL,
                "Name of the run on the server; the pipeline's name and the run's key if left out."),
        EMPTY_FIELD,
        OPTION("allow_skipped", TYPE_BOOL, "false", NULL,
                "Take tests that the server counts neither as passed nor as failed as skipped."),
        {0},
};
static const struct field native_test_outputs[] = {
        OUTPUT("app_build_id", TYPE_TEXT, "Id of the build that was tested."),
        OUTPUT("file", TYPE_TEXT, "Path of the tests' file."),
        OUTPUT("sha256", TYPE_TEXT, "SHA-256 of the tests' file as it was sent, in hex."),
        OUTPUT("native_test_build_id", TYPE_TEXT, "The run's id."),
        OUTPUT("url", TYPE_TEXT, "The run's page."),
        OUTPUT("log_url", TYPE_TEXT, "The run's log, or null."),
        OUTPUT("recording_url", TYPE_TEXT, "The run's recording, or null."),
        COUNT_OUTPUTS,
        {0},
};

static const struct field reserve_device_fields[] = {
        DEVICE_FIELD,
        NEEDED("for", TYPE_DURATION, NULL, "How long to hold it, from now; given back when the run ends."),
        OPTION("comment", TYPE_TEXT, NULL, NULL, "Words for others who see the reservation; the run's key is added."),
        {0},
};
static const struct field reserve_device_outputs[] = {
        OUTPUT("device_reservation_id", TYPE_TEXT, "Id of the reservation."),
        OUTPUT("device_id", TYPE_TEXT, "Id of the device."),
        OUTPUT("start", TYPE_TEXT, "Its begin, in UTC."),
        OUTPUT("end", TYPE_TEXT, "Its end, in UTC."),
        {0},
};

static const struct field release_device_fields[] = {
        OPTION("device", TYPE_DEVICE, NULL, NULL,
                "The device to give back: this run's reservation of it, or else its current use."),
        OPTION("reservation", TYPE_TEXT, NULL, NULL,
                "Id of the reservation to end: ${{ steps.ID.device_reservation_id }}."),
        {0},
};
static const struct field release_device_outputs[] = {
        OUTPUT("device_reservation_id", TYPE_TEXT, "Id of the reservation that was ended, or null."),
        {0},
};

static const struct field collect_fields[] = {
        OPTION("run", TYPE_STEP, NULL, NULL, "What to fetch for: ${{ steps.ID }} of a test run, an install or appium."),
        OPTION("device", TYPE_DEVICE, NULL, NULL,
                "The device of device_logs and downloads; that of the run if left out."),
        NEEDED("what", TYPE_TEXTS, COLLECT_CHOICES,
                "A list of logs, recordings, network, insights, transactions, device_logs, testcases and downloads."),
        OPTION("files", TYPE_TEXTS, NULL, NULL, "Only files whose names fit one of these patterns, such as *.mp4."),
        OPTION("max_size", TYPE_SIZE, "4GiB", NULL, "The most that one file may have; a longer one is left out."),
        OPTION("required", TYPE_BOOL, "false", NULL, "Fail when something could not be had."),
        {0},
};
static const struct field collect_outputs[] = {
        OUTPUT("files", TYPE_LIST, "Paths of what was fetched, below the output folder."),
        OUTPUT("missing", TYPE_INT, "How many things could not be had; the reports say why."),
        {0},
};

static const struct field appium_fields[] = {
        OPTION("device", TYPE_DEVICE, NULL, NULL, "The device; without it any free one is taken, and given back."),
        OPTION("platform", TYPE_CHOICE, NULL, PLATFORMS, "Platform of any free device; app.platform if left out."),
        OPTION("device_name", TYPE_TEXT, NULL, NULL, "Take a free device of this name."),
        OPTION("os_version", TYPE_TEXT, NULL, NULL, "Take a free device with this version of the system."),
        OPTION("device_tag", TYPE_TEXT, NULL, NULL, "Take a free device with this tag."),
        OPTION("manufactured_by", TYPE_TEXT, NULL, NULL, "Take a free device of this maker."),
        OPTION("wait", TYPE_DURATION, "5m", NULL, "How long to wait for a free device when none is given."),
        OPTION("project", TYPE_TEXT, NULL, NULL,
                "Name that the sessions are filed under; the pipeline's name and the run's id if left out."),
        NEEDED("command", TYPE_TEXTS, NULL,
                "The test command: it finds APPIUM_URL in its environment, and in GRIDLANE_CAPABILITIES the path of a "
                "JSON file with the device's capabilities."),
        {"env", TYPE_MAP, FIELD_SECRET_OK, NULL, NULL, "Further environment variables; secrets may stand here."},
        OPTION("cwd", TYPE_TEXT, NULL, NULL, "Folder to run in."),
        OPTION("token", TYPE_BOOL, "false", NULL, "Put the account's token into the capabilities file, as user_token."),
        OPTION("junit", TYPE_TEXT, NULL, NULL,
                "Pattern of the JUnit files that the command writes: its tests become those of the run."),
        OPTION("logs", TYPE_BOOL, "true", NULL, "Fetch the sessions' logs and recordings afterwards."),
        EMPTY_FIELD,
        {0},
};
static const struct field appium_outputs[] = {
        OUTPUT("exit_status", TYPE_INT, "Exit status of the command."),
        OUTPUT("build_numbers", TYPE_LIST, "Numbers of the sessions on the server."),
        OUTPUT("files", TYPE_LIST, "Paths of what was fetched, below the output folder."),
        COUNT_OUTPUTS,
        {0},
};

static const struct field run_fields[] = {
        NEEDED("command", TYPE_TEXTS, NULL, "The program and its arguments, as a list; no shell is put between."),
        {"env", TYPE_MAP, FIELD_SECRET_OK, NULL, NULL, "Further environment variables; secrets may stand here."},
        OPTION("cwd", TYPE_TEXT, NULL, NULL, "Folder to run in."),
        {0},
};
static const struct field run_outputs[] = {
        OUTPUT("exit_status", TYPE_INT, "Exit status of the command; 128 and the signal's number if one ended it."),
        {0},
};

static const struct field call_fields[] = {
        NEEDED("operation", TYPE_OPERATION, NULL,
                "Id of the operation; its parameters stand beside it by their names."),
        OPTION("until", TYPE_CONDITION, NULL, NULL, "Repeat until this holds for the answer, at the pace of poll:."),
        OPTION("save", TYPE_TEXT, NULL, NULL,
                "Keep the answer as an artifact of this name, such as users.json; secrets are taken out."),
        {0},
};
static const struct field call_outputs[] = {
        OUTPUT("answer", TYPE_ANY, "The whole answer; its members stand beside it by their names."),
        {0},
};

static const struct field application_fields[] = {
        OPTION("name", TYPE_TEXT, NULL, NULL, "Name of the application, exactly."),
        OPTION("id", TYPE_TEXT, NULL, NULL, "Id of the application."),
        {"token", TYPE_SECRET, FIELD_SECRET_OK, NULL, NULL, "Token of the application (a handle)."},
        {0},
};
static const struct field application_outputs[] = {
        OUTPUT("app_id", TYPE_TEXT, "Id of the application."),
        OUTPUT("name", TYPE_TEXT, "Name of the application."),
        OUTPUT("platform", TYPE_TEXT, "android, ios or web; null when not known."),
        TOKEN("application_token", "Token of the application (a handle)."),
        {0},
};

static const struct field select_devices_fields[] = {
        NEEDED("any_of", TYPE_LIST, NULL, "What to look for, in order of preference."),
        OPTION("count", TYPE_INT, NULL, NULL, "How many are needed."),
        OPTION("reserve_ms", TYPE_INT, NULL, NULL, "How long to hold them, in ms; 0: not reserved."),
        OPTION("wait_ms", TYPE_INT, NULL, NULL, "How long to wait for free ones, in ms."),
        {0},
};
static const struct field select_devices_outputs[] = {
        OUTPUT("devices", TYPE_LIST, "The devices."),
        OUTPUT("choice", TYPE_TEXT, "Which were taken, and why not the others that match."),
        {0},
};

const struct kind step_kinds[] = {
        {"create_application", "Create an application, or take the one of that name.", 0, create_application_fields,
                create_application_outputs, &create_application_ops},
        {"create_version", "Create a version of the application, or take the one of that name.", KIND_NEEDS_APP,
                create_version_fields, create_version_outputs, &create_version_ops},
        {"upload_build", "Upload an .apk or .ipa.", KIND_NEEDS_APP | KIND_SUBJECT, upload_build_fields,
                upload_build_outputs, &upload_build_ops},
        {"install", "Put a build on a device and wait for the outcome.", KIND_NEEDS_APP | KIND_POLLS, install_fields,
                install_outputs, &install_ops},
        {"app_build_run", "Run scriptless tests on a device and wait until they are over.",
                KIND_NEEDS_APP | KIND_RUNS_TESTS | KIND_POLLS, app_build_run_fields, app_build_run_outputs,
                &app_build_run_ops},
        {"native_test", "Run Espresso or XCUITest tests on a device and wait until they are over.",
                KIND_NEEDS_APP | KIND_RUNS_TESTS | KIND_POLLS | KIND_SUBJECT, native_test_fields, native_test_outputs,
                &native_test_ops},
        {"reserve_device", "Reserve a device by hand.", 0, reserve_device_fields, reserve_device_outputs,
                &reserve_device_ops},
        {"release_device", "Give a device back by hand.", 0, release_device_fields, release_device_outputs,
                &release_device_ops},
        {"collect", "Fetch logs, recordings, network logs, insights and transactions.", 0, collect_fields,
                collect_outputs, &collect_ops},
        {"appium", "Run a local command against a device through Appium.", KIND_LOCAL | KIND_RUNS_TESTS, appium_fields,
                appium_outputs, &appium_ops},
        {"run", "Run a local command.", KIND_LOCAL, run_fields, run_outputs, &run_ops},
        {"call", "Call any operation of the API by its id.", KIND_OPEN | KIND_POLLS, call_fields, call_outputs,
                &call_ops},
        {"application", "Look the pipeline's application up.", KIND_IMPLICIT, application_fields, application_outputs,
                &application_ops},
        {"select_devices", "Choose the devices of a group, and reserve them.", KIND_IMPLICIT | KIND_POLLS,
                select_devices_fields, select_devices_outputs, &select_devices_ops},
        {0},
};
_Static_assert(GR_COUNT(step_kinds) <= KINDS_MOST, "a list of all kinds has room for them");

/* What a command or an answer may bring beside the named outputs. */
static const struct field open_output = OUTPUT("*", TYPE_ANY, "What the command wrote, or the answer said.");

const struct kind *kind_find(const char *name)
{
	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++)
		if (text_equal(kind->name, name))
			return kind;
	return NULL;
}

static const struct field *find_row(const struct field *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (text_equal(rows->name, name))
			return rows;
	return NULL;
}

const struct field *kind_field(const struct kind *kind, const char *name)
{
	return find_row(kind->fields, name);
}

const struct field *kind_output(const struct kind *kind, const char *name)
{
	const struct field *row = find_row(kind->outputs, name);

	if (row == NULL && (kind->flags & (KIND_LOCAL | KIND_OPEN)) != 0)
		return &open_output;
	return row;
}

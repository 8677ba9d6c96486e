#!/usr/bin/env python3
"""All operations of the API, driven through the binary against its sandbox: by `gridlane api`, and by `call` in a
pipeline. The request of each is looked at in the sandbox's log (no violation of the reference, all required parameters
there), and the answer of each must say success.

usage: GRIDLANE=path/to/gridlane all_operations.py
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
FILES = {"shop.apk": "app", "shop.ipa": "app", "tests.apk": "tests", "tests.zip": "tests", "face.png": "picture",
         "data.json": '{"a": 1}', "data.csv": "a,b\n1,2\n"}
DEVICE, BROWSER, IPHONE, APP, VERSION, MODULE = "40", "101", "29", "223", "481", "12"

# (operation, values); {NAME} is what an earlier operation's KEEP found. In the order in which a user might call them.
CALLS = [
    ("user_list", {}),
    ("get_user_token", {"email": "tester@example.com", "password": "sandbox"}),
    ("authentication_log", {}),
    ("create_user", {"firstname": "Ann", "lastname": "A", "email": "ann@example.com", "password": "secret-word",
                     "role": "Team User"}),
    ("update_user", {"user_id": "{user}", "firstname": "Anna"}),
    ("add_device", {"user_id": "{user}", "device_id": DEVICE}),
    ("remove_device", {"user_id": "{user}", "device_id": DEVICE}),
    ("create_team", {"team_name": "QA", "team_description": "quality"}),
    ("team_list", {}),
    ("update_team", {"team_id": "{team}", "team_name": "QA2", "team_description": "new", "status": "1"}),
    ("assign_team_admin", {"team_id": "{team}", "user_id": "{user}"}),
    ("assign_user_to_team", {"team_id": "{team}", "user_id": "{user}", "status": "1"}),
    ("create_device_group", {"group_name": "lab"}),
    ("get_device_groups", {}),
    ("update_device_group", {"group_id": "{group}", "group_name": "lab2"}),
    ("assign_device_to_group", {"group_id": "{group}", "device_id": DEVICE, "status": "1"}),
    ("assign_device_group_to_team", {"team_id": "{team}", "group_id": "{group}", "status": "1"}),
    ("group_devices", {"group_id": "{group}"}),
    ("delete_device_group", {"group_id": "{group}"}),
    ("delete_team", {"team_id": "{team}"}),
    ("delete_user", {"user_id": "{user}"}),
    ("get_applications_list", {}),
    ("create_application", {"version_name": "1", "application_name": "All", "platform_type": "android"}),
    ("create_version", {"app_id": APP, "version_name": "all", "version_platform": "android"}),
    ("get_application_info", {"app_id": APP}),
    ("get_build_version_info", {"version_id": VERSION}),
    ("app_build_upload", {"app_id": APP, "version_id": VERSION, "upload_file": "@shop.apk", "build_name": "all"}),
    ("get_build_info", {"app_build_id": "{build}"}),
    ("get_device_list", {}),
    ("get_all_devices_with_filter", {}),
    ("get_device_details", {"device_id": DEVICE}),
    ("get_device_analytics", {}),
    ("get_first_available_device_capabilities_builder", {"device_type": "ios"}),
    ("release_device", {"device_id": "{taken}"}),
    ("reserve_device", {"user_id": "1", "device_id": DEVICE, "start_date_time": "{now}", "end_date_time": "{later}",
                        "timezone": "UTC", "comments": "all"}),
    ("reserve_device_list", {"timezone": "UTC"}),
    ("release_reserve_device", {"device_reservation_id": "{reservation}"}),
    ("app_build_install_synchronous", {"app_id": APP, "version_id": VERSION, "s_device": "{s_device}",
                                       "process_type": "oaa", "app_build_id": "{build}"}),
    ("app_build_install", {"app_id": APP, "version_id": VERSION, "s_device": "{s_device}", "process_type": "oaa",
                           "app_build_id": "{build}"}),
    ("app_upload_direct", {"platform": "2", "upload_file": "@shop.apk"}),
    ("app_install_direct", {"app_build_id": "{direct}", "device_id": DEVICE}),
    ("app_auto_launch", {"device_id": DEVICE, "bundle_id": "org.example.shop"}),
    ("biometric_bypass", {"device_id": DEVICE, "apk_ipa_file": "@shop.apk", "biometric_status": "pass"}),
    ("image_injection", {"device_id": DEVICE, "apk_ipa_file": "@shop.apk", "image": "@face.png"}),
    ("upload_image_for_image_injection", {"image": "@face.png"}),
    ("run_native_test_android", {"build_name": "all", "app_build_id": "{build}", "device_id": DEVICE,
                                 "file": "@tests.apk"}),
    ("get_native_test_results", {"native_test_build_id": "{native}"}),
    ("run_native_test_ios", {"build_name": "all", "app_id": "224", "version_id": "482", "device_id": IPHONE,
                             "file": "@tests.zip"}),
    ("app_build_run", {"app_id": APP, "version_id": VERSION, "version_module_id": MODULE, "s_device": "{s_device}",
                       "process_type": "oaa", "app_build_id": "{build}"}),
    ("build_list", {"app_id": APP}),
    ("execution_details", {"app_id": APP, "build_number": "{number}"}),
    ("execution_details_by_tags", {"app_id": APP, "tags": "smoke"}),
    ("test_case_details", {"app_id": APP, "build_test_id": "{test}", "test_case_name": "{case}"}),
    ("network_logs", {"app_id": APP, "build_test_id": "{test}"}),
    ("insights_data", {"app_id": APP, "build_test_id": "{test}", "test_case_name": "{case}"}),
    ("transaction_analysis", {"app_id": APP, "build_test_id": "{test}"}),
    ("update_variable_value", {"version_id": VERSION, "test_case_name": "{case}", "var_name": "v", "var_value": "1"}),
    ("json_upload", {"upload_file": "@data.json"}),
    ("csv_to_json", {"upload_file": "@data.csv"}),
    ("enable_tg_connect_on_the_device", {"device_id": DEVICE, "active": "1"}),
    ("device_logs", {"device_id": DEVICE}),
    ("all_automation_build_results", {"device_id": "{taken}"}),
    ("automation_build_results_and_logs", {"build_number": "{session}"}),
    ("adb_file_upload", {"device_id": DEVICE, "file": "@shop.apk"}),
    ("adb_pull_and_push", {"device_id": DEVICE, "command": "pull /sdcard/a.png TGFileName=a.png"}),
    ("android_execute_shell_adb_native", {"device_id": DEVICE, "command": "adb shell pm list packages"}),
    ("android_execute_shell_adb", {"device_id": DEVICE, "command": '{"command": "pm", "args": ["list"]}'}),
    ("get_all_installed_applications", {"device_id": DEVICE}),
    ("uninstall_app", {"device_id": DEVICE, "bundle_id": "org.example.shop"}),
    ("get_browser_downloaded_files", {"device_id": BROWSER}),
    ("set_pin", {"device_id": DEVICE, "pin": "135790"}),
    ("unlock_device", {"device_id": DEVICE, "pin": "135790"}),
    ("change_pin", {"device_id": DEVICE, "old_pin": "135790", "new_pin": "246801"}),
    ("remove_pin", {"device_id": DEVICE, "pin": "246801"}),
    ("free_system_port", {"device_id": DEVICE}),
    ("device_clean_up", {"device_id": DEVICE}),
    ("restart_device_api", {"device_id": "41"}),
    ("cancel_reserve_device", {"device_reservation_id": "{second}"}),
    # not the one that runs started above may still use
    ("delete_uploaded_builds", {"app_build_id": "{direct}"}),
]

# What later calls need of an answer: operation, name, where it is.
KEEP = [
    ("create_user", "user", ["user_id"]), ("create_team", "team", ["team_id"]),
    ("create_device_group", "group", ["group_id"]), ("app_build_upload", "build", ["app_build_id"]),
    ("get_first_available_device_capabilities_builder", "taken", ["data", "device_id"]),
    ("reserve_device", "reservation", ["device_reservation_id"]), ("app_upload_direct", "direct", ["app_build_id"]),
    ("run_native_test_android", "native", ["native_test_build_id"]),
    ("get_device_details", "s_device", ["data", "s_device"]),
    ("app_build_run", "number", ["build_version"]),
    ("execution_details", "test", ["build_devices", 0, "build_test_id"]),
    ("execution_details", "case", ["build_devices", 0, "test_cases", 0, "test_case_name"]),
    ("all_automation_build_results", "session", ["data", 0, "build_number"]),
]

SECOND = dict(dict(CALLS)["reserve_device"], start_date_time="{later}", end_date_time="{end}")


def find(answer, path):
    """A list of one may come as that one."""
    for key in path:
        if isinstance(key, int):
            answer = answer[key] if isinstance(answer, list) else answer
        else:
            answer = answer[key]
    return str(answer)


def says_success(answer):
    flags = [answer[key] for key in ("success", "status") if key in answer]
    return flags and all(flag in (True, 1, "1", "true") for flag in flags)


class Sandbox:
    def __init__(self, folder, name):
        self.log = os.path.join(folder, name)
        self.process = subprocess.Popen([GRIDLANE, "sandbox", "--time-scale", "1000", "--log", self.log],
                                        stdout=subprocess.PIPE, text=True)
        self.environment = dict(os.environ)
        for _ in range(2):
            key, _, value = self.process.stdout.readline().strip().partition("=")
            self.environment[key] = value

    def requests(self):
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def times():
    """A reservation's windows as the API writes them, in UTC: one from now on, and one that can still be cancelled."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {name: (now + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
            for name, minutes in (("now", 0), ("later", 30), ("end", 60))}


def fill(values, known):
    return {key: value.format(**known) if "{" in value and not value.startswith("{\"") else value
            for key, value in values.items()}


def call(sandbox, folder, operation, values):
    arguments = [GRIDLANE, "api", operation]
    for key, value in values.items():
        arguments += ["-F" if value.startswith("@") else "-f", f"{key}={value}"]
    done = subprocess.run(arguments, env=sandbox.environment, cwd=folder, capture_output=True, text=True, timeout=60,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"{operation}: exit {done.returncode}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def required():
    """{operation: names of its required parameters}, typed from the reference by somebody else than the runner's."""
    table = {}
    with open(os.path.join(ROOT, "tests/data/api-operations.txt"), encoding="utf-8") as file:
        for line in file:
            operation, _, parameters = (part.strip() for part in line.split("|"))
            table[operation] = [word[:-1] for word in parameters.split() if word.endswith("*")]
    # The reference marks all three ways to hand over the content as required; one is enough.
    table["json_upload"] = table["csv_to_json"] = ["upload_file"]
    return table


def check_request(request, operation, names):
    wrong = []
    if request["operation"] != operation:
        # Two operations share a path; the command tells them apart.
        shared = {"adb_pull_and_push", "android_execute_shell_adb_native"}
        if not {request["operation"], operation} <= shared:
            wrong.append(f"the request was for {request['operation']}")
    if request["violations"]:
        wrong.append(f"violations: {request['violations']}")
    if request["status"] != 200 or request["refused"]:
        wrong.append(f"status {request['status']}, refused: {request['refused']}")
    missing = [name for name in names if name not in request["parameters"]]
    if missing:
        wrong.append(f"without {missing}; there are {sorted(request['parameters'])}")
    return [f"{operation}: {words}" for words in wrong]


def by_command(folder):
    """Each operation once by `gridlane api`. Returns what is wrong."""
    sandbox, known, wrong, needed = Sandbox(folder, "api.jsonl"), times(), [], required()
    try:
        for operation, values in CALLS:
            filled = fill(values, known)
            before = len(sandbox.requests())
            answer = call(sandbox, folder, operation, filled)
            seen = sandbox.requests()[before:]
            wrong += check_request(seen[-1], operation, needed[operation])
            if isinstance(answer, dict) and any(key in answer for key in ("success", "status")) and \
                    not says_success(answer):
                wrong.append(f"{operation}: the answer says no: {answer}")
            for keeper, name, path in KEEP:
                if keeper == operation:
                    known[name] = find(answer, path)
            if operation == "release_reserve_device":  # another one, to be cancelled
                again = call(sandbox, folder, "reserve_device", fill(SECOND, known))
                known["second"] = find(again, ["device_reservation_id"])
    finally:
        sandbox.stop()
    return wrong


def step(operation, values):
    """A `call` of a pipeline; tokens stand for the ids that the command takes."""
    fields = {"operation": operation}
    for key, value in values.items():
        fields[key] = value[1:] if value.startswith("@") else value
    names = required()[operation]
    for token, identifier, output in (("application_token", "app_id", "${{ app.application_token }}"),
                                      ("version_token", "version_id", "${{ steps.first.version_token }}")):
        if token in names and identifier not in names:
            del fields[identifier]
            fields[token] = output
    return {"id": "x_" + operation, "uses": "call", "with": fields}


def by_pipeline(folder):
    """Each operation once by `call`, ids taken from earlier answers by expressions."""
    sandbox, needed, known = Sandbox(folder, "pipeline.jsonl"), required(), times()
    for keeper, name, path in KEEP:
        at = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        known[name] = "${{ steps.x_%s.answer%s }}" % (keeper, at)
    known["second"] = "${{ steps.second.answer.device_reservation_id }}"
    steps = [{"id": "first", "uses": "create_version", "with": {"name": "1", "reuse": True}}]
    for operation, values in CALLS:
        one = step(operation, fill(values, known))
        steps.append(one)
        if operation == "release_reserve_device":
            steps.append({"id": "second", "uses": "call", "with": dict(
                [("operation", "reserve_device")] + list(fill(SECOND, known).items()))})
    pipeline = {"version": 1, "name": "all", "app": {"name": "Shop", "platform": "android"}, "steps": steps}
    with open(os.path.join(folder, "all.yml"), "w", encoding="utf-8") as file:
        json.dump(pipeline, file)  # JSON is YAML
    try:
        done = subprocess.run([GRIDLANE, "run", "all.yml", "--out", "out"], env=sandbox.environment, cwd=folder,
                              capture_output=True, text=True, timeout=120, check=False)
        requests = sandbox.requests()
    finally:
        sandbox.stop()
    if done.returncode != 0:
        return [f"the pipeline ended with {done.returncode}: {done.stdout[-3000:]}{done.stderr}"]
    wrong = []
    for operation, _ in CALLS:
        seen = [one for one in requests if one["operation"] == operation]
        if not seen:
            wrong.append(f"{operation} was not called by the pipeline")
        else:
            wrong += check_request(seen[-1], operation, needed[operation])
    return wrong


def main():
    listed = subprocess.run([GRIDLANE, "api", "list"], capture_output=True, text=True, check=True).stdout
    wrong = [] if "79 operations" in listed else ["`gridlane api list` does not count 79 operations"]
    if sorted(operation for operation, _ in CALLS) != sorted(required()):
        wrong.append(f"not called: {sorted(set(required()) - {operation for operation, _ in CALLS})}")
    with tempfile.TemporaryDirectory(prefix="gridlane-all-") as folder:
        for name, text in FILES.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        wrong += by_command(folder)
        wrong += by_pipeline(folder)
    print("\n".join(wrong) if wrong else f"all {len(CALLS)} operations answered, by the command and by a pipeline")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the fault tests share: a sandbox of their own, a reference pipeline, and what must hold afterwards."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

GRIDLANE = os.path.abspath(os.environ.get("GRIDLANE", "build/release/runner/gridlane"))
SCALE = 500
TIME_LIMIT = 120

# Time passes 500 times as fast: limits are far away, so that no slow machine runs into one.
PIPELINE = """version: 1
name: faults
app: {{ name: Shop, platform: android }}
devices:
  phones: {{ any_of: [{{ name: "Pixel *" }}, {{ name: "Galaxy *" }}], count: {devices}, reserve: 30m }}
timeout: 90h
defaults:
  poll: {{ every: 2s..10s, stall: 50h, queue: 50h }}
steps:
  - id: version
    uses: create_version
    with: {{ name: e2e, reuse: true }}
  - id: build
    uses: upload_build
    with: {{ file: shop.apk, version: "${{{{ steps.version }}}}" }}
  - id: tests
    matrix: {{ device: "${{{{ devices.phones }}}}" }}
    steps:
      - uses: install
        with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ matrix.device }}}}" }}
      - id: smoke
        uses: app_build_run
        with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ matrix.device }}}}", module: {module} }}
reports: {{ junit: junit.xml }}
"""


class Rig:
    """A folder with a pipeline, and a sandbox that serves a scenario."""

    def __init__(self, scenario=None, module=12, devices=2, scale=SCALE):
        self.folder = tempfile.mkdtemp(prefix="gridlane-faults.")
        self.out = os.path.join(self.folder, "out")
        self.is_kept = False  # set it for people to look at
        self.log = os.path.join(self.folder, "requests.jsonl")
        self.module, self.devices, self.scale, self.scenario = module, devices, scale, scenario or {}
        self.write("pipeline.yml", PIPELINE.format(devices=devices, module=module))
        self.write("shop.apk", "not really an app\n")
        self.write("scenario.yml", json.dumps(scenario or {}) + "\n")
        self.sandbox = subprocess.Popen(
            [GRIDLANE, "sandbox", "--scenario", "scenario.yml", "--log", self.log, "--time-scale", str(scale)],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.settings = {}
        for line in self.sandbox.stdout:
            name, _, value = line.strip().partition("=")
            self.settings[name] = value
            if name == "TESTGRID_TOKEN":
                break
        if "TESTGRID_TOKEN" not in self.settings:
            raise RuntimeError(f"the sandbox did not start: {self.settings}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sandbox.terminate()
        self.sandbox.communicate()
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def environment(self, is_traced=False):
        kept = {name: value for name, value in os.environ.items()
                if name in ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD") or name.endswith("SAN_OPTIONS")}
        if is_traced:  # which is what the leak sanitizer would do
            kept["ASAN_OPTIONS"] = "detect_leaks=0"
        return {**kept, **self.settings, "TESTGRID_USER_ID": "1", "HOME": self.folder, "LC_ALL": "C", "TERM": "dumb"}

    def start(self, arguments, prefix=()):
        return subprocess.Popen([*prefix, GRIDLANE, *arguments], cwd=self.folder, env=self.environment(bool(prefix)),
                                text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run_arguments(self):
        return ["run", "pipeline.yml", "--out", "out", "--time-scale", str(self.scale)]

    def run(self, arguments=None, prefix=()):
        """Exit status (negative: a signal) and what it said."""
        child = self.start(arguments or self.run_arguments(), prefix)
        try:
            said, _ = child.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            child.kill()
            said, _ = child.communicate()
            said += "\n(it took too long)\n"
        return child.returncode, said

    def go_on_arguments(self):
        """`resume` says a verdict again, where `run` would begin anew; before the journal there is nothing to resume."""
        try:
            with open(os.path.join(self.out, "journal.jsonl"), encoding="utf-8") as file:
                return ["resume", "out"] if "\n" in file.read() else self.run_arguments()
        except FileNotFoundError:
            return self.run_arguments()

    def finish(self, goes_on=True):
        """Go on (unless told not to) until it ends by itself, then clean up; the last run's status and all that was said."""
        status, said = self.run(self.go_on_arguments()) if goes_on else (3, "")
        if status == 3 and goes_on:  # a lost outcome may be found by looking again
            status, more = self.run(self.go_on_arguments())
            said += more
        for _ in range(4):  # in the middle of an outage it cannot give anything back, and says so
            clean, more = self.run(["cleanup", "out"])
            said += more
            if clean == 0:
                break
            time.sleep(300 / self.scale)
        return status, clean, said

    def requests(self):
        try:
            with open(self.log, encoding="utf-8") as file:
                return [json.loads(line) for line in file.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []

    def state(self):
        with urllib.request.urlopen(self.settings["TESTGRID_URL"] + "/sandbox/state", timeout=30) as answer:
            return json.load(answer)

    def results(self):
        try:
            with open(os.path.join(self.out, "results.json"), encoding="utf-8") as file:
                return json.load(file)
        except (FileNotFoundError, ValueError):
            return None

    def records(self):
        """The journal's, without what a kill tore off at its end."""
        try:
            with open(os.path.join(self.out, "journal.jsonl"), encoding="utf-8") as file:
                return [json.loads(line[9:]) for line in file.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []

    def known_cases(self):
        """(build number, name, state) of tests that an answer once showed with their end: 2 passed, 3 failed."""
        cases = set()
        for record in self.records():
            if record["type"] == "step_learned":
                for key, value in record["detail"].items():
                    if key.startswith("case/") and value[6] in (2, 3):
                        cases.add((key.split("/")[1], value[0], value[6]))
        return cases

    def known_natives(self):
        """{id: {status, all, passed, failed}} of native runs, as an answer last showed them."""
        natives, identity = {}, {}
        for record in self.records():
            if record["type"] == "step_learned":
                place = (record["lane"], record["step"])
                identity[place] = record["detail"].get("native_test_build_id", identity.get(place))
                seen = record["detail"].get("native")
                if seen and seen["all"] >= 0 and identity[place]:
                    natives[identity[place]] = seen
        return natives

    def known_results(self):
        """Build numbers whose complete result is in the journal."""
        numbers = set()
        for record in self.records():
            if record["type"] == "device_result":
                result = record.get("result")
                if not result:
                    with open(os.path.join(self.out, record["file"]), encoding="utf-8") as file:
                        result = json.load(file)
                if result.get("complete") or result.get("is_complete"):
                    numbers.add(result.get("build_number"))
        return numbers


def own_runs(state):
    return [run for run in state["runs"] if not run.get("foreign")]


def wrong_end(state, status, clean, said):
    """What holds of any pipeline after run and cleanup."""
    found = []
    uploads = [upload for upload in state["uploads"] if upload.get("file_name") == "shop.apk"]
    if len(uploads) > 1:
        found.append(("duplicate", f"{len(uploads)} uploads"))
    if state["reservations"]:
        found.append(("held", f"{len(state['reservations'])} reservations are held"))
    if state["violations"]:
        found.append(("violation", str(state["violations"])[:200]))
    if status < 0 or status > 4 and status not in (129, 130, 143) or re.search(r"Sanitizer|runtime error: ", said):
        found.append(("crash", f"status {status}"))
    if clean not in (0, 3):
        found.append(("crash", f"cleanup's status {clean}"))
    return found


def is_named_in_doubt(results, run):
    """Its answers hide the device, so that nothing proves whose it is, and the report says that it may be ours."""
    words = " ".join(problem["message"] for shown in results["runs"] if shown["failure"] == "unknown_start" for problem in shown["problems"])
    return run["build_number"] in re.findall(r"\d+", words)


def wrong(rig, status, clean, said):
    """What does not hold after run and cleanup: a list of (kind, words)."""
    state, results = rig.state(), rig.results()
    found = wrong_end(state, status, clean, said)
    runs = own_runs(state)
    devices = [run["device_id"] for run in runs]
    for device in sorted(set(devices)):
        if devices.count(device) > 1:
            found.append(("duplicate", f"{devices.count(device)} starts on device {device}"))
    shown = {run.get("build_number"): run for run in (results or {}).get("runs", [])}
    for number in rig.known_results() - set(shown):
        found.append(("lost", f"the result of build {number} was known and is not in results.json"))
    for number, name, end in sorted(rig.known_cases()):
        states = [case["status"] for case in shown.get(number, {"cases": []})["cases"] if case["name"] == name]
        if not states or states[0] not in ({2: "passed", 3: "failed"}[end], "error"):
            found.append(("lost", f"'{name}' of build {number} was {'passed' if end == 2 else 'failed'}, is {states}"))
    if status in (0, 1):
        if results is None or not os.path.exists(os.path.join(rig.out, "junit.xml")):
            found.append(("lie", f"status {status} without reports"))
        for run in runs:
            if run["is_completed"] == 3 and run["build_number"] not in shown and not is_named_in_doubt(results, run):
                found.append(("lost", f"build {run['build_number']} is complete on the server and not in results.json"))
    whole = not any(fault.get("kind") == "shrink" for fault in rig.scenario.get("faults", []))  # else who can know
    if status == 0 and any(whole and len(run["cases"]) != 8 or any(case["status"] != "passed" for case in run["cases"])
                           for run in results["runs"]):
        found.append(("lie", "status 0, and not every test passed"))
    if status == 0 and (rig.module != 12 or len(runs) != rig.devices or any(r["is_completed"] != 3 for r in runs)):
        found.append(("lie", f"status 0 with {len(runs)} runs of module {rig.module}"))
    return found


def wait_for(child, rig, operation, call, seconds=TIME_LIMIT):
    """Until that call of the operation is in the sandbox's log, or the child is over."""
    ends = time.monotonic() + seconds
    while child.poll() is None and time.monotonic() < ends:
        if sum(request["operation"] == operation for request in rig.requests()) >= call:
            return True
        time.sleep(0.001)
    return False


def kill(child, number=signal.SIGKILL):
    if child.poll() is None:
        child.send_signal(number)

#!/usr/bin/env python3
"""Run one .case file: gridlane against its sandbox in a folder of its own, and what must be true afterwards.

usage: GRIDLANE=path/to/gridlane run_case.py FILE.case [--keep]

docs/development.md describes the directives. Beside what a case expects, every case fails on: a sanitizer's report, a
request that the API reference does not allow (unless `@ALLOW violations`), a JUnit file that is malformed or counts
wrongly, a secret in any output, and a command that takes longer than TIME_LIMIT.
"""
import base64
import fnmatch
import glob
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree
import zipfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
TIME_LIMIT = 60
SANITIZERS = re.compile(r"(Address|Leak|UndefinedBehavior|Thread)Sanitizer|runtime error: ")
BLOCKS = ("SCENARIO", "PIPELINE", "FILE")


class CaseError(Exception):
    """The case itself is wrong."""


class Step:
    """One command of the case, how it is disturbed, and what is expected of it."""

    def __init__(self, arguments, environment, files):
        self.arguments = arguments
        self.environment = dict(environment)
        self.files = dict(files)  # those that are written, or written anew, before it
        self.disturbance = None  # (signal, operation, number of the call)
        self.expectations = []


class Case:
    def __init__(self, path):
        self.scenario = self.pipeline = self.server = self.place = None
        self.files, self.environment, self.allowed, self.secrets, self.steps = {}, {}, set(), [], []
        with open(path, encoding="utf-8") as file:
            self.read(file.read().split("\n"))
        if not self.steps:
            raise CaseError("there is no @RUN or @ARGS")

    def read(self, lines):
        while lines:
            line = lines.pop(0)
            if not line.strip() or line.startswith("#"):
                continue
            match = re.match(r"@([A-Z]+)\s*(.*)", line)
            if not match:
                raise CaseError(f"neither a directive nor a comment: {line}")
            block = ""
            if match.group(1) in BLOCKS:
                while lines and not lines[0].startswith("@"):
                    block += lines.pop(0) + "\n"
            self.directive(match.group(1), match.group(2).strip(), block)

    def directive(self, name, rest, block):
        if name == "SCENARIO":
            self.scenario = block
        elif name == "PIPELINE":
            self.pipeline = block
        elif name == "FILE":
            self.files[rest] = block
        elif name == "ENV":
            key, _, value = rest.partition("=")
            self.environment[key] = value
        elif name == "IN":
            self.place = rest
        elif name == "SERVER":
            self.server = rest
        elif name == "ALLOW":
            self.allowed.add(rest)
        elif name == "SECRET":
            self.secrets.append(rest)
        elif name == "RUN":
            self.add_step("run --sandbox {PIPELINE} --out {OUT} " + rest)
        elif name in ("ARGS", "THEN"):
            self.add_step(rest)
        elif name in ("SIGNAL", "KILL"):
            self.steps[-1].disturbance = parse_disturbance(name, rest)
        elif name == "EXPECT":
            self.steps[-1].expectations.append(rest)
        else:
            raise CaseError(f"there is no directive @{name}")

    def add_step(self, arguments):
        self.steps.append(Step(arguments, self.environment, self.files))
        self.files.clear()


def parse_disturbance(name, rest):
    match = re.fullmatch((r"(\w+) " if name == "SIGNAL" else r"()") + r"after operation (\w+)(?: call (\d+))?", rest)
    if not match:
        raise CaseError(f"@{name} {rest}: say `{'NAME ' if name == 'SIGNAL' else ''}after operation ID [call N]`")
    word = match.group(1) or "KILL"
    return getattr(signal, "SIG" + word), match.group(2), int(match.group(3) or 1)


class Result:
    """What one command left behind."""

    def __init__(self, status, stdout, stderr, requests, out):
        self.status, self.stdout, self.stderr, self.requests, self.out = status, stdout, stderr, requests, out

    def operations(self):
        return [request["operation"] for request in self.requests]

    def read(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as file:
            return file.read()


class Runner:
    def __init__(self, case, folder):
        self.case, self.folder = case, folder
        self.gridlane = os.path.abspath(os.environ["GRIDLANE"])
        self.server = None
        self.places = {"OUT": os.path.join(folder, "out"), "ROOT": ROOT, "PIPELINE": "pipeline.yml"}
        self.prepare()

    def prepare(self):
        files = {"scenario.yml": self.scenario()}
        if self.case.pipeline is not None:
            files["pipeline.yml"] = self.case.pipeline
        self.write(files)
        os.makedirs(os.path.join(self.folder, "home"))

    def write(self, files):
        for name, text in files.items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if text.startswith("#!"):
                os.chmod(path, 0o755)

    def scenario(self):
        """The case's scenario, always with a token that is known here: it must be in no output."""
        text = self.case.scenario or ""
        match = re.search(r"^token: (\S+)$", text, re.M)
        token = match.group(1) if match else os.urandom(16).hex()
        self.case.secrets.append(token)
        return text if match else f"token: {token}\n{text}"

    def environment(self, log, step):
        home = os.path.join(self.folder, "home")
        kept = {name: value for name, value in os.environ.items()
                if name in ("PATH", "LD_LIBRARY_PATH") or name.endswith("SAN_OPTIONS")}
        # A time zone that needs no tzdata and is not whole hours away from UTC.
        return {**kept, "HOME": home, "XDG_CONFIG_HOME": home + "/config", "XDG_STATE_HOME": home + "/state",
                "XDG_CACHE_HOME": home + "/cache", "TMPDIR": home, "LC_ALL": "C", "TZ": "XYZ-5:30", "TERM": "dumb",
                "GRIDLANE_SANDBOX_LOG": log, **{k: self.fill(v) for k, v in step.environment.items()}}

    def fill(self, text):
        for name, value in self.places.items():
            text = text.replace("{" + name + "}", value)
        return text

    def arguments(self, step):
        words = shlex.split(self.fill(step.arguments))
        scenario = os.path.join(self.folder, "scenario.yml")
        words = ["--sandbox=" + scenario if word == "--sandbox" else word for word in words]
        return [self.gridlane, *words]

    def run(self):
        """Each command with its result, one after the other, so that each is judged before the next one runs."""
        log = os.path.join(self.folder, "requests.jsonl")
        if self.case.server is not None:
            self.start_server(log)
        try:
            for number, step in enumerate(self.case.steps):
                yield step, self.run_step(step, number, log)
        finally:
            if self.server:
                self.server.terminate()
                self.server.communicate()

    def start_server(self, log):
        step = self.case.steps[0]
        words = ["sandbox", "--log", log, "--scenario", "scenario.yml", *shlex.split(self.case.server)]
        self.server = subprocess.Popen([self.gridlane, *words], cwd=self.folder, env=self.environment(log, step), text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.server.stdout:
            match = re.search(r"http://127\.0\.0\.1:\d+", line)
            if match:
                self.places["URL"] = match.group()
                return
        raise CaseError("gridlane sandbox ended without saying its URL")

    def run_step(self, step, number, log):
        if not self.server:
            log = f"{log}.{number}"
        self.write(step.files)
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            child = subprocess.Popen(self.arguments(step), cwd=self.fill(self.case.place or self.folder),
                                     env=self.environment(log, step), stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, start_new_session=True)
            is_late = not self.wait(child, step.disturbance, log)
            stdout.seek(0)
            stderr.seek(0)
            texts = [file.read().decode("utf-8", "replace") for file in (stdout, stderr)]
        left = self.leftovers(child.pid)
        if left:
            texts[1] += f"\nprocesses were left behind: {sorted(left.values())}\n"
            is_late = True
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        elif is_late:
            texts[1] += f"\nthe command took longer than {TIME_LIMIT} s, or its signal had no time to come\n"
        status = child.returncode if child.returncode >= 0 else 128 - child.returncode
        return Result("late" if is_late else status, *texts, read_log(log), self.out_of(step))

    def out_of(self, step):
        words = shlex.split(self.fill(step.arguments))
        named = words[words.index("--out") + 1] if "--out" in words[:-1] else None
        known = [word for word in words if word == self.places["OUT"]]  # of `resume`, `cleanup`, `report` and others
        return os.path.join(self.folder, named or (known or ["gridlane-out/latest"])[0])

    @staticmethod
    def leftovers(session):
        """Live processes of a session; what has just been told to end gets five seconds."""
        ends = time.monotonic() + 5
        while True:
            found = {}
            for path in glob.glob("/proc/[0-9]*/stat"):
                try:
                    with open(path, encoding="utf-8", errors="replace") as file:
                        name, fields = file.read().rsplit(")", 1)
                except OSError:
                    continue
                if int(fields.split()[3]) == session and fields.split()[0] not in "ZX":
                    found[int(name.split()[0])] = name.split("(", 1)[1]
            if not found or time.monotonic() > ends:
                return found
            time.sleep(0.02)

    @staticmethod
    def wait(child, disturbance, log):
        """Wait for the child, send it its signal; false when the time is up (it is killed then)."""
        ends = time.monotonic() + TIME_LIMIT
        while child.poll() is None:
            if time.monotonic() > ends:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                return False
            if disturbance:
                number, operation, call = disturbance
                if sum(request["operation"] == operation for request in read_log(log)) >= call:
                    child.send_signal(number)
                    disturbance = None
            time.sleep(0.01)  # the child cannot wake us when its log grows
        return disturbance is None


def read_log(path):
    """The complete lines of the sandbox's log; the last may be half written."""
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]
    except FileNotFoundError:
        return []


# Expectations: each takes (result, the rest of its line) and gives what is wrong, or None.

def expect_exit(result, rest):
    if str(result.status) != rest:
        return f"exit status {result.status}"
    return None


def contains(text, rest):
    return None if rest in text else "it is not there"


def lacks(text, rest):
    return "it is there" if rest in text else None


def appears(text, rest):
    times, wanted = rest.split(" ", 1)
    found = text.count(wanted)
    return None if found == int(times) else f"it is there {found} times"


def expect_requests(result, rest):
    """Operations in order: `op`, `op*` one or more, `op?` none or one, `...` any number of any."""
    pattern = ""
    for word in rest.split():
        name = re.escape(word.rstrip("*?")) + " "
        tail = {"*": "+", "?": "?"}.get(word[-1], "")
        pattern += r"(?:\S+ )*" if word == "..." else f"(?:{name}){tail}"
    seen = "".join(operation + " " for operation in result.operations())
    return None if re.fullmatch(pattern, seen) else f"the requests were: {seen}"


def expect_count(result, rest):
    operation, count = rest.split()
    seen = result.operations().count(operation)
    return None if seen == int(count) else f"there were {seen}"


def expect_no_request(result, rest):
    if rest == "":
        return f"there were: {' '.join(result.operations())}" if result.requests else None
    return "it was sent" if rest in result.operations() else None


def expect_request(result, rest):
    """OPERATION NAME=VALUE; `*` in the value stands for any text."""
    operation, _, pair = rest.partition(" ")
    name, _, wanted = pair.partition("=")
    pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
    seen = [request["parameters"].get(name) for request in result.requests if request["operation"] == operation]
    if any(value is not None and re.fullmatch(pattern, str(value), re.S) for value in seen):
        return None
    return f"'{name}' was: {seen}"


def junit_counts(root):
    suites = root.iter("testsuite")
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in counts:
            counts[name] += int(suite.get(name, "0"))
    return counts


def expect_junit(result, rest):
    counts = junit_counts(xml.etree.ElementTree.fromstring(result.read("junit.xml")))
    wanted = {name: int(value) for name, value in (word.split("=") for word in rest.split())}
    wrong = {name: counts[name] for name in wanted if counts[name] != wanted[name]}
    return f"it says {wrong}" if wrong else None


def expect_junit_has(result, rest):
    text = result.read("junit.xml")
    return None if xml.etree.ElementTree.fromstring(text).find(rest) is not None else f"not found in:\n{text}"


def json_find(value, path):
    """a.b, a[0], a[key=text]: the one element that says so."""
    for name, index, key, text in re.findall(r"([\w-]+)(?![^[]*\])|\[(-?\d+)\]|\[([\w-]+)=([^]]*)\]", path):
        if key:
            value, = (one for one in value if str(one.get(key)) == text)
        else:
            value = value[name] if name else value[int(index)]
    return value


def expect_json(result, rest, name="results.json"):
    """PATH OPERATOR VALUE on results.json; VALUE is JSON, or else text; `~` is `contains`, `#` counts members."""
    path, operator, text = rest.split(None, 2)
    whole = json.loads(result.read(name))
    try:
        value = json_find(whole, path)
    except (KeyError, IndexError, TypeError, ValueError):
        value = None
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = text
    holds = {"==": lambda: value == wanted, "!=": lambda: value != wanted, ">=": lambda: value >= wanted,
             "<=": lambda: value <= wanted, "~": lambda: str(wanted) in str(value), "#": lambda: len(value) == wanted}
    return None if holds[operator]() else f"it is {json.dumps(value)}"


def expect_json_of(result, rest):
    """FILE PATH OPERATOR VALUE: the same on another file."""
    name, rest = rest.split(None, 1)
    return expect_json(result, rest, name)


def expect_file(result, rest):
    return None if glob.glob(os.path.join(result.out, rest)) else f"there are: {sorted(os.listdir(result.out))}"


def expect_no_file(result, rest):
    return f"there are: {glob.glob(os.path.join(result.out, rest))}" if expect_file(result, rest) is None else None


def expect_bundle_has(result, rest):
    names = [name for bundle in bundles(result.out) for name, _ in bundle_members(bundle)]
    return None if any(fnmatch.fnmatchcase(name, rest) for name in names) else f"there are: {names}"


EXPECTATIONS = {
    "exit": expect_exit,
    "stdout": lambda result, rest: contains(result.stdout, rest),
    "stderr": lambda result, rest: contains(result.stderr, rest),
    "output": lambda result, rest: contains(result.stdout + result.stderr, rest),
    "no-output": lambda result, rest: lacks(result.stdout + result.stderr, rest),
    "stdout-times": lambda result, rest: appears(result.stdout, rest),
    "no-stdout": lambda result, rest: lacks(result.stdout, rest),
    "no-stderr": lambda result, rest: lacks(result.stderr, rest),
    "requests": expect_requests,
    "requests-count": expect_count,
    "no-request": expect_no_request,
    "request": expect_request,
    "junit": expect_junit,
    "junit-has": expect_junit_has,
    "json": expect_json,
    "json-of": expect_json_of,
    "file": expect_file,
    "no-file": expect_no_file,
    "bundle-has": expect_bundle_has,
}


def bundles(out):
    return [path for end in ("tar.gz", "tar.xz", "zip") for path in glob.glob(os.path.join(out, "*." + end))]


def bundle_members(path):
    """(name, bytes) of each member."""
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as bundle:
            return [(name, bundle.read(name)) for name in bundle.namelist()]
    with tarfile.open(path) as bundle:
        return [(member.name, bundle.extractfile(member).read()) for member in bundle if member.isfile()]


# What is wrong whatever the case expects.

def check_junit(text):
    """Counters say what is there; nothing is there twice; a case has one outcome."""
    seen = set()
    root = xml.etree.ElementTree.fromstring(text)
    if root.tag != "testsuites":
        yield "its root is not <testsuites>"
    for suite in root.iter("testsuite"):
        cases = suite.findall("testcase")
        real = {"tests": len(cases), **{tag + "s" if tag != "skipped" else tag: 0 for tag in ("failure", "error", "skipped")}}
        for case in cases:
            key = case.get("classname"), case.get("name")
            outcomes = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            if key in seen:
                yield f"the case {key} is there twice"
            seen.add(key)
            if len(outcomes) > 1:
                yield f"the case {key} has {outcomes}"
            for tag in outcomes:
                real[tag + "s" if tag != "skipped" else tag] += 1
        said = {name: suite.get(name) for name in real}
        if said != {name: str(count) for name, count in real.items()}:
            yield f"the suite '{suite.get('name')}' says {said} and holds {real}"


def secret_forms(secret):
    raw = secret.encode()
    forms = {raw, urllib.parse.quote(secret, safe="").encode(), raw.hex().encode(), json.dumps(secret)[1:-1].encode()}
    for lead in range(3):  # base64 of a text that holds the secret, wherever in it: without the border characters
        text = base64.b64encode(b"\0" * lead + raw)
        forms.add(text[(8 * lead + 5) // 6:8 * (lead + len(raw)) // 6])
    return forms


def outputs_of(result):
    """(name, bytes) of everything that was written for others: the streams, the output folder, bundles' members."""
    yield "stdout", result.stdout.encode()
    yield "stderr", result.stderr.encode()
    for folder, _, names in os.walk(result.out):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield os.path.relpath(path, result.out), file.read()
    for bundle in bundles(result.out):
        for name, content in bundle_members(bundle):
            yield f"{os.path.basename(bundle)}: {name}", content


def check_always(case, result):
    if SANITIZERS.search(result.stderr):
        yield "a sanitizer reports"
    if "violations" not in case.allowed:
        for request in result.requests:
            if request["violations"]:
                yield f"request {request['n']} ({request['operation']}) violates the reference: {request['violations']}"
    if os.path.exists(os.path.join(result.out, "junit.xml")):
        yield from ("junit.xml: " + words for words in check_junit(result.read("junit.xml")))
    if os.path.exists(os.path.join(result.out, "results.json")):
        json.loads(result.read("results.json"))
    for secret in case.secrets:
        for name, content in outputs_of(result):
            if any(form in content for form in secret_forms(secret)):
                yield f"a secret is in {name}"


def check_step(case, step, result):
    for line in step.expectations:
        name, _, rest = line.partition(" ")
        if name not in EXPECTATIONS:
            raise CaseError(f"there is no @EXPECT {name}")
        try:
            wrong = EXPECTATIONS[name](result, rest.strip())
        except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
            wrong = str(error)
        if wrong:
            yield f"@EXPECT {line}: {wrong}"
    try:
        yield from check_always(case, result)
    except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
        yield f"an output cannot be read: {error}"


def show(runner, step, result, wrongs):
    print("$ gridlane " + " ".join(shlex.quote(word) for word in runner.arguments(step)[1:]))
    for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
        if text:
            print(f"-- {name}\n{text.rstrip()}")
    print("-- requests\n" + " ".join(result.operations()))
    for wrong in wrongs:
        print(f"WRONG: {wrong}")


def main():
    keep = "--keep" in sys.argv
    path = next((word for word in sys.argv[1:] if word != "--keep"), None)
    if path is None or not os.access(os.environ.get("GRIDLANE", ""), os.X_OK):
        print(__doc__)
        return 2
    folder = tempfile.mkdtemp(prefix="gridlane-case-")
    failed = False
    try:
        case = Case(path)
        runner = Runner(case, folder)
        for step, result in runner.run():
            wrongs = list(check_step(case, step, result))
            if wrongs:
                show(runner, step, result, wrongs)
                failed = True
    except CaseError as error:
        print(f"{path}: {error}")
        failed = True
    finally:
        if keep:
            print(f"kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

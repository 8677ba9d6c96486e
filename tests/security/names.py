#!/usr/bin/env python3
"""Hostile names of tests, devices and modules, and hostile reasons: console, JUnit, summary, page and events stay
harmless, and say all the same how many tests there were and how each ended.

usage: GRIDLANE=path/to/gridlane names.py
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
import xml.etree.ElementTree

NAMES = [
    "::set-output name=x::y", "::error file=a.c,line=1::owned", "::stop-commands::t0k3n", "::add-mask::a",
    "##vso[task.setvariable variable=x]y", "##[error]owned", "##[command]rm -rf", "##teamcity[testFailed name='x']",
    "a\n::error::second line", "a\r::warning::after a return", "a\r\n##[section]x", "\x1b[0Ksection_start:1:x\r\x1b[0Kx",
    "\x1b]0;title\x07", "\x1b]52;c;b3duZWQ=\x07", "\x1b]8;;http://evil/\x07click\x1b]8;;\x07", "\x1b[8mha:AAAA\x1b[0m",
    "\x9b31mred", "\u202egnp.exe", "\u2066hidden\u2069", "\ufeffbom", "]]>", "<![CDATA[x]]>", "<!--x-->", "<?xml?>",
    "<script>alert(1)</script>", "&lt;&amp;&#0;", "\"quoted' <b>", "| a | b |\n|---|---|", "`code` **bold** [a](javascript:b)",
    "<img src=x onerror=alert(1)>", "--- section", "+++ open", "~~~ muted", "^^^ +++", "%0A::error::x", "%s%n%d",
    "\x07\x08\x0b\x0c\x7f", "\u0085next", "\u2028line\u2029para", "\ufffe\uffff", "../../etc/passwd", "a/b\\c", " ",
    "name " + "x" * 5000, "ünïcödé 名前 🙂", "\ud83d\ude42".encode("utf-16", "surrogatepass").decode("utf-16"),
]
PIPELINE = """
version: 1
name: names
app: { name: Shop, platform: android }
artifacts: { bundle: all.tar.gz }
devices:
  phone: { any_of: [{ manufacturer: Evil }] }
steps:
  - id: version
    uses: create_version
    with: { name: "1", reuse: true }
  - id: build
    uses: upload_build
    with: { file: shop.apk, version: "${{ steps.version }}" }
  - uses: install
    with: { build: "${{ steps.build }}", device: "${{ devices.phone[0] }}" }
  - id: tests
    uses: app_build_run
    with: { build: "${{ steps.build }}", device: "${{ devices.phone[0] }}", module: 12 }
reports: { junit: junit.xml, summary: summary.md }
"""
FORMATS = ("html json junit-files ctrf allure tap github gitlab azure teamcity buildkite predicate attestation").split()
# Formats that are words of commands on stdout. All else in a line of theirs is text, with the signs of the commands escaped.
OWN_COMMAND = re.compile(r"^(::(error|warning|notice|group|endgroup)( [^:]*)?::(?!.*##\[)|##vso\[task\.\w+( [^\]]*)?\](?!.*##\w*\[)|"
                         r"##\[(section|group|endgroup)\]|##teamcity\[\w+ ([^|\]]|\|.)*\]$)")
ALLOWED_CONTROLS = {"\n", "\t"}
COMMAND = re.compile(r"^\s*::\S|##\w*\[", re.M)


def scenario():
    tests = [{"name": name, "seconds": 1, "outcome": "fail" if number % 3 == 0 else "pass",
              **({"reason": f"{name} because " + NAMES[-number]} if number % 3 == 0 else {})}
             for number, name in enumerate(NAMES)]
    tests.append({"name": "long", "seconds": 1, "outcome": "fail", "reason": "r\x1b[31m" * 90000})
    return {"modules": [{"id": 12, "name": "Smoke\x1b[2J::error::x", "platform": "android", "tests": tests}],
            "devices": [{"id": 3, "name": "Galaxy \x1b[31m::error::\r\n##vso[x]y ]]> \u202e", "platform": "android", "os": "14",
                         "manufacturer": "Evil", "tags": "a"}]}, tests


def as_yaml(value):
    """JSON is YAML, but for signs that YAML wants escaped."""
    text = json.dumps(value, ensure_ascii=True)
    return re.sub(r"\\ud[89ab]..\\ud[c-f]..", lambda m: "\\U%08x" % ord(json.loads(f'"{m[0]}"')), text)


def controls(text):
    return {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf") and sign not in ALLOWED_CONTROLS
            and sign not in "\u200d\u00ad"}


def check_text(name, text, has_commands=False):
    found = controls(text)
    if found:
        yield f"{name} holds {[hex(ord(sign)) for sign in found]}"
    match = None if has_commands else COMMAND.search(text)
    if match:
        yield f"{name}: a command: …{text[match.start():match.start() + 100]!r}"


def check_junit(path, tests):
    root = xml.etree.ElementTree.parse(path).getroot()
    cases = list(root.iter("testcase"))
    failures = sum(case.find("failure") is not None for case in cases)
    wanted = sum(test["outcome"] == "fail" for test in tests)
    if len(cases) != len(tests) or failures != wanted:
        yield f"junit.xml has {len(cases)} cases and {failures} failures, not {len(tests)} and {wanted}"
    if len({(case.get("classname"), case.get("name")) for case in cases}) != len(cases):
        yield "junit.xml has two cases of one name"
    yield from check_text("junit.xml", "\n".join(root.itertext()), has_commands=True)  # no log
    for element in root.iter():
        for value in element.attrib.values():
            yield from check_text("an attribute of junit.xml", value, has_commands=True)
            if "\n" in value or len(value.encode()) > 4096:
                yield f"an attribute of junit.xml: {value[:200]!r}"


def check_page(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for bad in ("<script>alert", "<img src=x", "javascript:b\"", "<b>"):
        if bad in text:
            yield f"{os.path.basename(path)} holds {bad}"
    yield from check_text(os.path.basename(path), text)


def texts_in(value):
    """Every text of a JSON value, its keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from texts_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_in(member)


def check_file(path, shown):
    """Whatever a report is: names that are safe for every file system, valid UTF-8, no control, parts that parse."""
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", shown) or any(part in ("", ".", "..") for part in shown.split("/")):
        yield f"the name {shown!r}"
    if os.path.islink(path):
        yield f"{shown} is a link"
    with open(path, "rb") as file:
        raw = file.read()
    if shown.endswith((".gz", ".apk", ".mp4")):
        return
    text = raw.decode("utf-8")  # strictly
    if shown.endswith(".xml"):
        root = xml.etree.ElementTree.fromstring(raw)
        for element in root.iter():
            for value in [element.text or "", element.tail or "", *element.attrib.values()]:
                yield from check_text(shown, value, has_commands=True)
    elif shown.endswith((".json", ".jsonl")):
        for line in text.split("\n") if shown.endswith(".jsonl") else [text]:
            if shown.startswith("journal") or not line:  # the journal keeps what the server said: it is escaped there
                continue
            value = json.loads(line)
            if "allure" in shown or "ctrf" in shown or "test-result" in shown:
                yield from (wrong for inner in texts_in(value) for wrong in check_text(shown, inner, has_commands=True))
    else:
        yield from check_text(shown, text, has_commands=shown.endswith(".html"))


def check_formats(gridlane, folder, environment, tests):
    """Each further format, made of the same results: its files, and what it says on stdout."""
    wanted = sum(test["outcome"] == "fail" for test in tests)
    key = folder + "/key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    for name in FORMATS:
        done = subprocess.run([gridlane, "report", "out", "--report", name, "--sign-with", key], cwd=folder, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100, check=False)
        out = done.stdout.decode("utf-8")
        if done.returncode != 0:
            yield f"{name}: exit {done.returncode}: {done.stderr[-300:]}"
        if name == "gitlab":  # its own sections
            out = re.sub("^\x1b\\[0Ksection_(start|end):[0-9]+:[a-z_]+(\\[collapsed=true\\])?\r\x1b\\[0K", "", out, flags=re.M)
        found = controls(out)
        if found:
            yield f"stdout of {name} holds {[hex(ord(sign)) for sign in found]}"
        for line in out.split("\n"):
            if COMMAND.search(line) and not OWN_COMMAND.match(line):
                yield f"{name}: a command: {line[:200]!r}"
    for place, _, names in os.walk(folder + "/out"):
        for name in names:
            path = os.path.join(place, name)
            yield from check_file(path, os.path.relpath(path, folder + "/out"))
    with open(folder + "/out/ctrf.json", encoding="utf-8") as file:
        summary = json.load(file)["results"]["summary"]
    if (summary["tests"], summary["failed"]) != (len(tests), wanted):
        yield f"ctrf.json says {summary}"
    with open(folder + "/out/results.tap", encoding="utf-8") as file:
        lines = file.read().split("\n")
    if sum(line.startswith("not ok ") for line in lines) != wanted or f"1..{len(tests)}" not in lines:
        yield f"results.tap has {sum(line.startswith('not ok ') for line in lines)} failures; {lines[:3]}"
    allure = glob.glob(folder + "/out/allure-results/*-result.json")
    if len(allure) != len(tests):
        yield f"{len(allure)} results of allure"


def check(gridlane, folder):
    hostile, tests = scenario()
    for name, text in (("pipeline.yml", PIPELINE), ("scenario.yml", as_yaml(hostile)), ("shop.apk", "apk")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "CI": "true", "GITHUB_STEP_SUMMARY": folder + "/step.md",
                   **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}}
    done = subprocess.run([gridlane, "run", "--sandbox=scenario.yml", "pipeline.yml", "--out", "out", "--verbose", "--trace",
                           "--events", "events.jsonl"], cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=100, check=False)
    out = done.stdout.decode("utf-8")  # strictly: what is not UTF-8 is wrong
    err = done.stderr.decode("utf-8")
    if done.returncode != 1:
        yield f"exit {done.returncode}: {out[-2000:]}{err[-2000:]}"
        return
    yield from check_text("stdout", out)
    yield from check_text("stderr", err)
    for number, line in enumerate(out.split("\n")):
        if len(line.encode()) > 8192:
            yield f"line {number} of stdout has {len(line.encode())} bytes"
    yield from check_junit(folder + "/out/junit.xml", tests)
    for path in glob.glob(folder + "/out/*.md") + glob.glob(folder + "/out/*.html") + glob.glob(folder + "/*.md"):
        yield from check_page(path)
    with open(folder + "/out/results.json", encoding="utf-8") as file:
        totals = json.load(file)["totals"]
    if totals.get("failed") != sum(test["outcome"] == "fail" for test in tests):
        yield f"results.json says {totals}"
    with open(folder + "/events.jsonl", encoding="utf-8") as file:
        for line in file:
            json.loads(line)
    yield from check_formats(gridlane, folder, environment, tests)


def main():
    with tempfile.TemporaryDirectory(prefix="gridlane-names-") as folder:
        wrongs = list(check(os.path.abspath(os.environ["GRIDLANE"]), folder))
    for wrong in wrongs[:30]:
        print("WRONG: " + wrong)
    print(f"{len(NAMES)} names, {len(wrongs)} wrong")
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())

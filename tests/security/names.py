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


def main():
    with tempfile.TemporaryDirectory(prefix="gridlane-names-") as folder:
        wrongs = list(check(os.path.abspath(os.environ["GRIDLANE"]), folder))
    for wrong in wrongs[:30]:
        print("WRONG: " + wrong)
    print(f"{len(NAMES)} names, {len(wrongs)} wrong")
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())

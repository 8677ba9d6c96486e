#!/usr/bin/env python3
"""What `gridlane init` writes, for each CI and each platform that it offers: the pipeline is fine and green on the sandbox, the job
names it, the schema that the pipeline's first line names is there, and nothing is written over.

usage: GRIDLANE=path init_all.py
"""
import json
import os
import re
import subprocess
import sys
import tempfile

GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
APPS = {"android": "shop.apk", "ios": "shop.ipa", "web": None}


def gridlane(folder, *arguments):
    environment = {name: value for name, value in os.environ.items()
                   if name in ("PATH", "LD_LIBRARY_PATH") or name.endswith("SAN_OPTIONS")}
    done = subprocess.run([GRIDLANE, *arguments], cwd=folder, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env=environment)
    return done.returncode, done.stdout + done.stderr


def choices(option):
    """What tab completion offers: the table's own words."""
    said = gridlane(".", "completion", "words", "--", "init", option, "")[1]
    return [line.split("\t")[0] for line in said.splitlines()]


def files(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names
                  if "gridlane-out" not in top)


def problems(platform, ci):
    with tempfile.TemporaryDirectory() as folder:
        app = APPS[platform]
        if app:
            with open(os.path.join(folder, app), "w", encoding="utf-8") as file:
                file.write("not really an app\n")
        arguments = ["init", "--platform", platform, "--ci", ci, *(["--app", app] if app else [])]
        status, said = gridlane(folder, *arguments)
        if status != 0:
            yield f"init: exit status {status}: {said}"
            return
        pipeline = "ci/device-tests.yml"
        jobs = [name for name in files(folder) if name not in (pipeline, "ci/gridlane.schema.json", app)]
        if len(jobs) != (0 if ci == "none" else 1):
            yield f"files for the CI: {jobs}"
        for name in jobs:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            if pipeline not in text or "ci/nightly.yml" in text:
                yield f"{name} does not name {pipeline}"
            if "junit.xml" in text:
                yield f"{name} takes the first file of a long JUnit report alone"
        with open(os.path.join(folder, pipeline), encoding="utf-8") as file:
            schema = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read())
        with open(os.path.join(folder, "ci", schema.group(1)), encoding="utf-8") as file:
            if json.load(file).get("$schema") != "https://json-schema.org/draft/2020-12/schema":
                yield "the schema is none"
        for command in (["validate", pipeline], ["run", "--sandbox", pipeline, "--no-progress"]):
            status, said = gridlane(folder, *command)
            if status != 0:
                yield f"{command[0]}: exit status {status}: {said}"
        before = files(folder)
        status, said = gridlane(folder, *arguments)
        if status != 2 or files(folder) != before:
            yield f"a second init: exit status {status}: {said}"


def main():
    wrong = 0
    systems, platforms = choices("--ci"), choices("--platform")
    offered = re.search(r"it is one of (.*)", gridlane(".", "init", "--ci", "hudson", "--platform", "web")[1]).group(1)
    if sorted(re.split(r", | or ", offered)) != sorted(systems) or sorted(platforms) != sorted(APPS):
        print(f"the options offer {systems} and {platforms}, init has {offered}")
        wrong += 1
    for platform, ci in [("android", ci) for ci in systems] + [(platform, "none") for platform in platforms[1:]]:
        for problem in problems(platform, ci):
            print(f"{platform}, {ci}: {problem}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

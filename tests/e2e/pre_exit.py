#!/usr/bin/env python3
"""Buildkite's hook, as the agent runs it after a job: what could not be given back fails the job, and what failed is annotated
all the same; a job of another kind is left alone.

usage: GRIDLANE=path pre_exit.py
"""
import os
import subprocess
import sys
import tempfile

GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../ci-templates/buildkite/pre-exit")


def run(gridlane, is_annotated):
    """The hook's exit status, and what the agent was told."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("gridlane", gridlane), ("buildkite-agent", 'echo "$*" >told; cat >>told')):
            path = os.path.join(folder, "bin", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n{text}\n")
            os.chmod(path, 0o755)
        if is_annotated:
            os.makedirs(os.path.join(folder, "gridlane-out/job"))
            with open(os.path.join(folder, "gridlane-out/job/annotation.md"), "w", encoding="utf-8") as file:
                file.write("what failed\n")
        done = subprocess.run(["bash", HOOK], cwd=folder, check=False, capture_output=True, text=True,
                              env={**os.environ, "PATH": folder + "/bin:" + os.environ["PATH"]})
        told = os.path.join(folder, "told")
        text = ""
        if os.path.exists(told):
            with open(told, encoding="utf-8") as file:
                text = file.read()
        return done.returncode, text


def main():
    annotated = "annotate --context gridlane\nwhat failed\n"
    wrong = 0
    for what, gridlane, is_annotated, wanted in (
            ("a job that holds nothing", "exit 0", True, (0, annotated)),
            ("a device that stays held", "exit 3", True, (3, annotated)),
            ("a job without gridlane", f'exec "{GRIDLANE}" "$@"', False, (0, ""))):
        found = run(gridlane, is_annotated)
        if found != wanted:
            print(f"{what}: {found}, not {wanted}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

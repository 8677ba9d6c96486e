#!/usr/bin/env python3
"""A cancelled step of GitHub Actions: INT to its entry process, TERM 7.5 s later, KILL 2.5 s after that. What the templates run there
leaves reports and, after the step that is always run, holds nothing. All times are a fifth, gridlane's grace too.

usage: GRIDLANE=path cancelled_step.py
"""
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../faults"))
import rig  # noqa: E402

ROOT = os.path.join(HERE, "../..")
ENDLESS = {"modules": [{"id": 12, "name": "Endless", "platform": "android", "suite": "smoke", "run": "never_ends"}]}
# the first answers to what gives back never come: what is held when gridlane has to end is left to `cleanup`
DEAF = {**ENDLESS, "faults": [{"operation": "release_reserve_device", "call": call, "kind": "hang", "work": False}
                             for call in range(1, 3)]}
INT_TO_TERM, TERM_TO_KILL = 1.5, 0.5
SETTINGS = {"GRIDLANE_GRACE": "1s", "GRIDLANE_TIME_SCALE": str(rig.SCALE), "GITHUB_ACTIONS": "true",
            "PIPELINE": "ci/nightly.yml", "OUT": "gridlane-out/job", "ARGUMENTS": ""}


def commands(template):
    """The command that runs, and the one that is always run."""
    with open(os.path.join(ROOT, "ci-templates/github", template), encoding="utf-8") as file:
        lines = re.findall(r"^ +run: (.*)$", file.read(), re.M)
    return ([line for line in lines if "gridlane run" in line][0], [line for line in lines if "gridlane cleanup" in line][0])


class Job:
    """A workspace with the pipeline, and a shell for each step, as GitHub starts one."""

    def __init__(self, one):
        self.one = one
        os.makedirs(os.path.join(one.folder, "bin"))
        os.makedirs(os.path.join(one.folder, "ci"))
        os.symlink(rig.GRIDLANE, os.path.join(one.folder, "bin/gridlane"))
        one.write("ci/nightly.yml", rig.PIPELINE.format(devices=2, module=12))
        self.environment = {**one.environment(), **SETTINGS}
        self.environment["PATH"] = os.path.join(one.folder, "bin") + ":" + self.environment["PATH"]

    def start(self, name, command):
        for file in ("SUMMARY", "OUTPUT"):
            self.environment["GITHUB_STEP_SUMMARY" if file == "SUMMARY" else "GITHUB_OUTPUT"] = os.path.join(
                self.one.folder, f"{name}.{file}")
        self.one.write("step.sh", command + "\n")
        return subprocess.Popen(["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"], cwd=self.one.folder,
                                env=self.environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def cancel(self, step):
        """The last signal that was needed."""
        for number, patience in ((signal.SIGINT, INT_TO_TERM), (signal.SIGTERM, TERM_TO_KILL), (signal.SIGKILL, 60)):
            step.send_signal(number)
            try:
                step.communicate(timeout=patience)
                return number
            except subprocess.TimeoutExpired:
                continue
        return None

    def read(self, name):
        path = os.path.join(self.one.folder, name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read()


def problems(template, scenario, is_stopped):
    run, cleanup = commands(template)
    if not run.startswith("exec "):
        yield f"'{run}' is no exec: the signal would go to the shell"
    with rig.Rig(scenario) as one:
        job = Job(one)
        step = job.start("run", run)
        if not rig.wait_for(step, one, "execution_details", 2):
            yield f"the run did not come to its polls: {step.communicate()[0]}"
            return
        if is_stopped:
            step.send_signal(signal.SIGSTOP)  # a machine that is too busy for it to do anything
        last = job.cancel(step)
        if (last == signal.SIGKILL) != is_stopped:
            yield f"it was ended by {last.name}"
        if not is_stopped and not job.read("gridlane-out/job/junit.xml"):
            yield "it left no junit.xml"
        left = len(one.state()["reservations"])
        if left != (0 if scenario is ENDLESS and not is_stopped else 2):
            yield f"{left} reservations were left to the cleanup"
        always = job.start("cleanup", cleanup)
        said = always.communicate(timeout=60)[0]
        if always.returncode != 0:
            yield f"cleanup: exit status {always.returncode}: {said}"
        if one.state()["reservations"]:
            yield f"reservations are held: {said}"
        if not job.read("gridlane-out/job/junit.xml") or not (job.read("run.SUMMARY") + job.read("cleanup.SUMMARY")).strip():
            yield "there are no reports"
        step = "cleanup" if is_stopped else "run"  # a killed run has no outputs of its own
        if job.read(f"{step}.OUTPUT").count("verdict=") != 1:
            yield f"the outputs of {step}: {job.read(f'{step}.OUTPUT')}"


def main():
    wrong = 0
    for template in ("gridlane.yml", "reusable.yml", "action.yml"):
        for name, scenario, is_stopped in (("in time", ENDLESS, False), ("deaf", DEAF, False), ("killed", ENDLESS, True)):
            if template != "gridlane.yml" and name != "in time":
                continue
            for problem in problems(template, scenario, is_stopped):
                print(f"{template}, {name}: {problem}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

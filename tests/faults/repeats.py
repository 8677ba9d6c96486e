"""Pipelines that start tests again, share them between lanes, or run natively: what each of them may start, and show.

A plan is reckoned from the scenario alone: which tests each start of a device is for. The sandbox's own books must be
that plan, or (of a run that did not come to its end) a beginning of it.
"""
import re

import rig

NAMES = ["Launches", "Adds to cart", "Pays", "Ships", "Signs out", "Signs in"]
FAILS = {"Adds to cart": 1, "Pays": 2, "Ships": 99}  # so many runs on a device fail
STOP_AFTER = 4

PIPELINE = """version: 1
name: repeats
app: {{ name: Shop, platform: android }}
devices:
  phones: {{ any_of: [{{ name: "Pixel *" }}, {{ name: "Galaxy *" }}], count: 2, reserve: 30m }}
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
  - id: phones
    matrix: {{ device: "${{{{ devices.phones }}}}" }}
    steps:
      - uses: install
        with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ matrix.device }}}}" }}
      - id: tests
        uses: {uses}
        with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ matrix.device }}}}", {fields} }}
        rerun: {{ failed_only: {failed_only}, max: {max}, not_run: {not_run} }}
{more}reports: {{ junit: junit.xml }}
"""
QUARANTINE = '- { test: Ships, reason: no carrier, owner: logistics, until: 9999-12-31 }\n'
NATIVE = {"match": "*", "platform": "android", "all": 3, "passed": 2, "failed": 1, "seconds": 8, "log": "instrumentation",
          "tests": [{"class": "com.shop.A", "name": "one"}, {"class": "com.shop.A", "name": "two", "outcome": "fail"},
                    {"class": "com.shop.B", "name": "three"}]}


class Repeats:
    """One such pipeline, by chance."""

    def __init__(self, chance):
        self.kind = chance.choice(["selected", "selected", "whole", "split", "not_run", "native"])
        self.max, self.not_run = chance.choice([1, 1, 2]), 1 if self.kind == "not_run" else 0
        self.has_quarantine = self.kind != "native" and chance.random() < 0.5

    def scenario(self):
        module = {"id": 12, "name": "Shop", "platform": "android", "suite": "shop"}
        if self.kind == "not_run":
            module.update(run="stopped", stop_after=STOP_AFTER, stops=1)
        tests = [{"id": 501 + at, "name": name, "seconds": 2, "fails": FAILS.get(name, 0)} for at, name in enumerate(NAMES)]
        return {"suites": {"shop": tests}, "modules": [module], "native": [NATIVE]}

    def write(self, one):
        ids = ", ".join(f"{name}: {501 + at}" for at, name in enumerate(NAMES))
        fields = {"native": "file: shop-androidTest.apk", "whole": "module: 12"}.get(
            self.kind, f"module: 12, testcases: {{ {ids} }}")
        more = "        split: { lanes: 2, by: count }\n" if self.kind == "split" else ""
        more += "quarantine: quarantine.yml\n" if self.has_quarantine else ""
        one.write("quarantine.yml", QUARANTINE)
        one.write("shop-androidTest.apk", "tests\n")
        one.write("pipeline.yml", PIPELINE.format(
            uses="native_test" if self.kind == "native" else "app_build_run", fields=fields, max=self.max,
            failed_only="false" if self.kind == "native" else "true", not_run=self.not_run, more=more))

    def is_repeated(self, name, end):
        return end == "not run" if end != "failed" else not (self.has_quarantine and name == "Ships")

    def plan(self, first, is_stopped=False):
        """The tests that each start of a device is for (those alone whose outcome is taken), and the last ends, by name.
        is_stopped: the first one was."""
        ends, starts, left = {}, [], {"failed": self.max, "not run": self.not_run}
        wanted = list(first)
        for number in range(1 + self.max + self.not_run):
            starts.append(wanted)
            for at, name in enumerate(wanted):
                ends[name] = "failed" if FAILS.get(name, 0) > number else "passed"
                if is_stopped and number == 0 and at >= STOP_AFTER:
                    ends[name] = "not run"
            if "passed" not in ends.values() and list(ends.values()).count("failed") > 1:
                break  # a broken build
            due = {end for name, end in ends.items() if self.is_repeated(name, end) and left.get(end, 0) > 0}
            wanted = [name for name in first if ends[name] in due and self.is_repeated(name, ends[name])]
            if not wanted:
                break
            for end in due:
                left[end] -= 1
        return starts, ends

    def plan_of(self, state, device):
        """Of a device that was started on."""
        runs = rig.own_runs(state)
        first = [run for run in runs if run["device_id"] == device][0]
        return self.plan(first["names"], first["is_completed"] == 4)

    def passes(self, state, device):
        ends = self.plan_of(state, device)[1]
        return all(end == "passed" or self.has_quarantine and name == "Ships" for name, end in ends.items())


def by_device(runs):
    groups = {}
    for run in runs:
        groups.setdefault(run["device_id"], []).append(run)
    return groups


def hides_tests(one):
    """A result that lacks its tests is started again as a whole, and says nothing against tests seen before."""
    return any(fault["kind"] in ("shrink", "device_vanishes") for fault in one.scenario["faults"])


def is_in_doubt(one, results):
    """Was there trouble beside tests that failed, or a signal? Then nothing is started again, and who can know how often.
    """
    if any(record["type"] == "run_cancelled" for record in one.records()):
        return True
    problems = results["problems"] + [problem for run in results["runs"] for problem in run["problems"]]
    return hides_tests(one) or any(
        problem["failure"] != "failed" and not problem.get("warning") for problem in problems)


def wrong_starts(one, repeats, state, status, results):
    """Of the sandbox's books: each start is one of the plan's, in its order, and none is there twice."""
    found, is_exact = [], status in (0, 1) and results and not is_in_doubt(one, results)
    if repeats.kind == "native":
        for device, runs in by_device(state["native_runs"]).items():
            if len(runs) > 1 + repeats.max or is_exact and len(runs) != 1 + repeats.max:
                found.append(("duplicate", f"{len(runs)} native starts on device {device}, {1 + repeats.max} planned"))
        return found
    for device, runs in by_device(rig.own_runs(state)).items():
        starts = repeats.plan_of(state, device)[0]
        is_whole = repeats.kind == "whole"
        planned, done = [runs[0]["names"] if is_whole else names for names in starts], [run["names"] for run in runs]
        is_more = len(done) > 1 + repeats.max + repeats.not_run
        if is_more or not hides_tests(one) and done != planned[:len(done)] or is_exact and len(done) != len(planned):
            found.append(("duplicate", f"starts on device {device}: {done}, planned: {planned}"))
    if repeats.kind == "split":
        firsts = [name for runs in by_device(rig.own_runs(state)).values() for name in runs[0]["names"]]
        if len(set(firsts)) != len(firsts) or is_exact and len(firsts) != len(NAMES):
            found.append(("duplicate", f"the lanes share their tests so: {firsts}"))
    return found


def round_of(run, number):
    """Which of a result's starts that build is: 0 the first one; None: not of this result."""
    numbers = [run.get("build_number")] + [again.get("build_number") for again in run.get("reruns", [])]
    return numbers.index(number) if number in numbers else None


def wrong_cases(repeats, state, known, results):
    """Each end of a test that an answer once showed is in the reports: as an attempt, or as its last outcome."""
    found = []
    for number, name, end in sorted(known):
        said = {2: "passed", 3: "failed"}[end]
        runs = [run for run in results["runs"] if round_of(run, number) is not None]
        if not runs:
            found.append(("lost", f"build {number} is in no result, and '{name}' was {said} in it"))
            continue
        at = round_of(runs[0], number)
        cases = [case for case in runs[0]["cases"] if case["name"] == name]
        ends = [one["status"] for case in cases for one in case.get("attempts", []) + [case]]
        starts = repeats.plan_of(state, runs[0]["device"]["device_id"])[0]
        if at > 0 and (at >= len(starts) or name not in starts[at]):
            continue  # started with all others: its first outcome stands
        if at > 0 and runs[0]["reruns"][at - 1].get("failure") == "inconsistent":
            continue  # the answers took it back, which is said; what was known before it stands
        if not ends or (ends[0] not in (said, "error") if at == 0 else said not in ends[1:]):
            found.append(("lost", f"'{name}' was {said} in start {at} ({number}), and is {ends}"))
    return found


def wrong_natives(one, results):
    """Counts that an answer once showed of a native run are in its case's words or its own counts."""
    found = []
    for identity, seen in one.known_natives().items():
        runs = [run for run in results["runs"]
                if identity in [run.get("native_id")] + [again.get("native_id") for again in run.get("reruns", [])]]
        words = [case.get("reason") or "" for run in runs for case in run["cases"]]
        if not runs or not (len(runs[0]["cases"]) > 1 or runs[0].get("reruns") or any(
                re.search(rf"\b{seen['passed']} of {seen['all']} tests passed", text) for text in words)):
            found.append(("lost", f"native run {identity} was seen with {seen}, its cases say {words}"))
    return found


def wrong_report(one, repeats):
    results = one.results()
    if not results:
        return [("lost", "there is no results.json")] if one.known_cases() else []
    return wrong_cases(repeats, one.state(), one.known_cases(), results) + wrong_natives(one, results)


def wrong(one, repeats, status):
    state, results = one.state(), one.results()
    found = wrong_starts(one, repeats, state, status, results) + wrong_report(one, repeats)
    groups = by_device(rig.own_runs(state))
    if status == 0 and (repeats.kind == "native" or len(groups) != 2 or not all(
            repeats.passes(state, device) for device in groups)):
        found.append(("lie", "status 0, and not every test passed at last"))
    if status in (0, 1) and not is_in_doubt(one, results) and repeats.kind != "native":
        for device in groups:
            ends = repeats.plan_of(state, device)[1]
            shown = {case["name"]: case["status"] for run in results["runs"] if run["device"]["device_id"] == device
                     for case in run["cases"]}
            if shown != {name: "error" if end == "not run" else end for name, end in ends.items()}:
                found.append(("lost", f"device {device}: {shown}, and it was to be {ends}"))
    return found

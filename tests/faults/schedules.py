#!/usr/bin/env python3
"""Seeded schedules of faults and kills against the sandbox: what is promised must hold after each.

usage: GRIDLANE=path/to/gridlane schedules.py [COUNT [FIRST_SEED]]; WORKERS=N: so many side by side (three a
processor); REPEATS=0..1: so many of them with the pipelines of repeats.py (0.2)

Each seed makes a scenario (faults of the exchange, lists that lag, other people's builds; one in five has a pipeline
of repeats.py, with reruns, a split, a quarantine or native tests), kills the runner at random points, goes on with `run`
on the same folder, and ends with `cleanup`. Told to stop (TERM), it says how far it came. KEEP=1 keeps the folders of failed seeds.
"""
import concurrent.futures
import os
import random
import signal
import sys
import time

import repeats
import rig

OPERATIONS = ["get_applications_list", "get_application_info", "create_version", "get_build_version_info",
              "app_build_upload", "get_device_list", "reserve_device", "reserve_device_list",
              "app_build_install_synchronous", "build_list", "app_build_run", "execution_details",
              "release_reserve_device"]
LATE_OPERATIONS = ["app_build_run", "execution_details", "build_list", "get_native_test_results",
                   "run_native_test_android"]
# Side by side: a schedule waits most of its time, for emulated seconds and for processes.
WORKERS = int(os.environ.get("WORKERS") or 3 * (os.cpu_count() or 2))
REPEATS_SHARE = float(os.environ.get("REPEATS", "0.2"))  # of the pipelines: reruns, splits, quarantines, native tests
KINDS = ["reset_before", "reset_after", "status", "html", "garbage", "empty", "cut_body", "late", "slow"]


def make_fault(chance):
    if chance.random() < 0.1:
        return {"operation": "app_build_run", "kind": "foreign_build", "where": chance.choice(["before", "after"])}
    if chance.random() < 0.1:
        return {"operation": "app_build_run", "kind": "list_delay", "seconds": chance.randint(1, 60)}
    if chance.random() < 0.05:
        outage = {"operation": chance.choice(OPERATIONS), "kind": "outage", "call": 1, "seconds": chance.randint(5, 600)}
        return {**outage, **chance.choice([{}, {"status": 503}])}
    if chance.random() < 0.05:
        first = chance.randint(2, 12)
        kind = chance.choice([{"kind": "shrink", "count": chance.randint(1, 8)}, {"kind": "device_vanishes"}])
        return {"operation": "execution_details", "from": first, "until": first + chance.choice([0, 1, 20]), **kind}
    operation = chance.choice(OPERATIONS)
    fault = {"operation": operation, "kind": chance.choice(KINDS)}
    if chance.random() < 0.03:
        fault["kind"] = "hang"
    if fault["kind"] == "status":
        fault["status"] = chance.choice([500, 502, 503, 504, 408, 429])
        fault["work"] = chance.random() < 0.5 and fault["status"] != 429
    if fault["kind"] == "late":
        fault["seconds"] = chance.randint(1, 40)
    if fault["kind"] == "slow":
        fault.update(seconds=1, bytes=64)
    first = chance.randint(1, 3)
    fault.update({"from": first, "until": first + chance.choice([0, 0, 0, 1, 3])})
    return fault


def disturb(chance, rig_, repeats_, found):
    """One run that is ended from outside, or ends by itself before; then, at times, reports of what is known."""
    child = rig_.start(rig_.go_on_arguments())
    if chance.random() < 0.6:
        operation, most = chance.choice(OPERATIONS), 3
        if repeats_ and chance.random() < 0.6:  # in the middle of a further start
            operation, most = chance.choice(LATE_OPERATIONS), 8
        rig.wait_for(child, rig_, operation, chance.randint(1, most), 2)
        time.sleep(chance.random() * 0.004)
    else:
        time.sleep(chance.random() * 0.2)
    rig.kill(child, chance.choice([signal.SIGKILL] * 4 + [signal.SIGTERM, signal.SIGINT]))
    said = child.communicate()[0]
    wants_report = repeats_ and chance.random() < 0.5
    if wants_report and rig_.run(["report", "out", "--report", "junit", "--report", "json"])[0] == 0:
        found += repeats.wrong_report(rig_, repeats_)
    return said


def make_scenario(seed, chance):
    scenario = {"seed": seed, "faults": [make_fault(chance) for _ in range(chance.randint(0, 5))]}
    if chance.random() < 0.3:
        scenario["errors"] = "http"
    if chance.random() < 0.3:
        scenario["build_number_is"] = "build_id"
    return scenario


def run_seed(seed):
    chance = random.Random(seed)
    scenario = make_scenario(seed, chance)
    kind = repeats.Repeats(chance) if chance.random() < REPEATS_SHARE else None
    if kind:
        scenario.update(kind.scenario())
    with rig.Rig(scenario, module=chance.choice([12, 12, 14])) as one:
        if kind:
            kind.write(one)
        found = []
        said = "".join(disturb(chance, one, kind, found) for _ in range(chance.choice([0, 1, 1, 2, 3])))
        status, clean, more = one.finish(goes_on=not said or chance.random() < 0.75)
        if kind:
            found += rig.wrong_end(one.state(), status, clean, said + more) + repeats.wrong(one, kind, status)
        else:
            found += rig.wrong(one, status, clean, said + more)
        if found and os.environ.get("KEEP"):
            one.is_kept = True
            one.write("said.txt", said + more)
            print(f"seed {seed}: {one.folder}", file=sys.stderr)
        return seed, status, found, scenario


class Tally:
    """What became of the schedules so far."""

    def __init__(self):
        self.counts, self.statuses, self.done, self.began = {}, {}, 0, time.monotonic()

    def take(self, seed, status, found, scenario):
        self.done += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        for kind, words in found:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            print(f"seed {seed}: {kind}: {words} (status {status}, faults {scenario['faults']})", flush=True)

    def figures(self):
        ends = ", ".join(f"{number} x {status}" for status, number in sorted(self.statuses.items()))
        kinds = {"duplicate": "duplicates", "lost": "lost results", "held": "left held", "lie": "false greens",
                 "crash": "crashes", "violation": "violations"}
        found = ", ".join(f"{self.counts.get(kind, 0)} {words}" for kind, words in kinds.items())
        return f"{self.done} schedules in {time.monotonic() - self.began:.0f} s: {found}; exit statuses: {ends}"


def stop(_number, _frame):
    raise KeyboardInterrupt


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    tally, is_whole = Tally(), False
    signal.signal(signal.SIGTERM, stop)  # told to stop, it says how far it came
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    try:
        for result in pool.map(run_seed, range(first, first + count)):
            tally.take(*result)
        is_whole = True
    except KeyboardInterrupt:
        pool.shutdown(cancel_futures=True)
    print(tally.figures() + ("" if is_whole else f" (stopped before the end: {count} were wanted)"))
    return 1 if tally.counts or not is_whole else 0


if __name__ == "__main__":
    sys.exit(main())

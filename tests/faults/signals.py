#!/usr/bin/env python3
"""SIGTERM in each phase of a run: complete reports with what is known, everything given back, status 143.

usage: GRIDLANE=path/to/gridlane signals.py [--figures]

--figures: also how long after the signal the releases were on the wire (200 ms at most), and the process gone (6 s).
"""
import os
import shutil
import signal
import sys
import time

import rig

MODULE = {"id": 12, "name": "Smoke", "platform": "android", "suite": "smoke"}
NATIVE = """
      - id: native
        uses: native_test
        with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ matrix.device }}}}", file: shop-androidTest.apk }}
reports:"""
# phase: scenario, operation whose call the signal follows, call, tests that are known by then
PHASES = {
    "upload": ({"faults": [{"operation": "app_build_upload", "kind": "hang"}]}, "app_build_upload", 1, 0),
    "start": ({"faults": [{"operation": "app_build_run", "kind": "hang"}]}, "app_build_run", 2, 0),
    "answer": ({"faults": [{"operation": "app_build_run", "kind": "late", "seconds": 300}]}, "app_build_run", 2, 0),
    "queued": ({"modules": [{**MODULE, "queue_seconds": 10**7}]}, "execution_details", 6, 0),
    "running": ({"modules": [{**MODULE, "run": "never_ends"}]}, "execution_details", 12, 0),
    "fetching": ({"faults": [{"operation": "file_native_log", "kind": "hang"}]}, "file_native_log", 2, 16),
    "releasing": ({"faults": [{"operation": "release_reserve_device", "call": 1, "kind": "hang", "work": False}]},
                  "release_reserve_device", 2, 16),
}


def expect(holds, words):
    if not holds:
        raise AssertionError(words)


def since(began):
    return (time.monotonic() - began) * 1000


def await_releases(child, one, wanted):
    """Milliseconds from now until so many releases were in the sandbox's log; None: the process was over before."""
    began = time.monotonic()
    return since(began) if rig.wait_for(child, one, "release_reserve_device", wanted) else None


def check_reports(one, known):
    results = one.results()
    expect(results is not None and results["verdict"] == "cancelled", f"results.json: {results and results['verdict']}")
    expect(os.path.exists(os.path.join(one.out, "junit.xml")), "there is no junit.xml")
    passed = sum(case["status"] == "passed" for run in results["runs"] for case in run["cases"])
    expect(passed >= known, f"{passed} tests are known, not {known}")
    started = {run["build_number"] for run in rig.own_runs(one.state())}
    named = {run.get("build_number") for run in results["runs"]}
    expect(named <= started | {None} and len(results["runs"]) >= len(started), f"{started} on the server, {named} named")
    expect(not one.state()["reservations"], "reservations are held")


def try_phase(name):
    scenario, operation, call, known = PHASES[name]
    with rig.Rig(scenario) as one:
        if name == "fetching":
            one.write("shop-androidTest.apk", "tests\n")
            one.write("pipeline.yml", rig.PIPELINE.replace("\nreports:", NATIVE).format(devices=2, module=12))
        child = one.start(one.run_arguments())
        expect(rig.wait_for(child, one, operation, call), f"{operation} was not called {call} times")
        held = len(one.state()["reservations"])
        sent = sum(request["operation"] == "release_reserve_device" for request in one.requests())
        began = time.monotonic()
        child.terminate()
        wire = await_releases(child, one, sent + held) if held and name != "releasing" else None
        said = child.communicate(timeout=rig.TIME_LIMIT)[0]
        gone = since(began)
        expect(child.returncode == 143, f"status {child.returncode}: {said}")
        check_reports(one, known)
        status, said = one.run(["cleanup", "out"])
        expect(status == 0, f"cleanup: status {status}: {said}")
        return wire, gone


def in_reports():
    """Each file of the end appears a moment later than it would: the signal comes between the first and the last."""
    delay = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e", "inject=renameat:delay_enter=200ms"]
    with rig.Rig(devices=1) as one:
        child = one.start(one.run_arguments(), prefix=delay)
        ends = time.monotonic() + rig.TIME_LIMIT
        while not os.path.exists(os.path.join(one.out, "results.json")) and time.monotonic() < ends:
            time.sleep(0.005)
        began = time.monotonic()
        os.kill(one.records()[0]["detail"]["pid"], signal.SIGTERM)
        said = child.communicate(timeout=rig.TIME_LIMIT)[0]
        gone = since(began)
        expect(child.returncode == 143, f"status {child.returncode}: {said}")
        check_reports(one, 8)
        return None, gone


def main():
    is_measured = "--figures" in sys.argv
    bad, wires, gones = 0, [], []
    tests = {name: (lambda name=name: try_phase(name)) for name in PHASES}
    if shutil.which("strace"):
        tests["reporting"] = in_reports
    for name, test in tests.items():
        try:
            wire, gone = test()
            wires += [wire] if wire is not None else []
            gones.append(gone)
            print(f"ok      {name:<10} releases {'-' if wire is None else f'{wire:.0f} ms':>7}, gone {gone:.0f} ms")
        except AssertionError as error:
            bad += 1
            print(f"FAILED  {name}: {error}")
    print(f"SIGTERM in {len(tests)} phases: {bad} not as promised; releases on the wire after {max(wires):.0f} ms at most, "
          f"gone after {max(gones):.0f} ms at most")
    return 1 if bad or (is_measured and (max(wires) > 200 or max(gones) > 6000)) else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Write results.json of ten different runs, each into a folder of its own: what consumers of our reports are tried on.

usage: make_results.py FOLDER [NAME...]    (default: all of them)
"""
import json
import os
import sys

START = 1772360130000
HOSTILE = ("]]> <b onclick='x'> & \"q\" 'a' \x1b[31mred\x1b[0m \r\n::error::pwned\n##[add-mask]x\n##vso[task.complete]"
           "##teamcity[buildStop] |'[]% \u202ebidi \x01\x7f | `code` <script>alert(1)</script> --> \u00e9 #12 @all")


def case(name, status="passed", reason=None, attempts=(), class_name="com.example.LoginTest", time_ms=1500):
    failures = {"passed": "none", "skipped": "none", "failed": "failed", "error": "not_run"}
    found = {"name": name, "class": class_name, "status": status, "failure": failures[status], "time_ms": time_ms,
             "attempts": [{"status": one, "failure": failures[one], "reason": f"attempt {number} of {name}",
                           "time_ms": 900} for number, one in enumerate(attempts, 1)]}
    if reason is not None:
        found["reason"] = reason
    return found


def device_run(device, cases, step="regression", lane="main", delay=0, complete=True, failure="none", problems=()):
    elapsed = 20000 + sum(one["time_ms"] or 0 for one in cases) % 100000
    return {"lane": lane, "step": step, "kind": "native",
            "device": {"device_id": "3", "name": device, "os": "14", "platform": "android", "udid": "U" + device[:3]},
            "build_number": "48213", "number_source": "build_version", "build_id": "3507",
            "url": "https://grid.example/builds/48213", "adopted": False, "complete": complete, "failure": failure,
            "reported": dict.fromkeys(("not_started", "started", "passed", "failed", "stopped", "skipped")),
            "cases": cases, "problems": list(problems), "started_wall_ms": START + delay,
            "ended_wall_ms": START + delay + elapsed, "elapsed_ms": elapsed, "queued_ms": 3000, "lag_most_ms": 250,
            "polls": 12, "log_url": "https://grid.example/log.txt", "recording_url": "https://grid.example/Rec.mp4"}


def problem(failure, message, step="regression", warning=False):
    found = {"failure": failure, "warning": warning, "derived": False, "message": message, "lane": "main"}
    return found if step is None else {**found, "step": step}


def run(verdict, runs, **more):
    status = {"passed": 0, "failed": 1, "usage": 2, "infrastructure": 3, "timeout": 4, "cancelled": 5}[verdict]
    step = {"lane": "main", "step": "regression", "kind": "native_test", "outcome": "passed" if not status else "failed",
            "failure": "none" if not status else "failed", "best_effort": False, "may_continue": False,
            "runs_tests": True, "started_wall_ms": START, "elapsed_ms": 61000, "requests": 40}
    found = {"version": 1, "run_id": "20260301T101530Z-1a2b3c", "pipeline": "shop-nightly", "file": "shop.yml",
             "server": "https://grid.example", "tool": "gridlane 0.1.0", "verdict": verdict, "exit_status": status,
             "started_wall_ms": START, "elapsed_ms": 95000, "requests": 58, "repeats": 2, "polls": 41,
             "lag_most_ms": 250, "sandbox": False, "test_steps": True, "resumed": False, "signal": 0,
             "lanes": [{"name": "main", "outcome": step["outcome"]}], "steps": [step], "runs": runs, "problems": [],
             "artifacts": [], "held": [], "gate": []}
    found.update(more)
    return found


def earlier(number):
    failed = number % 7 == 3
    return {"run_id": f"20260228T1015{number:02}Z-1a2b3c", "verdict": "failed" if failed else "timeout" if number == 11 else "passed",
            "started_wall_ms": START - (20 - number) * 86400000, "elapsed_ms": 80000 + 3000 * (number * 7 % 11),
            "tests": 6, "passed": 4 if failed else 2 if number == 11 else 6, "failed": 2 if failed else 0,
            "errors": 4 if number == 11 else 0, "skipped": 0}


def two_devices():
    pixel = [case("logs in"), case("pays by card", "failed", "expected 10.00 but was 9.99\n\tat Checkout.kt:42",
                                   ["failed"]), case("scrolls")]
    galaxy = [case("logs in", "failed", "no answer within 30 s"), case("pays by card"), case("scrolls")]
    return run("failed", [device_run("Pixel 7", pixel), device_run("Galaxy S21", galaxy, delay=9000)],
               cause="the test 'pays by card' failed on 'Pixel 7': expected 10.00 but was 9.99",
               artifacts=[{"path": "artifacts/main/regression/screen 1.png", "sha256": "0" * 64, "bytes": 70,
                           "lane": "main", "step": "regression", "device": "Pixel 7", "origin": "server"}],
               history={"version": 1, "branch": "main <b>&", "runs": [earlier(number) for number in range(20)]},
               gate=[{"text": "results.pass_rate >= 0.98", "values": "results.pass_rate = 0.66", "holds": False,
                      "line": 12},
                     {"text": "results.executed > 0", "values": "results.executed = 6", "holds": True, "line": 13}])


RUNS = {
    "green": lambda: run("passed", [device_run("Pixel 7", [case(f"test {i}") for i in range(8)])]),
    "failures": lambda: run("failed", [device_run("Pixel 7", [case("a"), case("b", "failed", "boom"), case("c", "failed"),
                                                              case("d", "skipped", "not here")])], cause="'b' failed"),
    "flaky": lambda: run("passed", [device_run("Pixel 7", [case("a"), case("b", attempts=["failed", "failed"])])]),
    "infrastructure": lambda: run("infrastructure", [device_run(
        "Pixel 7", [case("a"), case("b", "error", "never reported")], complete=False, failure="network")],
        problems=[problem("network", "connection refused"), problem("server", "the counts differ", warning=True)],
        cause="connection refused"),
    "cancelled": lambda: run("cancelled", [device_run("Pixel 7", [], complete=False, failure="stopped")], signal=15,
                             problems=[problem("cancelled", "SIGTERM came")], cause="SIGTERM came"),
    "no-tests": lambda: run("infrastructure", [], problems=[problem("not_run", "no test was executed", None)],
                            cause="no test was executed"),
    "hostile": lambda: run("failed", [device_run(HOSTILE, [case(HOSTILE), case(HOSTILE, "failed", HOSTILE),
                                                           case("x", "skipped", HOSTILE)], step="s", lane=HOSTILE)],
                           pipeline=HOSTILE, cause=HOSTILE),
    "two-devices": two_devices,
    "same-names": lambda: run("failed", [device_run("Pixel 7", [case("same"), case("same", "failed", "second")]),
                                         device_run("Pixel 7", [case("same")])], cause="'same' failed"),
    "large": lambda: run("failed", [device_run(f"Phone {d}", [
        case(f"test {i}", "failed" if i % 5000 == 7 else "passed", "late" if i % 5000 == 7 else None)
        for i in range(25000)]) for d in range(4)], cause="'test 7' failed"),
}


def main():
    for name in sys.argv[2:] or RUNS:
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        results = RUNS[name]()
        for artifact in results["artifacts"]:
            path = os.path.join(folder, artifact["path"])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"\x89PNG" + bytes(66))
        with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main()

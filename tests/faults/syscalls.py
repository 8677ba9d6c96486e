#!/usr/bin/env python3
"""A reference run disturbed at its system calls by strace: killed at each of them, or each of them failing once.

usage: GRIDLANE=path/to/gridlane syscalls.py kill [COUNT]   kill -9, go on: one start, one upload, the right report
       GRIDLANE=path/to/gridlane syscalls.py fail [COUNT]   EIO, ENOSPC, and ENOSPC from there on: no false green

COUNT: so many points, spread evenly, of the calls that write, send and receive; without it every call of any kind. Without strace the status is 77 (skipped).
"""
import collections
import concurrent.futures
import os
import re
import shutil
import sys
import time
import xml.etree.ElementTree

import rig

BOUNDARIES = ["write", "fsync", "fdatasync", "rename", "renameat", "renameat2", "sendto", "sendmsg", "openat", "close",
              "mkdirat", "unlinkat", "ftruncate", "flock", "recvfrom"]
FAILING = {"write": "EIO ENOSPC", "fsync": "EIO ENOSPC", "fdatasync": "EIO ENOSPC", "renameat": "EIO ENOSPC",
           "rename": "EIO ENOSPC", "renameat2": "EIO ENOSPC", "openat": "EIO ENOSPC", "close": "EIO"}


def new_rig():
    return rig.Rig(devices=1)


def count_calls():
    """How often the reference run makes each system call."""
    with new_rig() as one:
        trace = os.path.join(one.folder, "trace")
        status, said = one.run(prefix=["strace", "-f", "-o", trace])
        if status != 0:
            raise RuntimeError(f"the reference run ended with status {status}:\n{said}")
        with open(trace, encoding="utf-8", errors="replace") as file:
            return collections.Counter(re.findall(r"^\d+ +(\w+)\(", file.read(), re.M))


def right_report(one):
    try:
        root = xml.etree.ElementTree.parse(os.path.join(one.out, "junit.xml")).getroot()
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        return f"junit.xml: {error}"
    tests = sum(int(suite.get("tests", 0)) for suite in root.iter("testsuite"))
    return None if tests == 8 and one.results() else f"junit.xml has {tests} tests"


def strace(injection):
    return ["strace", "-f", "-qq", "-e", "trace=" + injection.split(":")[0], "-o", "/dev/null", "-e",
            "inject=" + injection]


def kill_at(point):
    name, number = point
    with new_rig() as one:
        first, said = one.run(prefix=strace(f"{name}:signal=KILL:when={number}"))
        killed = first not in (0, 1, 2, 3, 4)
        status, clean, more = one.finish()
        found = rig.wrong(one, status, clean, more)
        report = right_report(one)
        if status != 0 or len(rig.own_runs(one.state())) != 1:
            found.append(("unfinished", f"status {status}, {len(rig.own_runs(one.state()))} starts"))
        if report:
            found.append(("report", report))
        return f"{name} {number}", killed, found, said + more


def fail_at(point):
    name, number, error, onward = point
    with new_rig() as one:
        status, said = one.run(prefix=strace(f"{name}:error={error}:when={number}{'+' if onward else ''}"))
        found = []
        if status == 127 and "loading shared libraries" in said:
            return point, True, [], said  # the loader's own files: gridlane had not begun
        if status == 0 and right_report(one):
            found.append(("lie", f"status 0: {right_report(one)}"))
        if status not in (0, 1, 2, 3, 4) or "Sanitizer" in said:
            found.append(("crash", f"status {status}"))
        # an input that cannot be opened is a mistake in the pipeline: status 2
        if status not in (0, 3) and not (status == 2 and name == "openat"):
            found.append(("status", f"status {status} for a failing disk"))
        if len(rig.own_runs(one.state())) > 1:
            found.append(("duplicate", f"{len(rig.own_runs(one.state()))} starts"))
        clean, more = one.run(["cleanup", "out"])
        held = one.state()["reservations"]
        if held and clean == 0:
            found.append(("held", f"{len(held)} reservations"))
        return f"{name} {number}{'+' if onward else ''} {error}", status != 0, found, said + more


def points_of(mode, counts, is_full):
    if mode == "kill":
        names = [name for name in counts if name not in ("execve", "exit_group")] if is_full else BOUNDARIES
        return [(name, number) for name in sorted(names) for number in range(1, counts[name] + 1)]
    points = [(name, number, error, False) for name in sorted(FAILING) for error in FAILING[name].split()
              for number in range(1, counts[name] + 1)]
    return points + [("write", number, "ENOSPC", True) for number in range(1, counts["write"] + 1)]


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode not in ("kill", "fail"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if not shutil.which("strace"):
        print("strace is not installed")
        return 77
    points = points_of(mode, count_calls(), len(sys.argv) == 2)
    if len(sys.argv) > 2 and int(sys.argv[2]) < len(points):
        wanted = int(sys.argv[2])
        points = [points[index * len(points) // wanted] for index in range(wanted)]
    bad, hit, began = 0, 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        for where, was_hit, found, said in pool.map(kill_at if mode == "kill" else fail_at, points):
            hit += was_hit
            bad += bool(found)
            for kind, words in found:
                print(f"{where}: {kind}: {words}")
            if found and os.environ.get("KEEP"):
                print(said)
    what = "killed, then gone on with" if mode == "kill" else "ended with another status than 0"
    print(f"{mode} sweep: {len(points)} points in {time.monotonic() - began:.0f} s, {hit} {what}, "
          f"{len(points) - bad} as promised, {bad} not")
    return 1 if bad or hit == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A reference run whose calls of the C library go wrong, one at a time, by a shim that stands before it (shim.c).

usage: GRIDLANE=path SHIM=path/to/shim.so library.py memory [COUNT]   no memory: status 3, or 0 with the right reports
       GRIDLANE=path SHIM=path/to/shim.so library.py short [COUNT]    a short write, or one that is interrupted: the same
       GRIDLANE=path SHIM=path/to/shim.so library.py exit [COUNT]     a library gives up with exit(1): status 3
       GRIDLANE=path SHIM=path/to/shim.so library.py clock [COUNT]    the wall clock is set by an hour: status 0

COUNT: so many points, spread evenly; without it every call. A run that did not end well is gone on with to its end.
With a sanitizer's build the status is 77 (skipped): the sanitizer stands there itself.
"""
import concurrent.futures
import os
import sys
import time

import rig
import syscalls

MODES = {"memory": ["malloc"], "exit": ["exit"], "short": ["short", "interrupted"], "clock": ["ahead", "back"]}


def prefix(fault="", counts=""):
    return ["env", "LD_PRELOAD=" + os.path.abspath(os.environ["SHIM"]), "GRIDLANE_FAULT=" + fault,
            "GRIDLANE_FAULT_COUNTS=" + counts]


def count_calls():
    with syscalls.new_rig() as one:
        counts = os.path.join(one.out, "counts")  # where it may write to the end
        status, said = one.run(prefix=prefix(counts=counts))
        if "ASan runtime does not come first" in said:
            return None
        if status != 0:
            raise RuntimeError(f"the reference run ended with status {status}:\n{said}")
        with open(counts, encoding="utf-8") as file:
            return {name: int(count) for name, count in (line.split() for line in file)}


def fail_at(point):
    kind, number = point
    with syscalls.new_rig() as one:
        first, said = one.run(prefix=prefix(f"{kind} {number}"))
        found = []
        if first not in ((0,) if kind in MODES["clock"] else (0, 3)):
            found.append(("crash" if first < 0 or first > 4 else "status", f"status {first}"))
        if first == 0 and syscalls.right_report(one):
            found.append(("lie", f"status 0: {syscalls.right_report(one)}"))
        status, clean, more = one.finish()
        found += rig.wrong(one, status, clean, more)
        if status != 0 or len(rig.own_runs(one.state())) != 1:
            found.append(("unfinished", f"status {status}, {len(rig.own_runs(one.state()))} starts"))
        return f"{kind} {number}", first != 0, found, said + more


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode not in MODES or "SHIM" not in os.environ:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    counts = count_calls()
    if counts is None:
        print("a sanitizer stands before the C library")
        return 77
    points = [(kind, number) for kind in MODES[mode] for number in range(1, counts[kind] + 1)]
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else len(points)
    points = [points[index * len(points) // wanted] for index in range(min(wanted, len(points)))]
    bad, hit, began = 0, 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        for where, was_hit, found, said in pool.map(fail_at, points):
            hit += was_hit
            bad += bool(found)
            for kind, words in found:
                print(f"{where}: {kind}: {words}")
            if found and os.environ.get("KEEP"):
                print(said)
    print(f"{mode} sweep: {len(points)} of {sum(counts[kind] for kind in MODES[mode])} points in "
          f"{time.monotonic() - began:.0f} s, {hit} ended with status 3, {len(points) - bad} as promised, {bad} not")
    return 1 if bad or (hit == 0 and mode in ("memory", "exit")) else 0


if __name__ == "__main__":
    sys.exit(main())

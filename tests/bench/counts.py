#!/usr/bin/env python3
"""How many instructions of gridlane's own five reference commands take, compared with those in counts.txt.

usage: counts.py BUILD [--write]
  BUILD is a release build with gridlane and bench_server. More than 5 % up or down fails, unless --write takes the new
  numbers: the commit that does it says why. Only instructions of the program's own object count, under valgrind: what
  libraries choose for a processor, and how long anything waits, does not change them.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import inputs
from measure import Place, Server

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.txt")
MOST = 0.05
HEAD = """# Instructions of gridlane's own code: tests/bench/counts.py compares, `./dev counts --write` takes new ones (and the
# commit says why). gcc 12, release preset, x86-64.
"""


def own_instructions(path, program):
    """The self cost of the program's object in a file of callgrind's."""
    total, is_own, is_call, names = 0, False, False, {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            named = re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line)  # named where it comes first, as caller or callee
            if named:
                names[named[2]] = named[3] or names.get(named[2])
                is_own = names[named[2]] == program if not named[1] else is_own
            elif line.startswith("calls="):
                is_call = True  # the next line is what the callee took
            elif re.match(r"[+\-*\d]", line):
                if is_own and not is_call:
                    total += int(line.split()[1])
                is_call = False
    return total


def count(place, name, argv, environment):
    out = place.path(name + ".callgrind")
    program = os.path.realpath(place.gridlane)
    small = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": place.folder, "XDG_DATA_HOME": place.path("data")}
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, *argv],
                          cwd=place.folder, env=dict(small, **environment), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit status {done.returncode}: {done.stderr[-2000:]}")
    return own_instructions(out, program)


def measure(place):
    place.write("200.yml", inputs.calls(200))
    place.write("job.yml", inputs.job(every="100ms", install=False))
    place.write("app.apk", "app")
    folder = place.path("answers")
    os.makedirs(folder)
    for name, answer in inputs.answers(1000).items():
        place.write(os.path.join("answers", name), inputs.text_of(answer))
    with Server(place, folder) as server:
        yield "version", count(place, "version", ["version"], {})
        yield "validate", count(place, "validate", ["validate", "200.yml"], {})
        yield "plan", count(place, "plan", ["plan", "200.yml"], {})
        yield "run", count(place, "run", ["run", "--quiet", "job.yml", "--out", "out"], server.environment)
        yield "report", count(place, "report", ["report", "out"], {})


def read():
    with open(FILE, encoding="ascii") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: int(number) for name, number in rows}


def main():
    build, is_writing = os.path.abspath(sys.argv[1]), "--write" in sys.argv[2:]
    known = read() if os.path.exists(FILE) else {}
    folder = tempfile.mkdtemp(prefix="gridlane-counts-")
    try:
        found = dict(measure(Place(build, folder, True)))
    finally:
        shutil.rmtree(folder)
    if is_writing:
        with open(FILE, "w", encoding="ascii") as file:
            file.write(HEAD + "".join(f"{name:10}{number:>12}\n" for name, number in found.items()))
    wrong = 0
    for name, number in found.items():
        change = number / known[name] - 1 if known.get(name) else float("inf")
        is_wrong = abs(change) > MOST
        wrong += is_wrong
        print(f"{name:10}{number:>12}  {change:+7.2%}{'  more than 5 %' if is_wrong else ''}")
    return 1 if wrong and not is_writing else 0


if __name__ == "__main__":
    sys.exit(main())

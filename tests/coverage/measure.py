#!/usr/bin/env python3
"""Line coverage of the files that parsers.txt names, from a build folder of the preset `coverage` whose tests have run.

usage: measure.py BUILD [--least PERCENT] [--missing]
Each file's percentage is printed, the worst first; one below PERCENT (90) makes it fail. --missing: the lines not run, too.
Whole runs do not count: a confined process cannot write what it ran.
"""
import argparse
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def wanted_files():
    """The files of parsers.txt, relative to the root."""
    names = []
    with open(os.path.join(ROOT, "tests/coverage/parsers.txt"), encoding="utf-8") as lines:
        for line in lines:
            pattern = line.split("#")[0].strip()
            if not pattern:
                continue
            found = glob.glob(os.path.join(ROOT, pattern))
            if not found:
                sys.exit(f"parsers.txt: nothing is named '{pattern}'")
            names += (os.path.relpath(path, ROOT) for path in found)
    return sorted(set(names))


def notes_of(build, names):
    """The compiler's notes of each file: where rooms' objects lie."""
    found = {}
    for folder, _, files in os.walk(build):
        for file in files:
            if not file.endswith(".c.gcno"):
                continue
            place = os.path.relpath(folder, build).split("/CMakeFiles/")[0]
            name = os.path.join(place, file[:-len(".gcno")])
            if name in names:
                found[name] = os.path.join(folder, file)
    return found


def lines_of(build, names):
    """{file: {line: times run}}"""
    notes = notes_of(build, set(names))
    said = subprocess.run(["gcov", "--json-format", "--stdout", *notes.values()], cwd=build, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    lines = {name: {} for name in names}
    for text in said.splitlines():
        if not text.startswith("{"):
            continue
        for file in json.loads(text)["files"]:
            name = os.path.relpath(os.path.join(ROOT, file["file"]), ROOT)
            for line in file["lines"] if name in lines else ():
                number = line["line_number"]
                lines[name][number] = lines[name].get(number, 0) + line["count"]
    return lines


def ranges(numbers):
    """3-5,9"""
    parts = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--least", type=float, default=90)
    parser.add_argument("--missing", action="store_true")
    given = parser.parse_args()
    lines = lines_of(os.path.abspath(given.build), wanted_files())
    rows, run, total = [], 0, 0
    for name, counts in lines.items():
        missed = sorted(number for number, count in counts.items() if count == 0)
        if not counts:
            sys.exit(f"{name}: nothing was measured")
        rows.append((100 * (len(counts) - len(missed)) / len(counts), name, missed))
        run += len(counts) - len(missed)
        total += len(counts)
    for percent, name, missed in sorted(rows):
        print(f"{percent:6.1f} % {name}" + (f" {ranges(missed)}" if given.missing and missed else ""))
    below = [name for percent, name, _ in rows if percent < given.least]
    print(f"{len(rows)} files, {total} lines, {100 * run / total:.1f} % run; {len(below)} below {given.least:g} %")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""One table of what gridlane costs, each row beside what would be used instead, measured in alternation.

usage: bench.py BUILD [--quick] [--only NAME[,NAME...]] [--out FILE] [--plots FILE]
  BUILD is a build folder with gridlane and the bench_* programs; ./dev bench makes and names it. --plots: how time and
  memory grow with steps, tests and lanes, as SVG (--only none: nothing else).
"""
import argparse
import os
import platform
import subprocess
import sys
import tempfile

import growth
import rows
from measure import Place


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "?")
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB; Linux {platform.release().split('-')[0]}; curl {curl}, "
            f"Python {platform.python_version()}")


def number(value, unit):
    text = f"{value:.0f}" if unit in ("", "MB/s", "ms") or value >= 100 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
    return f"{text} {unit}".strip()


def judge(row):
    if row.value is None or row.target is None:
        return ""
    return "yes" if (row.value >= row.target if row.at_least else row.value <= row.target) else "**no**"


def line(row):
    target = "" if row.target is None else f"{'≥' if row.at_least else '≤'} {number(row.target, row.unit)}"
    value = "–" if row.value is None else number(row.value, row.unit)
    return f"| {row.work} | {row.beside or '–'} | {value} | {target} | {judge(row)} | {row.note} |"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--out")
    parser.add_argument("--plots")
    options = parser.parse_args()
    wanted = [name for name in options.only.split(",") if name]
    lines = ["| work | beside | measured | to reach | reached | |", "| --- | --- | --- | --- | --- | --- |"]
    print(machine(), *lines, sep="\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="gridlane-bench-") as folder:
        place = Place(os.path.abspath(options.build), folder, options.quick)
        for measure in rows.ROWS:
            if wanted and measure.__name__ not in wanted:
                continue
            for row in measure(place):
                lines.append(line(row))
                print(lines[-1], flush=True)
        if options.plots:
            growth.draw(place, options.plots)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write("\n".join([machine(), ""] + lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Odd YAML: each file is accepted or refused, soon, and without a crash. And files that lie outside, behind links.

usage: GRIDLANE=path/to/gridlane yaml.py [--slow]
"""
import os
import resource
import subprocess
import sys
import tempfile

# Seconds of CPU: of a usual file, and of one that reaches the limit of 100,000 values.
SLOWEST, SLOWEST_LARGE, LARGE_BYTES = 0.1, 0.4, 200000
SLOWER = 10 if "--slow" in sys.argv else 1  # a sanitizer's build
GOOD = "version: 1\nname: x\napp: { name: Shop, platform: android }\nsteps: [{ uses: run, with: { command: ['true'] } }]\n"
ODD = [
    "", "\n", "---", "...", "--- ---", "# only a comment", "a", "- a", "null", "~", "{}", "[]", "{", "[", "]", "}", ": :", "? a",
    "? [a, b]\n: c", "!!python/object:os.system x", "!!binary aGk=", "!foo bar", "!<tag:x> y", "%YAML 1.2\n---\na: b", "%YAML 9.9\n--- a",
    "%TAG ! tag:x,1:\n--- !a b", "a: &x 1\nb: *x", "a: *none", "&a [*a]", "a: &a { b: *a }", "<<: { a: 1 }", "a: 1\na: 2", "a: |\n  x\n y",
    "a: >-\n  x\n\n  y", "a: \"\\x00\"", "a: \"\\uD800\"", "a: \"unterminated", "a: 'x''y'", "a: \"\\q\"", "\ta: b", "a:\n\tb: c",
    "a: b: c", "a: - b", "a: @b", "a: `b", "a: %b", "yes: no", "a: 0x10", "a: 0o17", "a: 1e999", "a: .inf", "a: 12345678901234567890123",
    "\ufeffversion: 1", "a: \u2028", "version: 1\n---\nversion: 1", "a: 2026-01-01", "? ? ?", "- - - - -", "{a, b, c: {d}}", "[a, [b, {c: d}]]",
    "[" * 100000, "{a: " * 20000, "- " * 50000, "a: " + "x" * 70000, "x" * 1100000, "a: [" + "1," * 200000 + "]", "\n".join(f"k{n}: {n}" for n in range(60000)),
    "a: &a [" + "x," * 100 + "]\n" + "".join(f"b{n}: *a\n" for n in range(150)), "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n-1}, *a{n-1}]\n" for n in range(1, 90)),
    "? " * 3000 + "a", "#" * 900000, "a: '" + "''" * 30000 + "'", "\"" + "\\n" * 30000 + "\": 1", GOOD.replace("x", "${{ " + "(" * 5000),
    GOOD.replace("name: x", "name: ${{ 'a' + }}"), GOOD + "unknown: 1\n", GOOD.replace("1", "2"), GOOD * 2,
]
RAW = [GOOD.encode("utf-16"), b"\xff\xfe\x00", b"a: \xff\n", b"a: \x00b\n", b"a: \xed\xa0\x80\n", b"\x1b[2J: a\n", b"a: \x7f\n", bytes(range(256))]


def run(gridlane, folder, *words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([gridlane, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def check_odd(gridlane, folder):
    for content in [text.encode("utf-8", "surrogatepass") for text in ODD] + RAW:
        with open(folder + "/odd.yml", "wb") as file:
            file.write(content)
        status, took, said = min((run(gridlane, folder, "validate", "odd.yml") for _ in range(2)), key=lambda one: one[1])
        most = (SLOWEST_LARGE if len(content) > LARGE_BYTES else SLOWEST) * SLOWER
        if status not in (0, 2) or took > most or b"Sanitizer" in said or b"\x1b" in said:
            yield f"{content[:50]!r}: exit {status} after {took * 1000:.0f} ms: {said[:300]!r}"


def check_links(gridlane, folder):
    """A file outside is none of the pipeline's, however it is named; nothing is written through a link."""
    os.symlink("/etc/hostname", folder + "/link.apk")
    os.mkfifo(folder + "/pipe.apk")
    open(folder + "/real.apk", "w", encoding="utf-8").close()
    text = ("version: 1\nname: x\napp: {{ name: Shop, platform: android }}\nsteps:\n  - id: version\n    uses: create_version\n"
            "    with: {{ name: '1', reuse: true }}\n  - uses: upload_build\n    with: {{ file: {0}, version: '${{{{ steps.version }}}}' }}\n")
    for name, wanted in (("real.apk", 0), ("link.apk", 2), ("../../etc/hostname", 2), ("/etc/hostname", 2), ("pipe.apk", 2)):
        with open(folder + "/files.yml", "w", encoding="utf-8") as file:
            file.write(text.format(name))
        status, _, said = run(gridlane, folder, "run", "--sandbox", "files.yml", "--out", "o-" + os.path.basename(name))
        if (status == 2) != (wanted == 2):
            yield f"file {name}: exit {status}: {said.decode(errors='replace')}"
    os.mkdir(folder + "/planted")
    for name in ("junit.xml", "results.json", "journal.jsonl", "summary.md", "manifest.json"):
        os.symlink(folder + "/victim-" + name, folder + "/planted/" + name)
    run(gridlane, folder, "run", "--sandbox", "files.yml", "--out", "planted")
    for name in os.listdir(folder):
        if name.startswith("victim-"):
            yield f"{name} was written through a link"


def main():
    gridlane = os.path.abspath(os.environ["GRIDLANE"])
    with tempfile.TemporaryDirectory(prefix="gridlane-yaml-") as folder:
        wrongs = [*check_odd(gridlane, folder), *check_links(gridlane, folder)]
    for wrong in wrongs:
        print("WRONG: " + wrong)
    print(f"{len(ODD) + len(RAW)} files, {len(wrongs)} wrong")
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())

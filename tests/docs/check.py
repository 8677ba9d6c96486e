#!/usr/bin/env python3
"""Every ```yaml block of README and docs that is a pipeline is fine, and every relative link leads somewhere.

usage: GRIDLANE=path check.py
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def documents():
    yield os.path.join(ROOT, "README.md")
    for top in ("docs", "ci-templates"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".md"))


def anchors(text):
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def links(path, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(place):
            yield f"the link '{target}' leads nowhere"
        elif anchor and place.endswith(".md") and anchor not in anchors(read(place)):
            yield f"the link '{target}' names no heading"


def make_files(folder, block):
    """The files that the block names, so that validate finds them."""
    for name in re.findall(r"[\w./*-]+\.(?:apk|ipa|zip|pem)\b|(?<=quarantine: )[\w./-]+", block):
        place = os.path.join(folder, name.replace("*", "x"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8"):
            pass


def pipelines(text):
    for match in re.finditer(r"^```yaml\n(.*?)^```", text, re.M | re.S):
        if re.search(r"^version: 1$", match.group(1), re.M):
            yield text.count("\n", 0, match.start()) + 2, match.group(1)


def quarantines(text):
    for match in re.finditer(r"^```yaml\n(- \{? ?test: .*?)^```", text, re.M | re.S):
        yield text.count("\n", 0, match.start()) + 2, match.group(1)


BARE = "version: 1\nquarantine: quarantine.yml\nsteps: [{ uses: run, with: { command: [ls] } }]\n"


def validate(line, block, quarantine=""):
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder, block)
        if quarantine:
            with open(os.path.join(folder, "quarantine.yml"), "w", encoding="utf-8") as file:
                file.write("\n" * (line - 1) + quarantine)
        with open(os.path.join(folder, "block.yml"), "w", encoding="utf-8") as file:
            file.write("\n" * (line - 1) + block)
        done = subprocess.run([os.environ["GRIDLANE"], "validate", "block.yml"], cwd=folder, capture_output=True,
                              text=True, env={"PATH": os.environ["PATH"]})
        return done.stdout + done.stderr if done.returncode else ""


def sources():
    """All strings of the program, pieces of one joined."""
    text = ""
    for top in ("runner", "pipelines", "reporters"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            text += "".join(read(os.path.join(folder, name)) for name in names if name.endswith((".c", ".def")))
    text = re.sub(r'"\s*"', "", text)
    return text + re.sub(r"(\w)%s", r"\1s", text)  # "test%s" is "tests" more often than not


def messages(text):
    """What the first column of the troubleshooting table quotes; X, Y and ... stand for what differs (any single capital does)."""
    for row in re.findall(r"^\| (`.*?) \|", text, re.M):
        for quoted in re.findall(r"`([^`]+)`", row):
            yield from (piece for piece in re.split(r"'?\b[A-Z]\b'?|\.\.\.", quoted) if len(piece.strip()) > 5)


def main():
    wrong = count = 0
    program, quoted = sources(), list(messages(read(os.path.join(ROOT, "docs/troubleshooting.md"))))
    for message in quoted:
        if message.strip() not in program:
            print(f"docs/troubleshooting.md: no message holds '{message}'")
            wrong += 1
    if len(quoted) < 15:
        print(f"docs/troubleshooting.md: only {len(quoted)} messages were found")
        wrong += 1
    for path in documents():
        if not os.path.exists(path):
            continue
        text, name = read(path), os.path.relpath(path, ROOT)
        for problem in links(path, text):
            print(f"{name}: {problem}")
            wrong += 1
        for line, block in pipelines(text):
            said = validate(line, block)
            count += 1
            if said:
                print(f"{name}: the pipeline in line {line}:\n{said}")
                wrong += 1
        for line, block in quarantines(text):
            said = validate(line, BARE, block)
            if said:
                print(f"{name}: the quarantine in line {line}:\n{said}")
                wrong += 1
    if count < 5:
        print(f"only {count} pipelines were found in the documents")
        wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

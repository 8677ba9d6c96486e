#!/usr/bin/env python3
"""The rules of the house that no compiler knows: who may include whom, what nobody calls, and how long things may be.

usage: house.py [FOLDER]    (default: the project this file lies in); exit status 1 when there are findings
"""
import os
import re
import sys

LONGEST_LINE, LONGEST_FUNCTION, LONGEST_FILE, MOST_PARAMETERS, MOST_DECISIONS, TAB = 120, 60, 500, 5, 15, 8

# Which headers of ours the files of a room may include: rooms (as folders) or single headers.
BASE, API, NET, STEPS = "runner/base/", "runner/api/", "runner/net/", "runner/steps/"
RESULTS, ENGINE, COMMANDS = "runner/results/", "runner/engine/", "runner/commands/"
ROOMS = {
    BASE: [BASE],
    API: [API, BASE],
    NET: [NET, BASE, "runner/api/operation.h"],
    RESULTS: [RESULTS, BASE],
    "runner/history/": ["runner/history/", RESULTS, BASE],
    STEPS: [STEPS, RESULTS, API, BASE],
    "pipelines/": ["pipelines/", BASE, RESULTS, "runner/steps/kind.h", "runner/steps/step.h", "runner/net/retry.h",
                   "runner/api/operation.h", "runner/api/operations.def", "runner/api/request.h"],
    "reporters/": ["reporters/", RESULTS, BASE],
    "sandbox/": ["sandbox/", BASE],
    ENGINE: [ENGINE, "pipelines/", STEPS, NET, API, RESULTS, BASE],
    COMMANDS: ["runner/", "pipelines/", "reporters/", "sandbox/"],
    "runner/main.c": [COMMANDS, BASE],
}

# Which files may include a library's headers; `version` names them all.
LIBRARIES = {
    r"curl/": r"runner/net/",
    r"yaml\.h": r"pipelines/load\w*\.c|sandbox/scenario\w*\.c",
    r"libxml/": r"reporters/junit_document\.h|reporters/junit\w*\.c|runner/engine/junit_read\.c",
    r"archive(_entry)?\.h": r"reporters/bundle_library\.h|reporters/bundle\w*\.c",
    r"sqlite3\.h": r"runner/history/sqlite\.c",
    r"libpq-fe\.h": r"runner/history/postgres\.c",
    r"microhttpd\.h": r"sandbox/",
    r"openssl/": r"runner/base/|sandbox/echo\.c",
}
VERSION = "runner/commands/version.c"

# What may be called in some files only: (names, where, why).
PRINTERS = r"runner/main\.c|reporters/console\w*\.c|runner/commands/\w+\.c"
CALLS = [
    (r"strcpy|strcat|stpcpy|sprintf|vsprintf|gets", None, "it does not know how long its target is"),
    (r"strtok", None, "it keeps state between calls"),
    (r"gmtime|localtime|ctime|asctime", None, "it keeps state between calls; the clock is base/clock.h"),
    (r"atoi|atol|atoll|atof", None, "it cannot say that it failed; numbers are base/number.h"),
    (r"strto(l|ll|ul|ull|d|f|ld|imax|umax)|sscanf", r"runner/base/number\.c", "numbers are read by base/number.h"),
    (r"setlocale", None, "numbers must look the same everywhere"),
    (r"system|popen", None, "a shell would come between"),
    (r"exit|quick_exit", r"runner/main\.c", "only main ends the process"),
    (r"printf|vprintf|puts|putchar|perror", PRINTERS, "only main, commands and the console print"),
]
STREAMS = re.compile(r"\b(stdout|stderr)\b")
CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
DECISION = re.compile(r"\b(?:if|for|while)\b|&&|\|\||\?")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def is_at(path, pattern):
    return re.match(pattern + r"\Z" if pattern.endswith("c") else pattern, path) is not None


def blank_out(source, with_strings):
    """Comments (and what strings hold) as blanks; lines stay where they are."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blanks(match):
        text = match.group()
        if text[0] in "\"'" and (not with_strings or len(text) < 2):
            return text
        inner = re.sub(r"[^\n]", " ", text)
        return text[0] + inner[1:-1] + text[-1] if text[0] in "\"'" else inner

    return token.sub(blanks, source)


class House:
    def __init__(self, folder):
        self.folder = folder
        self.findings = []

    def find(self, path, line, words):
        self.findings.append(f"{path}:{line}: {words}")

    def files(self):
        for top in ("runner", "pipelines", "reporters", "sandbox", "tests"):
            for folder, folders, names in os.walk(os.path.join(self.folder, top)):
                folders[:] = sorted(name for name in folders if name != "node_modules")
                for name in sorted(names):
                    if name.endswith((".c", ".h")):
                        yield os.path.relpath(os.path.join(folder, name), self.folder)

    def check(self):
        for path in self.files():
            with open(os.path.join(self.folder, path), encoding="utf-8") as file:
                source = file.read()
            code = blank_out(source, True)
            self.check_lines(path, source)
            self.check_functions(path, code)
            if not path.startswith("tests/"):
                self.check_includes(path, blank_out(source, False))
                self.check_calls(path, code)
                self.check_variables(path, code)
        return self.findings

    def check_lines(self, path, source):
        lines = source.split("\n")
        if len(lines) - 1 > LONGEST_FILE:
            self.find(path, LONGEST_FILE + 1, f"{len(lines) - 1} lines in a file ({LONGEST_FILE} at most)")
        for number, line in enumerate(lines, 1):
            width = len(line.expandtabs(TAB))
            if width > LONGEST_LINE:
                self.find(path, number, f"{width} columns ({LONGEST_LINE} at most)")
            if line != line.rstrip():
                self.find(path, number, "blanks at the end of the line")
            if UNFINISHED.search(line):
                self.find(path, number, "unfinished: do it, or leave it out")

    def check_includes(self, path, code):
        room = next((room for room in ROOMS if path.startswith(room)), None)
        for number, line in enumerate(code.split("\n"), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if not match:
                continue
            is_ours, header = match.group(1) == '"', match.group(2)
            if is_ours and room is None:
                self.find(path, number, "this folder has no row in ROOMS of tests/lint/house.py")
            elif is_ours and not any(header.startswith(allowed) for allowed in ROOMS[room]):
                self.find(path, number, f"{room} must not include {header}")
            for library, where in LIBRARIES.items():
                if not is_ours and path != VERSION and re.match(library, header) and not is_at(path, where):
                    self.find(path, number, f"<{header}> is for {where} alone")

    def check_calls(self, path, code):
        may_print = is_at(path, PRINTERS)
        for number, line in enumerate(code.split("\n"), 1):
            if line.lstrip().startswith("#"):
                continue
            for name in CALL.findall(line):
                for names, where, why in CALLS:
                    if re.fullmatch(names, name) and not (where and is_at(path, where)):
                        self.find(path, number, f"{name}(): {why}")
            if STREAMS.search(line) and not may_print:
                self.find(path, number, "only main, commands and the console print")

    def check_functions(self, path, code):
        lines = code.split("\n")
        for start, line in enumerate(lines):
            if line.rstrip() != "{":
                continue
            end = next((i for i in range(start, len(lines)) if lines[i].startswith("}")), len(lines) - 1)
            first = start
            while first > 0 and lines[first - 1].strip() and not re.match(r"[}#]|.*;\s*$", lines[first - 1]):
                first -= 1
            head = " ".join(lines[first:start])
            name = (re.search(r"(\w+)\s*\(", head) or [None, "?"])[1]
            self.check_function(path, first + 1, name, head, lines[start:end + 1])

    def check_function(self, path, number, name, head, body):
        if len(body) > LONGEST_FUNCTION:
            self.find(path, number, f"{name}() has {len(body)} lines ({LONGEST_FUNCTION} at most)")
        count = parameter_count(head) - ("struct gr_error *" in head)  # every function that can fail has one
        if count > MOST_PARAMETERS and not name.startswith("on_"):  # a callback takes what the library gives
            self.find(path, number, f"{name}() takes {count} parameters ({MOST_PARAMETERS} beside err at most)")
        decisions = len(DECISION.findall("\n".join(body)))
        if decisions >= MOST_DECISIONS:
            self.find(path, number, f"{name}() decides {decisions} times (fewer than {MOST_DECISIONS}, please)")

    def check_variables(self, path, code):
        if path == "runner/main.c":
            return
        for number, text in declarations(code):
            if is_mutable_variable(text):
                self.find(path, number, f"a variable of the whole file that changes: {' '.join(text.split())[:60]}")
        for number, line in enumerate(code.split("\n"), 1):
            if re.match(r"\s+(static|_Thread_local)\b", line) and "=" in line + ";" and is_mutable_variable(line):
                self.find(path, number, "a static variable that changes")


def parameter_count(head):
    """Of a function's head; `...` and void are none."""
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", head)
    match = re.search(r"\w\s*\((.*)\)\s*$", head)
    if not match or match.group(1).strip() in ("", "void"):
        return 0
    depth, count = 0, 1
    for char in match.group(1):
        depth += {"(": 1, ")": -1}.get(char, 0)
        count += char == "," and depth == 0
    return count - match.group(1).rstrip().endswith("...")


def declarations(code):
    """(line, text) of what stands outside all functions, with {...} in the place of what braces hold."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: "\n" * m.group().count("\n"), code, flags=re.M)
    depth, text, number, start = 0, "", 1, 1
    for i, char in enumerate(code):
        number += char == "\n"
        if not text.strip():
            start = number
        if depth == 0 and char not in "{};":
            text += char
        depth += {"{": 1, "}": -1}.get(char, 0)
        is_body_end = char == "}" and depth == 0 and text.rstrip().endswith(")")
        if char == "}" and depth == 0:
            text += "{}"
        if is_body_end or (char == ";" and depth == 0):
            yield start, text
            text = ""


def is_mutable_variable(text):
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", text, flags=re.S).strip()
    left = text.split("=")[0].strip().rstrip(";")
    is_pointer_to_function = re.match(r"[^(]*\(\s*\*\s*(const\b)?", left)
    if not left or re.match(r"(typedef|extern|static_assert|_Static_assert)\b", left):
        return False
    if re.fullmatch(r"(static\s+)?(struct|union|enum)(\s+\w+)?\s*(\{\})?", left):
        return False
    if is_pointer_to_function:
        return is_pointer_to_function.group(1) is None
    if "(" in left:
        return False
    return "const" not in left.rsplit("*", 1)[-1]


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    findings = House(folder).check()
    print("\n".join(findings) if findings else "the rules of the house hold")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

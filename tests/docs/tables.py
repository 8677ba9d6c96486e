#!/usr/bin/env python3
"""Tables in docs/ that are made from the program's own: between `<!-- made: NAME -->` and `<!-- /made -->`.

usage: GRIDLANE=path tables.py [--write]: says which file is not current, or makes it so.
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
FILES = ("docs/language.md", "docs/exit-status.md", "docs/ci.md", "docs/command-line.md")


def words(value):
    """What a value may be, for people."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return "an expression" if name == "template" else f"a map: see [{name}](#{name})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return "an operation's id" if len(value["enum"]) > 50 else " ".join(f"`{word}`" for word in value["enum"])
    if "anyOf" in value:
        parts = [words(part) for part in value["anyOf"] if not part.get("$ref", "").endswith("/template")]
        parts = [part for part in parts if part != "`0`"]
        if parts and all(part.startswith("a map") for part in parts):
            parts.insert(0, "an expression")
        return " or ".join(dict.fromkeys(parts)) or "an expression"
    kind = value.get("type")
    if kind == "array":
        items = words(value["items"]) if "items" in value else "anything"
        return f"a list of {items.replace('a map: see ', '')}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        inner = words(value["additionalProperties"])
        return f"names, each with {inner}"
    if kind == "object":
        return "a map with " + " or ".join(f"`{name}`" for name in value["required"]) if "required" in value else "a map"
    if kind == "integer":
        return f"{value['minimum']} to {value['maximum']}" if "maximum" in value else "a whole number"
    pattern = value.get("pattern", "")
    if "ms|s|m|h" in pattern:
        return "a range such as `2s..30s`" if "\\.\\." in pattern else "a duration such as `30s`"
    names = {"string": "text", "boolean": "`true` or `false`", "number": "a number", "null": "nothing"}
    if "x-extensions" in value:
        return "a file: " + " ".join(f"`{word}`" for word in value["x-extensions"])
    if isinstance(kind, list):
        return "text" if "string" in kind else names.get(kind[0], kind[0])
    return names.get(kind, "anything")


def cell(text):
    return text.replace("|", "\\|")


def table(section):
    required = section.get("required", [])
    lines = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, value in section["properties"].items():
        default = json.dumps(value["default"]).strip('"') if "default" in value else ""
        default = f"`{default}`" if default else ("required" if name in required else "")
        lines.append(f"| `{name}` | {cell(words(value))} | {default} | {cell(value.get('description', ''))} |")
    return lines


def sections(schema):
    lines = []
    for name, section in schema["$defs"].items():
        if name == "template" or name.startswith("with_"):
            continue
        lines += ["", f"### {name}", "", section["description"], ""] + table(section)
    return lines[1:]


def kinds(schema):
    lines = []
    for name, section in schema["$defs"].items():
        if not name.startswith("with_"):
            continue
        lines += ["", f"### uses: {name[5:]}", "", section["description"], ""]
        lines += table(section) if section["properties"] else ["It has no fields."]
        if section["x-outputs"]:
            lines += ["", "| output | meaning |", "| --- | --- |"]
            lines += [f"| `{output}` | {cell(text)} |" for output, text in section["x-outputs"].items()]
    return lines[1:]


def failures(_):
    with open(os.path.join(ROOT, "runner/base/error.def"), encoding="utf-8") as file:
        rows = re.findall(r'^FAILURE\(\w+,\s*"([^"]+)",\s*(\d+), "([^"]+)"\)', file.read(), re.M)
    return ["| exit status | in reports | words |", "| --- | --- | --- |"] + [
        f"| {status} | `gridlane.{name}` | {text} |" for name, status, text in rows]


def rows(path, macro):
    """The rows of a table in C: texts as texts, NULL as None, other words as words."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    for row in re.findall(rf"^{macro}\((.*?)\)$", text, re.M | re.S):
        parts = re.findall(r'"((?:\\.|[^"\\])*)"|([\w|]+(?: \| \w+)*)', row)
        yield [one if one or not other else (None if other == "NULL" else other) for one, other in parts]


def systems(_):
    lines = ["| CI | known by | build URL | branch | commit | pull request | job |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, sign, *facts, _ in rows("runner/base/ci.def", "PROVIDER"):
        lines.append(f"| {name} | `{sign}` | " + " | ".join("yes" if fact else "" for fact in facts) + " |")
    return lines


def commands(_):
    lines = ["| command | what it does |", "| --- | --- |"]
    for name, arguments, _, _, summary, _ in rows("runner/commands/commands.def", "COMMAND"):
        lines.append(f"| `gridlane {cell((name + ' ' + (arguments or '')).strip())}` | {cell(summary)} |")
    return lines


def options(_):
    lines = ["| option | of | what it does |", "| --- | --- | --- |"]
    for _, of, name, argument, flags, text in rows("runner/commands/options.def", "OPTION"):
        if name == "help":
            continue
        dashes = "--" if len(name) > 1 else "-"
        value = "" if not argument else f"[={argument}]" if "MAY_BE_BARE" in flags else f" {argument}"
        lines.append(f"| `{dashes}{name}{cell(value)}` | {' '.join(f'`{one}`' for one in of.split())} | {cell(text)} |")
    return lines


TABLES = {"top": table, "sections": sections, "kinds": kinds, "failures": failures, "systems": systems,
          "commands": commands, "options": options}


def main():
    schema = json.loads(subprocess.run([os.environ["GRIDLANE"], "schema"], check=True, capture_output=True).stdout)
    stale = []
    for name in FILES:
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = file.read()
        fresh = re.sub(r"(<!-- made: (\w+) -->\n).*?(<!-- /made -->)",
                       lambda match: match.group(1) + "\n".join(TABLES[match.group(2)](schema)) + "\n" + match.group(3),
                       text, flags=re.S)
        if fresh != text and "--write" in sys.argv:
            with open(os.path.join(ROOT, name), "w", encoding="utf-8") as file:
                file.write(fresh)
        elif fresh != text:
            stale.append(name)
    for name in stale:
        print(f"{name}: its tables are not those of this gridlane; run ./dev docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Reports of ten different runs, read back: the page (links, landmarks, contrast, what Chromium's console says), what
CI systems read in the log, and one count of tests in all formats.

usage: check_reports.py GRIDLANE FOLDER    (a folder to write into); exit status 1 when something is wrong
"""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

import make_results

FORMATS = ("junit", "summary", "html", "ctrf", "tap", "github=github.txt", "gitlab=gitlab.txt", "azure=azure.txt",
           "teamcity=teamcity.txt", "buildkite")
CHROMIUM = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --enable-logging=stderr").split()
VOID = {"meta", "link", "rect"}
wrong = []


def expect(holds, text):
    if not holds:
        wrong.append(text)


class Page(html.parser.HTMLParser):
    """What every page must be, whatever the texts in it are."""

    def __init__(self, place):
        super().__init__()
        self.place, self.open, self.ids, self.links, self.headings, self.tags = place, [], set(), [], [], {}

    def handle_starttag(self, tag, pairs):
        attributes = dict(pairs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        expect("style" not in attributes and tag != "style", f"{self.place}: inline style in <{tag}>")
        expect(not [name for name in attributes if name.startswith("on")], f"{self.place}: a handler in <{tag}>")
        expect(tag != "script" or "src" in attributes, f"{self.place}: an inline script")
        if "id" in attributes:
            expect(attributes["id"] not in self.ids, f"{self.place}: the id {attributes['id']} twice")
            self.ids.add(attributes["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th":
            expect("scope" in attributes, f"{self.place}: a table header without scope")
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        expect(self.open and self.open[-1] == tag, f"{self.place}: </{tag}> closes {self.open[-1:]}")
        if self.open:
            self.open.pop()


def check_links(page, folder):
    for link in page.links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme in ("http", "https"):
            continue
        expect(not parts.scheme, f"{page.place}: a link to {link[:80]}")
        if not parts.path:
            expect(parts.fragment in page.ids, f"{page.place}: no place {link}")
        else:
            path = os.path.join(folder, urllib.parse.unquote(parts.path))
            expect(os.path.exists(path), f"{page.place}: nothing at {link}")


def check_page(folder, name):
    report = os.path.join(folder, "report")
    with open(os.path.join(report, "index.html"), encoding="utf-8") as file:
        text = file.read()
    page = Page(name)
    page.feed(text)
    expect(not page.open, f"{name}: {page.open} left open")
    expect(len(text) < 8 << 20, f"{name}: a page of {len(text)} bytes")
    expect(page.headings[:1] == [1] and page.headings.count(1) == 1, f"{name}: one h1 first")
    for one, after in zip(page.headings, page.headings[1:]):
        expect(after <= one + 1, f"{name}: h{after} after h{one}")
    for tag in ("main", "nav", "header", "footer"):
        expect(page.tags.get(tag) == 1, f"{name}: one <{tag}>")
    check_links(page, report)


def luminance(color):
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def check_contrast(folder):
    with open(os.path.join(folder, "report/report.css"), encoding="utf-8") as file:
        blocks = re.findall(r":root \{(.*?)\}", file.read(), re.S)
    expect(len(blocks) == 2, "colours for light and for dark")
    for block in blocks:
        colors = dict(re.findall(r"--([\w-]+): (#\w{6});", block))
        pairs = [(text, ground) for text in ("text", "quiet", "link", "passed", "failed", "error", "flaky")
                 for ground in ("ground", "raised")]
        pairs += [("on-chip", chip) for chip in ("passed", "failed", "error", "flaky", "skipped", "quiet")]
        for text, ground in pairs:
            found = contrast(colors[text], colors[ground])
            expect(found >= 4.5, f"contrast of {text} on {ground}: {found:.2f}")


def check_in_chromium(folder, name):
    if not shutil.which("chromium"):
        print("skipped: there is no chromium here")
        return
    for width in ("390", "1280"):
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run(["chromium", *CHROMIUM, f"--user-data-dir={profile}", f"--window-size={width},900",
                                   "--dump-dom", f"file://{os.path.abspath(folder)}/report/index.html"],
                                  capture_output=True, text=True, timeout=120, check=False)
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        expect(not console, f"{name} at {width}: {console[:3]}")
        expect("</main>" in done.stdout, f"{name} at {width}: Chromium shows no page")


# ---- what CI systems read, by their own rules ----

def read_github(line):
    match = re.fullmatch(r"::(error|warning|notice) title=([^:]*)::(.*)", line)
    if not match:
        return None
    back = [re.sub(r"%(25|0D|0A|3A|2C)", lambda m: chr(int(m.group(1), 16)), part) for part in match.groups()[1:]]
    return (match.group(1), *back)


def read_azure(line):
    match = re.fullmatch(r"##vso\[(task\.\w+)([^\]]*)\](.*)", line)
    return match and (match.group(1), match.group(3).replace("%5D", "]").replace("%3B", ";").replace("%AZP25", "%"))


def read_teamcity(line):
    match = re.fullmatch(r"##teamcity\[(\w+)((?: \w+='(?:[^'|\[\]\n]|\|['|\[\]nr])*')*)\]", line)
    if not match:
        return None
    values = dict(re.findall(r" (\w+)='((?:[^'|]|\|.)*)'", match.group(2)))
    plain = {"n": "\n", "r": "\r"}
    return match.group(1), {key: re.sub(r"\|(.)", lambda m: plain.get(m.group(1), m.group(1)), value)
                            for key, value in values.items()}


def lines_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="\n") as file:
        return file.read().split("\n")[:-1]


def check_log_lines(folder, name, bad):
    annotations = [read_github(line) for line in lines_of(folder, "github.txt")]
    expect(None not in annotations, f"{name}: GitHub cannot read a line")
    errors = [one for one in annotations if one and one[0] == "error"]
    expect(len(errors) <= 10 and (len(errors) > 0) == bad, f"{name}: {len(errors)} errors for GitHub")
    expect(all(len(one[2]) <= 4096 for one in errors), f"{name}: a long annotation")
    expect(all(read_azure(line) for line in lines_of(folder, "azure.txt")), f"{name}: Azure cannot read a line")
    gitlab = "\n".join(lines_of(folder, "gitlab.txt"))
    expect(re.match("\x1b\\[0Ksection_start:\\d+:gridlane_failures\\[collapsed=true\\]\r\x1b\\[0K", gitlab) and
           gitlab.count("\x1b") == 4, f"{name}: GitLab's section")


def count_teamcity(folder, name):
    """Passed, failed, skipped: of tests of one name the last one counts, as with retries."""
    last, flows, tests = {}, {}, 0
    for line in lines_of(folder, "teamcity.txt"):
        message = read_teamcity(line)
        expect(message, f"{name}: TeamCity cannot read {line[:120]}")
        if not message or "flowId" not in message[1]:
            continue
        kind, values = message
        flow = flows.setdefault(values["flowId"], [])
        if kind == "testStarted":
            flow.append(values["name"])
            last[values["name"]] = "passed"
        elif kind in ("testFailed", "testIgnored"):
            expect(flow and flow[-1] == values["name"], f"{name}: {kind} of no open test")
            last[values["name"]] = "failed" if kind == "testFailed" else "skipped"
        elif kind == "testFinished":
            expect(flow and flow.pop() == values["name"], f"{name}: testFinished of no open test")
            tests += 1
    return [list(last.values()).count(word) for word in ("passed", "failed", "skipped")]


def count_junit(folder):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test in xml.etree.ElementTree.parse(os.path.join(folder, "junit.xml")).iter("testcase"):
        tags = {child.tag for child in test}
        counts["failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"] += 1
    return list(counts.values())


def count_ctrf(folder):
    with open(os.path.join(folder, "ctrf.json"), encoding="utf-8") as file:
        summary = json.load(file)["results"]["summary"]
    expect(summary["tests"] == summary["passed"] + summary["failed"] + summary["skipped"], "CTRF's sum")
    return [summary["passed"], summary["failed"], summary["skipped"]]


def count_tap(folder):
    points = [line for line in lines_of(folder, "results.tap") if re.match("(not )?ok ", line)]
    skipped = sum(line.endswith(" # SKIP") for line in points)
    failed = sum(line.startswith("not ") for line in points)
    return [len(points) - skipped - failed, failed, skipped]


def check_run(gridlane, folder, name):
    command = [gridlane, "report", folder]
    for one in FORMATS:
        command += ["--report", one]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    expect(done.returncode == 0, f"{name}: {done.stderr}")
    if done.returncode != 0:
        return
    counts = {"junit": count_junit(folder), "ctrf": count_ctrf(folder), "tap": count_tap(folder),
              "teamcity": count_teamcity(folder, name)}
    expect(len(set(map(tuple, counts.values()))) == 1, f"{name}: counted differently: {counts}")
    check_log_lines(folder, name, make_results.RUNS[name]()["verdict"] != "passed")
    check_page(folder, name)
    check_contrast(folder)
    print(f"{name}: passed, failed, skipped = {counts['junit']}")


def main():
    gridlane, folder = sys.argv[1:]
    sys.argv[1:] = [folder]
    make_results.main()
    for name in make_results.RUNS:
        check_run(gridlane, os.path.join(folder, name), name)
    for name in ("two-devices", "hostile", "large"):
        check_in_chromium(os.path.join(folder, name), name)
    for text in wrong[:50]:
        print("WRONG " + text)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Reports of ten different runs, read back: the page (links, landmarks, contrast, what Chromium's console says), what
CI systems read in the log, and one count of tests in all formats, by programs of others as well.

usage: check_reports.py GRIDLANE FOLDER [MODULES]    (a folder to write into, one with node_modules); exit status 1 when
something is wrong
"""
import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import xml.etree.ElementTree
import zipfile

import make_results

FORMATS = ("junit", "junit-files", "summary", "html", "ctrf", "allure", "tap", "github=github.txt", "gitlab=gitlab.txt", "azure=azure.txt",
           "teamcity=teamcity.txt", "buildkite")
CHROMIUM = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --enable-logging=stderr").split()
HERE = os.path.dirname(os.path.abspath(__file__))
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


def check_teamcity_files(folder):
    values = [message[1] for message in map(read_teamcity, lines_of(folder, "teamcity.txt"))
              if message and message[0] == "testMetadata"]
    images = [one["value"] for one in values if one["type"] == "image"]
    expect(len(images) == 1 and images[0].endswith("/artifacts/main/regression/screen 1.png"), f"TeamCity: {images}")
    expect(not images[0].startswith("/"), f"TeamCity: {images}")


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


# ---- programs of others ----

def count_junitparser(path):
    """Debian's python3-junitparser, with Debian's Python, which need not be the one that runs this."""
    script = ("import sys, junitparser as j\n"
              "root = j.JUnitXml.fromfile(sys.argv[1])\n"
              "suites = [root] if isinstance(root, j.TestSuite) else list(root)\n"
              "tests = [t for s in suites for t in s]\n"
              "failed = sum(any(isinstance(r, (j.Failure, j.Error)) for r in t.result) for t in tests)\n"
              "skipped = sum(any(isinstance(r, j.Skipped) for r in t.result) for t in tests)\n"
              "print(len(tests) - failed - skipped, failed, skipped)\n")
    done = subprocess.run(["/usr/bin/python3", "-c", script, path], capture_output=True, text=True, check=False)
    return list(map(int, done.stdout.split())) if done.returncode == 0 else done.stderr[-300:]


def sum_strict_files(folder):
    counts = [count_junitparser(os.path.join(folder, "junit", name))
              for name in sorted(os.listdir(os.path.join(folder, "junit")))]
    return [sum(column) for column in zip(*counts)]


def check_readers(modules, folder, wanted):
    names = list(wanted)
    done = subprocess.run(["node", os.path.join(HERE, "readers.mjs"), modules, folder, *names],
                          capture_output=True, text=True, timeout=600, check=False)
    expect(done.returncode == 0, f"readers.mjs: {done.stderr[-500:]}")
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    for name in names:
        counts = found.get(name, {})
        expect("ctrf" not in counts, f"{name}: CTRF's schema says: {counts.pop('ctrf', '')}")
        if shutil.which("java") and os.path.exists("/usr/lib/python3/dist-packages/junitparser"):
            counts["junitparser"] = count_junitparser(os.path.join(folder, name, "junit.xml"))
            counts["junitparser, strict files"] = sum_strict_files(os.path.join(folder, name))
        for reader, count in counts.items():
            expect(count == wanted[name], f"{name}: {reader} counts {count}, and it is {wanted[name]}")
    print(f"counted alike by {', '.join(sorted({reader for one in found.values() for reader in one}))}")


def read_json_files(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            yield json.load(file)


def check_allure(modules, folder, name, wanted):
    """Both generators: as many tests, devices told apart, attempts as retries, a file at the test that failed."""
    results = os.path.join(folder, name, "allure-results")
    commands = {"allure2": ["sh", os.path.join(modules, "node_modules/allure-commandline/dist/bin/allure"), "generate",
                            "--clean"],
                "allure3": ["node", os.path.join(modules, "node_modules/allure/cli.js"), "generate"]}
    for version, command in commands.items():
        if version == "allure2" and not shutil.which("java"):
            print("skipped: there is no java here for Allure 2")
            continue
        out = os.path.join(folder, name, version)
        shutil.rmtree(out, ignore_errors=True)
        done = subprocess.run([*command, results, "-o", out], capture_output=True, text=True, timeout=600, check=False)
        expect(done.returncode == 0, f"{name}: {version}: {done.stdout[-300:]}{done.stderr[-300:]}")
        if done.returncode == 0:
            check_allure_report(out, version, name, wanted)


def check_allure_report(out, version, name, wanted):
    path = "widgets/summary.json" if version == "allure2" else "widgets/statistic.json"
    with open(os.path.join(out, path), encoding="utf-8") as file:
        statistic = json.load(file)
    statistic = statistic.get("statistic", statistic)
    counts = [statistic.get("passed", 0), statistic.get("failed", 0) + statistic.get("broken", 0),
              statistic.get("skipped", 0)]
    expect(counts == wanted, f"{name}: {version} counts {counts}, and it is {wanted}")
    tests = [one for one in read_json_files(os.path.join(out, "data", "test-cases" if version == "allure2"
                                                         else "test-results"))
             if not (one.get("hidden") or one.get("isRetry"))]
    if name == "two-devices":
        devices = {parameter["value"] for one in tests for parameter in one["parameters"]}
        expect({"Pixel 7 - Android 14", "Galaxy S21 - Android 14"} <= devices, f"{version}: devices {devices}")
        failed = next(one for one in tests if one["name"] == "pays by card" and one["status"] == "failed")
        place = failed["testStage"] if version == "allure2" else failed
        expect(failed["retriesCount"] == 1, f"{version}: {failed['retriesCount']} retries")
        expect(len(place["attachments"]) == 1, f"{version}: {place['attachments']}")
    if name == "flaky":
        flaky = next(one for one in tests if one["name"] == "b")
        expect(flaky["retriesCount"] == 2 and flaky["flaky"], f"{version}: a flaky test is not shown as one")


# ---- bundles ----

LISTERS = {"bsdtar": ["bsdtar", "-tf"], "GNU tar": ["tar", "-tf"], "unzip": ["unzip", "-Z1"],
           "7z": ["7z", "l", "-ba", "-slt"]}


def members(tool, path):
    done = subprocess.run([*LISTERS[tool], path], capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"{tool} {path}: {done.stderr[-200:]}")
    if tool == "7z":
        return re.findall(r"^Path = (.*)$", done.stdout, re.M)
    return done.stdout.split()


def members_by_python(path):
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            expect(archive.testzip() is None, f"{path}: a member is broken")
            return archive.namelist()
    with tarfile.open(path) as archive:
        return archive.getnames()


def check_bundles(gridlane, folder, name):
    """The same results in two folders, under two time zones and locales: the same bytes, listed alike by all."""
    places = {os.path.join(folder, "bundle-a", "x"): {"TZ": "UTC", "LC_ALL": "C", "PATH": os.environ["PATH"]},
              os.path.join(folder, "bundle-b"): {"TZ": "Asia/Kolkata", "LC_ALL": "de_DE.UTF-8",
                                                 "PATH": os.environ["PATH"]}}
    for file in ("b.tar.gz", "b.zip", "b.tar.xz", "b.tar.zst"):
        digests = set()
        for place, environment in places.items():
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(os.path.join(folder, name), place)
            subprocess.run([gridlane, "bundle", "create", place, file], env=environment, check=True,
                           stdout=subprocess.DEVNULL)
            with open(os.path.join(place, file), "rb") as data:
                digests.add(hashlib.sha256(data.read()).hexdigest())
        expect(len(digests) == 1, f"{file}: not the same bytes everywhere")
        path = os.path.join(place, file)
        wanted = [line.split(None, 1)[1] for line in subprocess.run(
            [gridlane, "bundle", "list", path], capture_output=True, text=True, check=True).stdout.splitlines()]
        expect("junit.xml" in wanted and "manifest.json" in wanted, f"{file}: {wanted}")
        tools = {"b.zip": ["bsdtar", "unzip", "7z"], "b.tar.gz": ["bsdtar", "GNU tar"], "b.tar.xz": ["bsdtar", "GNU tar"],
                 "b.tar.zst": ["bsdtar"]}[file]
        found = {tool: members(tool, path) for tool in tools if shutil.which(LISTERS[tool][0])}
        if file != "b.tar.zst":
            found["Python"] = members_by_python(path)
        for tool, listed in found.items():
            expect(listed == wanted, f"{file}: {tool} lists {listed}, and it holds {wanted}")
        print(f"{file}: the same bytes twice, listed alike by {', '.join(found)}")


def check_run(gridlane, folder, name):
    command = [gridlane, "report", folder]
    for one in FORMATS:
        if one != "allure" or name != "large":  # 100,000 files of 4 KiB
            command += ["--report", one]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    expect(done.returncode == 0, f"{name}: {done.stderr}")
    if done.returncode != 0:
        return None
    counts = {"junit": count_junit(folder), "ctrf": count_ctrf(folder), "tap": count_tap(folder),
              "teamcity": count_teamcity(folder, name)}
    expect(len(set(map(tuple, counts.values()))) == 1, f"{name}: counted differently: {counts}")
    check_log_lines(folder, name, make_results.RUNS[name]()["verdict"] != "passed")
    check_page(folder, name)
    check_contrast(folder)
    print(f"{name}: passed, failed, skipped = {counts['junit']}")
    return counts["junit"]


def main():
    gridlane, folder, modules = (sys.argv[1:] + [None])[:3]
    gridlane, modules = os.path.abspath(gridlane), modules and os.path.abspath(modules)
    sys.argv[1:] = [folder]
    make_results.main()
    os.chdir(os.path.dirname(os.path.abspath(folder)))  # files are named from the working directory on
    folder = os.path.basename(os.path.abspath(folder))
    wanted = {name: check_run(gridlane, os.path.join(folder, name), name) for name in make_results.RUNS}
    if modules and not wrong:
        check_readers(modules, folder, wanted)
        for name in ("two-devices", "flaky", "same-names", "hostile"):
            check_allure(modules, folder, name, wanted[name])
    for name in ("two-devices", "hostile", "large"):
        check_in_chromium(os.path.join(folder, name), name)
    check_teamcity_files(os.path.join(folder, "two-devices"))
    check_bundles(gridlane, folder, "failures")
    for text in wrong[:50]:
        print("WRONG " + text)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

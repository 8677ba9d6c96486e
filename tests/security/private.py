#!/usr/bin/env python3
"""What of a running gridlane others can see: no secret in its environment, in its children's or in any argument; no
core dump; state files for nobody else.

usage: GRIDLANE=path/to/gridlane private.py
"""
import os
import re
import subprocess
import sys
import tempfile

TOKEN, OTHER, NAMED = "tokentokentoken12345", "otherother67890xyz", "namednamed54321abc"
PROXY, HISTORY, DATABASE = "proxyproxy24680qrs", "historyhistory13579tuv", "databasedatabase97531wxy"
LINES = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB"]
URL = f"postgresql://ci:{HISTORY}@127.0.0.1:1/ci"
PIPELINE = """
version: 1
name: private
secrets: { named: { env: NAMED_VALUE } }
app: { name: Shop, platform: android }
steps:
  - id: look
    uses: run
    with:
      command: [python3, -c, "import os; ours = os.environ; parent = open('/proc/%d/environ' % os.getppid()).read(); status = open('/proc/%d/limits' % os.getppid()).read(); open('seen', 'w').write('\\\\n'.join([repr(dict(ours)), parent, open('/proc/%d/cmdline' % os.getppid()).read(), status]))"]
"""
SCENARIO = "token: sandboxsandbox999\n"


def run(gridlane, folder, words):
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "TESTGRID_TOKEN": TOKEN, "DEPLOY_KEY": OTHER,
                   "NAMED_VALUE": NAMED, "TESTGRID_PASSWORD": TOKEN, "SSLKEYLOGFILE": folder + "/keys",
                   "http_proxy": f"http://me:{PROXY}@127.0.0.1:1", "no_proxy": "127.0.0.1", "GRIDLANE_HISTORY": URL,
                   "PGPASSWORD": DATABASE, "SIGNING_KEY": "-----BEGIN KEY-----\n" + "\n".join(LINES) + "\n-----END KEY-----\n",
                   **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}
    return subprocess.run([gridlane, *words], cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)


def check_words(gridlane, folder):
    """A command that prints what it has, a line at a time: proxies' passwords and lines of keys are secrets; and no
    password is taken as an argument."""
    with open(folder + "/words.yml", "w", encoding="utf-8") as file:
        file.write("version: 1\nname: words\nsteps:\n  - uses: run\n    with: { command: [sh, -c, 'env; echo " + "; echo ".join(LINES)
                   + "'] }\n")
    done = run(gridlane, folder, ["run", "--sandbox=scenario.yml", "words.yml", "--out", "words", "--events", "words-events"])
    written = [done.stdout]
    for place, _, names in os.walk(folder + "/words"):
        for name in names:
            with open(os.path.join(place, name), encoding="utf-8", errors="replace") as file:
                written.append(file.read())
    with open(folder + "/words-events", encoding="utf-8") as file:
        written.append(file.read())
    for secret in (PROXY, HISTORY, DATABASE, *LINES):
        if any(secret in text for text in written):
            yield f"'{secret}' was written: {done.stdout}"
    if "http_proxy=http://me:***@127.0.0.1:1" not in done.stdout:
        yield f"the step printed no environment: {done.stdout}"
    done = run(gridlane, folder, ["run", "--history", URL, "--sandbox", "words.yml", "--out", "other"])
    if done.returncode != 2 or HISTORY in done.stdout:
        yield f"a password among the arguments: exit {done.returncode}: {done.stdout}"


def check_mask(gridlane, folder):
    """A user whose files are nobody's business: not one of a run's is open to others."""
    before = os.umask(0o077)
    try:
        done = run(gridlane, folder, ["run", "--sandbox=scenario.yml", "pipeline.yml", "--out", "masked", "--report", "html", "--events",
                                      "masked-events"])
    finally:
        os.umask(before)
    if done.returncode not in (0, 1) or not os.path.exists(folder + "/masked/results.json"):
        yield f"the run under a mask: exit {done.returncode}: {done.stdout}"
    for place, _, names in os.walk(folder + "/masked"):
        for path in [place, *(os.path.join(place, name) for name in names), folder + "/masked-events"]:
            if os.stat(path).st_mode & 0o077:
                yield f"{path} is open to others: {oct(os.stat(path).st_mode)}"


def check(gridlane, folder):
    with open(folder + "/pipeline.yml", "w", encoding="utf-8") as file:
        file.write(PIPELINE)
    with open(folder + "/scenario.yml", "w", encoding="utf-8") as file:
        file.write(SCENARIO)
    done = run(gridlane, folder, ["run", "--sandbox=scenario.yml", "pipeline.yml", "--out", "out"])
    if not os.path.exists(folder + "/seen"):
        yield f"the step did not run: {done.stdout}"
        return
    with open(folder + "/seen", encoding="utf-8") as file:
        seen = file.read()
    for secret in (TOKEN, OTHER, NAMED, HISTORY, DATABASE, *LINES):
        if secret in seen:
            yield f"'{secret}' can be seen: {seen}"
    if "not in the history" not in done.stdout:
        yield f"it does not say that there is no history: {done.stdout}"
    yield from check_words(gridlane, folder)
    if not re.search(r"Max core file size\s+0\s+0", seen):
        yield "core dumps are on"
    if os.path.exists(folder + "/keys"):
        yield "the keys of connections were written"
    state = folder + "/out/state"
    for path in [folder + "/out/journal.jsonl", *(state + "/" + name for name in (os.listdir(state) if os.path.isdir(state) else []))]:
        if os.stat(path).st_mode & 0o077:
            yield f"{path} is open to others: {oct(os.stat(path).st_mode)}"
    yield from check_mask(gridlane, folder)
    for option in (["--token", TOKEN], ["--token=" + TOKEN], ["--insecure"]):
        done = run(gridlane, folder, ["run", *option, "pipeline.yml"])
        if done.returncode != 2 or TOKEN in done.stdout:
            yield f"{option[0]}: exit {done.returncode}: {done.stdout}"


def main():
    with tempfile.TemporaryDirectory(prefix="gridlane-private-") as folder:
        wrongs = list(check(os.path.abspath(os.environ["GRIDLANE"]), folder))
    for wrong in wrongs:
        print("WRONG: " + wrong)
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())

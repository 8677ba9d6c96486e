#!/usr/bin/env python3
"""The history in PostgreSQL: the unit tests of the history against a real server, and whole runs that share it.

usage: GRIDLANE=path/to/gridlane check.py UNIT_TEST...    exit status 77 when PostgreSQL is not installed
"""
import json
import os
import subprocess
import sys
import tempfile

import server

PASSWORD = "correct-horse-battery"
PIPELINE = """
version: 1
name: shared
app: {{ name: Shop, platform: android }}
devices:
  phone: {{ any_of: [{{ name: Pixel 7 }}] }}
steps:
  - id: version
    uses: create_version
    with: {{ name: e2e, reuse: true }}
  - id: build
    uses: upload_build
    with: {{ file: shop.apk, version: "${{{{ steps.version }}}}" }}
  - uses: install
    with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ devices.phone[0] }}}}" }}
  - id: tests
    uses: app_build_run
    with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ devices.phone[0] }}}}", module: 12 }}
  - uses: run
    with: {{ command: {command} }}
gate: [ results.failed == 0 ]
"""


class Bench:
    def __init__(self, folder, place):
        self.folder, self.place, self.findings = folder, place, []
        with open(os.path.join(folder, "shop.apk"), "w", encoding="utf-8") as file:
            file.write("not really an app\n")

    def expect(self, holds, words):
        if not holds:
            self.findings.append(words)

    def gridlane(self, *arguments, place=None):
        done = subprocess.run(
            [os.environ["GRIDLANE"], *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL, check=False,
            env={"PATH": os.environ["PATH"], "HOME": self.folder, "GRIDLANE_HISTORY": place or self.place.url()})
        self.expect("Sanitizer" not in done.stderr, f"a sanitizer reports: {done.stderr}")
        for name, text in (("stdout", done.stdout), ("stderr", done.stderr)):
            self.expect(PASSWORD not in text, f"{arguments}: the password is on {name}")
        return done

    def run_pipeline(self, command=("true",), place=None):
        with open(os.path.join(self.folder, "p.yml"), "w", encoding="utf-8") as file:
            file.write(PIPELINE.format(command=json.dumps(list(command))))
        return self.gridlane("run", "--sandbox", "p.yml", "--fresh", "--out", "out", place=place)

    def count_runs(self):
        listed = self.gridlane("history", "list", "--json")
        self.expect(listed.returncode == 0, f"history list: {listed.stderr}")
        return len(json.loads(listed.stdout or "[]"))

    def problems(self):
        with open(os.path.join(self.folder, "out", "results.json"), encoding="utf-8") as file:
            text = file.read()
        self.expect(PASSWORD not in text, "the password is in results.json")
        return text


def check_runs_share_it(bench):
    for expected in (1, 2):
        done = bench.run_pipeline()
        bench.expect(done.returncode == 0, f"the run failed: {done.stdout}{done.stderr}")
        bench.expect(bench.count_runs() == expected, f"there are {bench.count_runs()} runs and not {expected}")


def check_a_lost_connection_is_made_anew(bench):
    """A firewall that forgets an idle connection, or a server that is restarted under a run."""
    before = bench.count_runs()
    psql = os.path.join(bench.place.programs, "psql")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gridlane'"
    done = bench.run_pipeline([psql, "-X", "-q", "-A", "-t", "-c", cut, bench.place.url()])
    bench.expect(done.returncode == 0, f"the run failed: {done.stdout}{done.stderr}")
    bench.expect("run | t\n" in done.stdout, f"no connection was cut: {done.stdout}")
    bench.expect("not in the history" not in bench.problems(), "the run says it is not in the history")
    bench.expect(bench.count_runs() == before + 1, "the run is not in the history")


def check_an_enclosed_run_makes_it_anew(bench):
    """A run that starts no program gives up most files and ports, and yet reaches the history's server again."""
    before = bench.count_runs()
    psql = [os.path.join(bench.place.programs, "psql"), "-X", "-A", "-t", "-c",
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'gridlane'",
            bench.place.url()]
    with open(os.path.join(bench.folder, "quiet.yml"), "w", encoding="utf-8") as file:
        file.write(PIPELINE.format(command="[]").split("  - uses: run")[0])
    with subprocess.Popen([os.environ["GRIDLANE"], "run", "--sandbox", "quiet.yml", "--time-scale", "10", "--trace"],
                          cwd=bench.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env={"PATH": os.environ["PATH"], "HOME": bench.folder,
                               "GRIDLANE_HISTORY": bench.place.url()}) as run:
        for line in run.stderr:
            if "app_build_run" in line or "/ci/execution" in line:  # the run is on the server: the history is open
                break
        cut = subprocess.run(psql, capture_output=True, text=True, check=True).stdout.strip()
        run.stderr.read()
        bench.expect(run.wait() == 0, "the enclosed run failed")
    bench.expect(cut == "1", f"{cut} connections were cut")
    bench.expect(bench.count_runs() == before + 1, "the enclosed run is not in the history")


def check_no_server_changes_no_verdict(bench):
    nowhere = f"postgresql://gridlane:{PASSWORD}@/postgres?host={bench.folder}"
    done = bench.run_pipeline(place=nowhere)
    bench.expect(done.returncode == 0, f"the run failed: {done.stdout}{done.stderr}")
    bench.expect("this run is not in the history" in bench.problems(), "the run does not say that it is not kept")
    asked = bench.gridlane("history", "list", place=nowhere)
    bench.expect(asked.returncode == 3, f"history list without a server: {asked.returncode}")


def check_passwords_stay_inside(bench):
    for place, words in ((f"postgresql://gridlane:{PASSWORD}/@h/db", "are written"),
                         (f"postgresql://gridlane:{PASSWORD}@@h/db", "are written"),
                         (bench.place.url("nothing", f"gridlane:{PASSWORD}"), "does not exist")):
        done = bench.gridlane("history", "list", place=place)
        bench.expect(done.returncode in (2, 3) and words in done.stderr, f"{done.returncode}: {done.stderr}")


def main():
    programs = server.find_programs()
    if not programs:
        print("skipped: PostgreSQL is not installed (./dev setup test)")
        return server.SKIPPED
    with server.Server(programs) as place, tempfile.TemporaryDirectory(prefix="gridlane-") as folder:
        for test in sys.argv[1:]:
            done = subprocess.run([test], env={**os.environ, "GRIDLANE_TEST_SERVER": place.url()}, check=False)
            if done.returncode != 0:
                return 1
        place.run("dropdb", "-h", place.folder, "-U", "gridlane", "--if-exists", "runs")
        place.run("createdb", "-h", place.folder, "-U", "gridlane", "runs")
        place.database = "runs"
        bench = Bench(folder, place)
        for check in (check_runs_share_it, check_a_lost_connection_is_made_anew,
                      check_an_enclosed_run_makes_it_anew, check_no_server_changes_no_verdict,
                      check_passwords_stay_inside):
            check(bench)
        for finding in bench.findings:
            print(f"WRONG: {finding}")
        return 1 if bench.findings else 0


if __name__ == "__main__":
    sys.exit(main())

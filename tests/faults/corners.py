#!/usr/bin/env python3
"""Corners that no schedule meets: two runs on one folder, a closed output, a second signal, a full disk.

usage: GRIDLANE=path/to/gridlane corners.py
"""
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import rig

ENDLESS = {"modules": [{"id": 12, "name": "Endless", "platform": "android", "suite": "smoke", "run": "never_ends"}]}


def expect(holds, words):
    if not holds:
        raise AssertionError(words)


def begin(one, *options):
    """A run that polls a test run without end."""
    child = one.start([*one.run_arguments(), *options])
    expect(rig.wait_for(child, one, "execution_details", 2), "the run did not come to its polls")
    return child


def start_signalled(one, arguments):
    """The signal is there before the process begins: it inherits the mask, so that it cannot come too early."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    child = one.start(arguments)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    child.terminate()
    return child


def a_second_run_on_the_folder_says_who_has_it():
    with rig.Rig(ENDLESS) as one:
        child = begin(one)
        for arguments in (one.run_arguments(), ["resume", "out"], ["cleanup", "out"]):
            status, said = one.run(arguments)  # the first one never ends: nobody waits for it
            expect(status == 3 and f"process {child.pid}" in said, f"{arguments[0]}: status {status}: {said}")
        one.write("pipeline.yml", rig.PIPELINE.format(devices=1, module=12) + "# another one\n")
        status, said = one.run()  # what is written there is no unfinished run that somebody left
        expect(status == 3 and f"process {child.pid}" in said, f"another pipeline: status {status}: {said}")
        child.terminate()
        expect(child.wait() == 143, f"status {child.returncode}")
        expect(not one.state()["reservations"], "reservations are held")


def a_second_run_may_wait_for_the_folder():
    with rig.Rig(ENDLESS) as one:
        child = begin(one)
        second = one.start(["cleanup", "out", "--lock-wait", "1m"])
        child.terminate()
        said = second.communicate(timeout=rig.TIME_LIMIT)[0]
        expect(child.wait() == 143 and second.returncode == 0, f"status {second.returncode}: {said}")
        expect("holds nothing" in said, said)


def a_run_is_gone_on_with_on_its_own_server_alone():
    with rig.Rig(ENDLESS) as one, rig.Rig(ENDLESS) as other:
        child = begin(one)
        child.kill()
        child.wait()
        settings, one.settings = one.settings, other.settings
        for arguments in (["resume", "out"], ["cleanup", "out"], one.run_arguments()):
            status, said = one.run(arguments)
            expect(status == 2 and "was begun on" in said, f"{arguments[0]}: status {status}: {said}")
        expect(not other.requests(), "the other server was asked")
        one.settings = {key: value for key, value in settings.items() if key != "TESTGRID_TOKEN"}
        status, said = one.run(["resume", "out"])
        expect(status == 2 and "no token" in said, f"without a token: status {status}: {said}")
        one.settings = settings
        status, said = one.run(["cleanup", "out"])
        expect(status == 0 and not one.state()["reservations"], f"cleanup: status {status}: {said}")


def a_killed_run_does_not_show_the_reports_of_the_one_before():
    smoke = {"id": 13, "name": "Smoke", "platform": "android", "suite": "smoke"}
    with rig.Rig({"modules": [smoke, *ENDLESS["modules"]]}, module=13, devices=1) as one:
        expect(one.run()[0] == 0, "the first run failed")
        one.write("pipeline.yml", rig.PIPELINE.format(devices=1, module=12))
        child = one.start(one.run_arguments())
        expect(rig.wait_for(child, one, "app_build_run", 2), "the second run did not start")
        child.kill()
        child.wait()
        expect(not os.path.exists(os.path.join(one.out, "junit.xml")), "an old junit.xml is there")
        status, said = one.run(["report", "out"])
        expect(status == 0 and "passed" not in said, f"status {status}: {said}")


def a_start_waits_for_another_one_on_this_host():
    with rig.Rig(devices=1) as one:
        folder = os.path.join(one.folder, ".local/state/gridlane")
        os.makedirs(folder)
        name = hashlib.sha256(one.settings["TESTGRID_URL"].encode()).hexdigest()[:12]
        with open(os.path.join(folder, f"start-{name}.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            one.write("pipeline.yml", rig.PIPELINE.format(devices=1, module=12))
            child = one.start(["run", "pipeline.yml", "--out", "out"])  # in real time: it gives up after five minutes
            for line in child.stdout:
                if "another gridlane on this host" in line:
                    break
            operations = [request["operation"] for request in one.requests()]
            expect(child.poll() is None and "reserve_device" in operations, f"it did not wait: {operations}")
            expect(not {"build_list", "app_build_run"} & set(operations), "it did not wait")
        said = child.communicate(timeout=rig.TIME_LIMIT)[0]
        expect(child.returncode == 0, f"status {child.returncode}: {said}")


def a_cancelled_run_is_gone_on_with_or_begun_anew():
    with rig.Rig(ENDLESS) as one:
        child = begin(one)
        first = rig.own_runs(one.state())
        child.terminate()
        expect(child.wait() == 143, f"status {child.returncode}")
        known = one.results()["run_id"]
        child = one.start(one.run_arguments())
        expect(rig.wait_for(child, one, "execution_details", 12), "it did not go on")
        child.terminate()
        child.wait()
        expect(one.results()["run_id"] == known, "the run has another id")
        expect(len(rig.own_runs(one.state())) == len(first), "it was started again")
        child = one.start([*one.run_arguments(), "--fresh"])
        expect(rig.wait_for(child, one, "app_build_run", 3), "--fresh started nothing")
        child.terminate()
        child.wait()
        expect(one.results()["run_id"] != known, "--fresh kept the old run's id")


def another_pipeline_is_not_mixed_in():
    with rig.Rig(ENDLESS) as one:
        child = begin(one)
        child.kill()
        child.wait()
        one.write("pipeline.yml", rig.PIPELINE.format(devices=1, module=12))
        status, said = one.run()
        expect(status == 2 and "unfinished run" in said and "--fresh" in said, f"status {status}: {said}")
        expect("'pipeline.yml' has changed" in said, said)
        expect(one.run(["cleanup", "out"])[0] == 0 and not one.state()["reservations"], "cleanup did not give back")


def a_second_signal_ends_it_at_once():
    with rig.Rig({**ENDLESS, "faults": [{"operation": "release_reserve_device", "kind": "hang"}]}) as one:
        child = begin(one, "--grace", "1m")
        child.terminate()
        expect(rig.wait_for(child, one, "release_reserve_device", 2), "nothing was released")
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=50)[0]  # not --grace's minute
        expect(child.returncode == 143, f"status {child.returncode}")
        expect("may still be held" in said and one.results(), said)
        expect(os.path.exists(os.path.join(one.out, "junit.xml")), "there is no junit.xml")


def a_doubled_signal_is_one():
    with rig.Rig(ENDLESS) as one:
        child = begin(one)
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGINT)
        expect(child.wait() == 130, f"status {child.returncode}")
        expect(not one.state()["reservations"], "reservations are held")


def a_signal_before_the_engine_leaves_reports():
    with rig.Rig() as one:
        child = start_signalled(one, one.run_arguments())
        said = child.communicate()[0]
        expect(child.returncode == 143, f"status {child.returncode}: {said}")
        expect(one.results()["verdict"] == "cancelled", said)


def a_result_outlives_a_run_that_was_cancelled_at_once():
    with rig.Rig({"faults": [{"operation": "release_reserve_device", "call": 1, "kind": "hang"}]}) as one:
        child = one.start(one.run_arguments())
        expect(rig.wait_for(child, one, "release_reserve_device", 2), "the run did not come to its end")
        child.kill()
        child.communicate()
        known = one.known_results()
        child = start_signalled(one, ["resume", "out"])
        said = child.communicate()[0]
        expect(child.returncode == 143, f"status {child.returncode}: {said}")
        shown = {run["build_number"]: run for run in one.results()["runs"]}
        expect(known and all(shown[number]["complete"] for number in known), f"{known} are not in {shown}")
        status, said = one.run(["resume", "out"])
        expect(status == 0 and len(rig.own_runs(one.state())) == 2, f"status {status}: {said}")


def a_dead_parent_ends_nothing():
    with rig.Rig(devices=1) as one:
        words = ["sh", "-c", '"$0" "$@" & wait', rig.GRIDLANE, *one.run_arguments()]
        shell = subprocess.Popen(words, cwd=one.folder, env=one.environment(), stdout=subprocess.PIPE, text=True,
                                 stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        expect(rig.wait_for(shell, one, "execution_details", 1), "the run did not come to its polls")
        shell.kill()
        said = shell.communicate(timeout=rig.TIME_LIMIT)[0]  # until the run, too, has closed its output
        expect(one.results() and one.results()["verdict"] == "passed", said)
        expect(not one.state()["reservations"], "reservations are held")


def closed_outputs_end_nothing():
    with rig.Rig(devices=1) as one:
        words = [rig.GRIDLANE, *one.run_arguments()]
        child = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&- 2>&- <&-', *words], cwd=one.folder,
                               env=one.environment(), timeout=rig.TIME_LIMIT, check=False)
        expect(child.returncode == 0, f"closed: status {child.returncode}")
        expect(len(one.results()["runs"]) == 1, "closed: no results")
    with rig.Rig(devices=1) as one:
        child = one.start(one.run_arguments())
        child.stdout.close()
        expect(child.wait(rig.TIME_LIMIT) == 0, f"gone: status {child.returncode}")
    with rig.Rig(devices=1) as one, open("/dev/full", "w", encoding="utf-8") as full:
        child = subprocess.run([rig.GRIDLANE, *one.run_arguments()], cwd=one.folder, env=one.environment(), stdout=full,
                               stderr=subprocess.DEVNULL, timeout=rig.TIME_LIMIT, check=False)
        expect(child.returncode == 0, f"full: status {child.returncode}")
        for words in (["version"], ["schema"], ["api", "list"], ["completion", "bash"]):
            child = subprocess.run([rig.GRIDLANE, *words], stdout=full, stderr=subprocess.PIPE, timeout=rig.TIME_LIMIT, check=False)
            expect(child.returncode == 3 and b"No space left" in child.stderr, f"{words[0]} into a full disk: {child}")


def a_full_disk_keeps_room_for_the_end():
    """Only root can make a small disk."""
    if os.geteuid() != 0:
        return
    with rig.Rig(devices=1) as one:
        os.mkdir(one.out)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", one.out], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            return
        try:
            with open(os.path.join(one.out, "fill"), "wb") as file:
                file.write(bytes(1008 * 1024))
            status, said = one.run()
            expect(status == (0 if rig.own_runs(one.state()) else 3), f"status {status}: {said}")
            expect(os.path.exists(os.path.join(one.out, "junit.xml")) and one.results(), f"no reports: {said}")
            expect("No space left" in said, said)
            expect(not one.state()["reservations"], "reservations are held")
        finally:
            subprocess.run(["umount", one.out], check=True)


def broken_at(one, number):
    """A run whose journal cannot be brought to the disk from that wait for it on."""
    words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
             f"inject=fdatasync:error=EIO:when={number}+", rig.GRIDLANE, *one.run_arguments()]
    return subprocess.Popen(words, cwd=one.folder, env=one.environment(is_traced=True), text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def a_journal_that_breaks_takes_no_result_with_it():
    """At each wait for the disk: the tests' verdict with reports that stay, or status 3; what was started is said."""
    if not shutil.which("strace"):
        return
    broken = 0
    for number in range(1, 60):
        with rig.Rig(devices=1) as one:
            child = broken_at(one, number)
            out, errors = child.communicate(timeout=rig.TIME_LIMIT)
            words = f"fdatasync {number}: status {child.returncode}: {out}{errors}"
            if "cannot be written on" not in out + errors:
                expect(child.returncode == 0, words)
                break
            started = [run["build_number"] for run in rig.own_runs(one.state())]
            expect(child.returncode == (0 if started else 3), words)
            if not started:
                continue
            broken += 1
            expect(all(f"build {started[0]} (" in said for said in (out, errors)), words)
            for again in (["report", "out", "--report", "json"], ["cleanup", "out"]):
                status, said = one.run(again)
                expect(status == 0 and one.results()["verdict"] == "passed", f"{words}{again[0]}: {status}: {said}")
            expect(len(one.results()["runs"][0]["cases"]) == 8 and not one.state()["reservations"], words)
    expect(broken > 0, "no journal broke after a start")


def a_journal_that_breaks_is_said_at_once():
    """While the run is polled, without end; and polled it is from memory."""
    if not shutil.which("strace"):
        return
    for number in range(3, 60):
        with rig.Rig(ENDLESS, devices=1) as one:
            child = broken_at(one, number)
            said = next((line for line in child.stderr if "(lane" in line), None)
            if not said:  # it started nothing, and has ended
                child.communicate(timeout=rig.TIME_LIMIT)
                continue
            pid = one.records()[0]["detail"]["pid"]  # strace is its parent
            polls = sum(request["operation"] == "execution_details" for request in one.requests())
            expect(rig.wait_for(child, one, "execution_details", polls + 3), "it was not polled on")
            os.kill(pid, signal.SIGTERM)
            out = child.communicate(timeout=rig.TIME_LIMIT)[0]
            expect(child.returncode == 143 and f"warning: {said[len('gridlane: '):]}" in out, f"{said}\n{out}")
            return
    expect(False, "no journal broke after a start")


def read_departures(trace, name):
    """From strace: the most intents that one wait for the disk was for, and how many requests left; none before its
    intent was on the disk."""
    written = safe = left = most = 0
    for line in trace:
        if re.search(r"write\(\d+<.*journal\.jsonl>", line) and "step_intent" in line and f'\\"text\\":\\"{name}\\"' in line:
            written += 1
        elif re.search(r"fdatasync\(\d+<.*journal\.jsonl>", line):
            most = max(most, written)
            safe, written = safe + written, 0
        elif f"POST /ci/{name} " in line:
            left += 1
            expect(left <= safe, f"request {left} left when {safe} intents were on the disk")
    return most, left


def a_wait_for_the_disk_is_shared_by_starts_that_leave_after_it():
    """One connection: lanes that wait for the list before their starts have it at once."""
    if not shutil.which("strace"):
        return
    with rig.Rig(devices=3) as one:
        trace = os.path.join(one.folder, "trace")
        one.write("pipeline.yml", rig.PIPELINE.format(devices=3, module=12) + "server: { max_connections: 1 }\n")
        status, said = one.run(prefix=["strace", "-f", "-y", "-s", "500", "-e",
                                       "trace=write,fdatasync,sendto,sendmsg,writev", "-o", trace])
        expect(status == 0, f"status {status}: {said}")
        with open(trace, encoding="utf-8", errors="replace") as file:
            most, left = read_departures(file, "app_build_run")
        expect(left == 3 and most >= 2, f"{left} starts left, at most {most} after one wait")


def main():
    bad = 0
    tests = [test for name, test in globals().items() if re.match(r"an?_|another|closed", name) and callable(test)]
    for test in tests:
        try:
            test()
            print(f"ok      {test.__name__}")
        except (AssertionError, subprocess.TimeoutExpired) as error:
            bad += 1
            print(f"FAILED  {test.__name__}: {error}")
    return 1 if bad or not tests else 0


if __name__ == "__main__":
    sys.exit(main())

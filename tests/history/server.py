#!/usr/bin/env python3
"""A PostgreSQL server of its own, on a Unix socket in a temporary folder, from Debian's package; it ends with its `with`.

usage: server.py COMMAND...    runs the command with GRIDLANE_TEST_SERVER=URL in its environment; 77 without PostgreSQL
"""
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading

SKIPPED = 77


def find_programs():
    """The folder with initdb and postgres, or None."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    return folders[-1] if folders else None


def unprivileged():
    """PostgreSQL refuses to run as root: who it runs as then."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise SystemExit("server.py: there is no user to run PostgreSQL as")


class Server:
    def __init__(self, programs):
        self.programs = programs
        self.who = unprivileged()
        self.process = None
        self.database = "postgres"

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="gridlane-pg-")
        data = os.path.join(self.folder, "data")
        if self.who:
            os.chown(self.folder, self.who["user"], self.who["group"])
        self.run("initdb", "-D", data, "-U", "gridlane", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.process = subprocess.Popen(
            [os.path.join(self.programs, "postgres"), "-D", data, "-F", "-k", self.folder, "-c", "listen_addresses=",
             "-c", "max_connections=60"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.folder,
            **self.who)
        self.wait_until_ready()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            try:
                self.process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *arguments):
        done = subprocess.run([os.path.join(self.programs, program), *arguments], capture_output=True, text=True,
                              cwd=self.folder, **self.who, check=False)
        if done.returncode != 0:
            raise SystemExit(f"server.py: {program}: {done.stderr}")

    def wait_until_ready(self):
        """Its log says so: nothing is asked in vain."""
        for line in self.process.stderr:
            if "ready to accept connections" in line:
                threading.Thread(target=self.process.stderr.read, daemon=True).start()  # a full pipe would stop it
                return
        raise SystemExit("server.py: PostgreSQL did not start")

    def url(self, database=None, user="gridlane"):
        return f"postgresql://{user}@/{database or self.database}?host={self.folder}"


def main():
    programs = find_programs()
    if not programs:
        print("skipped: PostgreSQL is not installed (./dev setup test)")
        return SKIPPED
    with Server(programs) as server:
        return subprocess.run(sys.argv[1:], env={**os.environ, "GRIDLANE_TEST_SERVER": server.url()},
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

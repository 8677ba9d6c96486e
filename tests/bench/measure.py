"""Run commands side by side and take what they cost; start the servers that they talk to."""
import collections
import json
import os
import re
import statistics
import subprocess
import time
import urllib.request

Sample = collections.namedtuple("Sample", "wall_s cpu_s rss_mib status")
ROUNDS = 5


class Place:
    """Where the programs are, and a folder to work in."""

    def __init__(self, build, folder, is_quick):
        self.gridlane = os.path.join(build, "runner/gridlane")
        self.tools = os.path.join(build, "tests/bench")
        self.here = os.path.dirname(os.path.abspath(__file__))
        self.folder, self.is_quick = folder, is_quick
        os.environ["XDG_DATA_HOME"] = os.path.join(folder, "data")  # where the history is

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def peer(self, name):
        """A program of the pinned npm packages, or None."""
        path = os.path.join(self.here, "node_modules/.bin", name)
        return path if os.path.exists(path) else None


class Command:
    def __init__(self, argv, environment=None, before=None, status=0, output=None):
        self.argv, self.before, self.status, self.output = argv, before, status, output
        self.environment = dict(os.environ, LC_ALL="C", **(environment or {}))

    def run(self, place):
        result = place.path("cost")
        if self.before:
            self.before()
        with open(self.output or os.devnull, "wb") as output, open(place.path("stderr"), "wb") as stderr:
            done = subprocess.run([os.path.join(place.tools, "bench_run"), result, *self.argv], cwd=place.folder,
                                  env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=stderr,
                                  check=False, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"cannot run {self.argv[0]}")
        with open(result, encoding="ascii") as file:
            wall, user, system, rss, status = (int(word) for word in file.read().split())
        if status != self.status:
            with open(place.path("stderr"), encoding="utf-8", errors="replace") as file:
                raise RuntimeError(f"{' '.join(self.argv)[:200]}: exit status {status}: {file.read()[:2000]}")
        return Sample(wall / 1e9, (user + system) / 1e6, rss / 1024, status)


def alternate(place, commands, rounds=ROUNDS):
    """All commands once a round; the medians, by name."""
    samples = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            samples[name].append(command.run(place))
    return {name: Sample(*(statistics.median(values) for values in zip(*taken))) for name, taken in samples.items()}


class Server:
    """bench_server: fast, with canned answers in a folder."""

    def __init__(self, place, answers=None, runs=()):
        """runs: tests of each run, its seconds, milliseconds from poll to poll; else answers are files."""
        argv = [os.path.join(place.tools, "bench_server")] + ([answers] if answers else []) + [str(n) for n in runs]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        self.environment = {"TESTGRID_URL": self.url, "TESTGRID_TOKEN": "bench-token-0123456789"}

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats") as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


class Sandbox:
    """`gridlane sandbox` as a process of its own."""

    def __init__(self, place, scenario):
        self.log = place.path("requests.jsonl")
        if os.path.exists(self.log):
            os.remove(self.log)
        self.process = subprocess.Popen(
            [place.gridlane, "sandbox", "--scenario", scenario, "--log", self.log],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = re.search(r"http://\S+", self.process.stdout.readline()).group(0)
        self.environment = {"TESTGRID_URL": self.url, "TESTGRID_TOKEN": "bench-token-0123456789"}
        self.seen = 0

    def new_requests(self):
        """What was asked since the last time."""
        with open(self.log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        new, self.seen = lines[self.seen:], len(lines)
        return [json.loads(line) for line in new]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


class Watch:
    """A process while it runs: the most of its sockets, of its threads while it has any, and of its memory."""

    def __init__(self, argv, place, environment):
        self.sockets = self.threads = self.rss_kib = 0
        self.process = subprocess.Popen(argv, cwd=place.folder, env=dict(os.environ, **environment),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def look(self):
        base = f"/proc/{self.process.pid}"
        try:
            links = [os.readlink(os.path.join(base, "fd", name)) for name in os.listdir(os.path.join(base, "fd"))]
            with open(os.path.join(base, "net/tcp"), encoding="ascii") as file:  # libcurl has a pair of its own as well
                connections = {f"socket:[{line.split()[9]}]" for line in file if ":" in line}
            sockets = sum(link in connections for link in links)
            self.sockets = max(self.sockets, sockets)
            if sockets:  # at the end a bundle's files are hashed by another
                self.threads = max(self.threads, len(os.listdir(os.path.join(base, "task"))))
            with open(os.path.join(base, "status"), encoding="ascii") as file:
                self.rss_kib = max(self.rss_kib, 0, *(int(line.split()[1]) for line in file if line.startswith("VmHWM")))
        except OSError:
            pass

    def wait(self):
        while self.process.poll() is None:
            self.look()
            time.sleep(0.05)
        return self.process.returncode

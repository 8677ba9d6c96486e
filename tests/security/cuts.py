#!/usr/bin/env python3
"""Half a secret is none that a redactor knows. Texts of the server are cut in many places: at each of them a token stands
right across the cut, and no piece of it may be in anything that is written.

usage: GRIDLANE=path/to/gridlane cuts.py
"""
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading

TOKEN = "Kq7Wz9Lm3Pv5Rt1Xc2Yd4Bf6Cg8Hk0Jn"
PIECE = 8
REASONS = """
version: 1
name: cuts
app: { name: Shop, platform: android }
devices:
  phone: { any_of: [{ name: Pixel 7 }] }
steps:
  - id: version
    uses: create_version
    with: { name: "1", reuse: true }
  - id: build
    uses: upload_build
    with: { file: shop.apk, version: "${{ steps.version }}" }
  - uses: install
    with: { build: "${{ steps.build }}", device: "${{ devices.phone[0] }}" }
  - id: tests
    uses: app_build_run
    with: { build: "${{ steps.build }}", device: "${{ devices.phone[0] }}", module: 12 }
artifacts: { collect: [recordings, insights] }
"""
CALLS = """
version: 1
name: cuts
server: { url: "%s" }
app: { name: Shop, platform: android }
steps:
  - id: one
    uses: call
    with: { operation: get_device_list }
"""
LINES = """
version: 1
name: cuts
secrets: { shown: { env: SHOWN } }
steps:
  - { uses: run, with: { command: [python3, lines.py] } }
"""


def pieces(token):
    return [token[at:at + PIECE].encode() for at in range(len(token) - PIECE + 1)]


def search(folder, outputs):
    names = "\n".join(os.path.join(place, name) for place, _, names in os.walk(folder + "/out") for name in names)
    outputs = [*outputs, ("the names of files", names.encode())]
    if "artifacts" in names and not re.search("/insights-a-long-name-[^/.]*[.]json$", names, re.M):
        yield f"a long name has lost its ending: {names}"
    for name, content in [*outputs, *((path, open(path, "rb").read()) for place, _, names in os.walk(folder + "/out")
                                      for path in (os.path.join(place, name) for name in names))]:
        for piece in pieces(TOKEN):
            at = content.find(piece)
            if at >= 0:
                yield f"{os.path.basename(name)}: ...{content[max(0, at - 60):at + 40]!r}"
                break


def run(gridlane, pipeline, options=(), files=()):
    with tempfile.TemporaryDirectory(prefix="gridlane-cuts-") as folder:
        for name, text in (("pipeline.yml", pipeline), ("shop.apk", "apk"), *files):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "TESTGRID_TOKEN": TOKEN, "SHOWN": TOKEN, "GITHUB_ACTIONS": "1",
                       **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}}
        words = [gridlane, "run", *options, "pipeline.yml", "--out", "out", "--trace", "--verbose", "--time-scale", "1000",
                 "--events", "out/events.jsonl"]
        os.mkdir(folder + "/out")
        done = subprocess.run(words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        if done.returncode not in (0, 1, 3, 4) or b"***" not in done.stdout + done.stderr:
            yield f"exit {done.returncode}, and nothing was taken out: {done.stdout[-600:]}{done.stderr[-600:]}"
        yield from search(folder, [("stdout", done.stdout), ("stderr", done.stderr)])


def in_reason(gridlane, before):
    """In the reason of a failed test: the verdict's cause repeats it."""
    scenario = {"token": TOKEN, "modules": [{"id": 12, "name": "Smoke", "platform": "android", "tests": [
        {"name": "a", "seconds": 1, "outcome": "fail", "reason": f"{TOKEN} {'word ' * 200}"[len(TOKEN):len(TOKEN) + before] + f" {TOKEN} end"},
        {"name": TOKEN, "seconds": 1, "outcome": "fail", "reason": TOKEN},
        {"name": "a long name of a test, as people write them " * 3, "seconds": 1, "outcome": "pass"}]}]}
    yield from run(gridlane, REASONS, ["--sandbox=scenario.yml"], [("scenario.yml", json.dumps(scenario))])


def in_answer(gridlane, body):
    """In an answer that is no JSON, and in the server's words."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield from (wrong for wrong in run(gridlane, CALLS % f"http://127.0.0.1:{server.server_port}") if "nothing was" not in wrong)
    server.shutdown()
    server.server_close()


def in_lines(gridlane):
    """In lines of a command that are longer than what is taken at once; with blanks before it, and without any."""
    text = ("import os\nfor fill in ' x':\n    for n in (65520, 65530, 65535):\n        print(fill * n + os.environ['LATE'] + ' end')\n"
            "print(os.environ['LATE'])\n")
    pipeline = LINES.replace("[python3, lines.py] }", "[python3, lines.py], env: { LATE: \"${{ secrets.shown }}\" } }")
    yield from run(gridlane, pipeline, ["--sandbox"], [("lines.py", text)])


def main():
    gridlane = os.path.abspath(os.environ["GRIDLANE"])
    wrongs = [f"a command: {wrong}" for wrong in in_lines(gridlane)]
    for before in (345, 360, 375, 390, 480):
        wrongs += [f"a reason after {before}: {wrong}" for wrong in in_reason(gridlane, before)]
    for before in (90, 110, 118, 160, 170):
        words = ("word " * 100)[:before]
        wrongs += [f"an answer after {before}: {wrong}" for wrong in in_answer(gridlane, f"{words} {TOKEN} end".encode())]
        says = json.dumps({"status": False, "message": f"{words} {TOKEN} end"}).encode()
        wrongs += [f"words after {before}: {wrong}" for wrong in in_answer(gridlane, says)]
        broken = json.dumps({"status": False, "message": "\n" * (before // 2) + f" {TOKEN} end"}).encode()
        wrongs += [f"breaks after {before}: {wrong}" for wrong in in_answer(gridlane, broken)]
    for wrong in wrongs[:20]:
        print("WRONG: " + re.sub("(word ){4,}", "word ... ", wrong))
    print(f"{len(wrongs)} wrong")
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())

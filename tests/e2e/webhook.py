#!/usr/bin/env python3
"""Webhooks, seen by who receives them: the body, its signature, repeats with one id, no secret, and a verdict that is
the same whatever the receiver does.

usage: GRIDLANE=path/to/gridlane webhook.py
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
KEY = b"a key for tests, 32 bytes of it."
wrong = []


def expect(holds, text):
    if not holds:
        wrong.append(text)


class Receiver(http.server.ThreadingHTTPServer):
    """Answers with the statuses it is given, the last one again and again; None: no answer at all."""
    daemon_threads = True

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses, self.got, self.lock = list(statuses), [], threading.Lock()
        self.came, self.stop = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hooks/very-secret-path?room=ci"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.got.append((self.path, dict(self.headers), body))
            statuses = self.server.statuses
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.server.came.set()
        if status is None:
            self.server.stop.wait(60)
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


def pipeline(hooks, command=None):
    """Without a command it starts no program, and is confined to its server's port and those of its webhooks."""
    step = {"uses": "run", "with": {"command": json.loads(command)}} if command else {
        "uses": "call", "with": {"operation": "get_device_list"}}
    return json.dumps({
        "version": 1, "name": "told",
        "secrets": {"hook": {"env": "HOOK_URL"}, "key": {"env": "HOOK_KEY"}},
        "steps": [step],
        "webhooks": hooks})


HOOK = {"url": "${{ secrets.hook }}", "secret": "${{ secrets.key }}"}


class Run:
    """One run in a folder of its own, with what it printed."""

    def __init__(self, folder, text, url, options=(), on_post=None, key=None):
        self.folder = tempfile.mkdtemp(dir=folder)
        with open(os.path.join(self.folder, "p.yml"), "w", encoding="utf-8") as file:
            file.write(text)
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "HOOK_URL": url,
                       "HOOK_KEY": key or "whsec_" + base64.b64encode(KEY).decode()}
        child = subprocess.Popen([GRIDLANE, "run", "--sandbox", "p.yml", "--out", "out", "--trace", *options],
                                 cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
        if on_post:
            on_post(child)
        self.stdout, self.stderr = child.communicate(timeout=120)
        self.status = child.returncode
        everything = self.stdout + self.stderr
        for name in os.listdir(os.path.join(self.folder, "out")):
            path = os.path.join(self.folder, "out", name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    everything += file.read().decode("utf-8", "replace")
        expect("very-secret-path" not in everything, "the secret address was shown")
        expect(KEY.decode() not in everything, "the key was shown")


def check_signature(headers, body, key=KEY):
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    expect(headers["webhook-signature"] == "v1," + code, "a wrong signature")


def try_green(folder):
    receiver = Receiver(200)
    run = Run(folder, pipeline([HOOK, {**HOOK, "body": "summary", "when": "success"}, {**HOOK, "when": "failure"}]),
              receiver.url)
    expect(run.status == 0, f"green: {run.status} {run.stderr}")
    expect(len(receiver.got) == 2, f"green: {len(receiver.got)} posts")
    bodies = []
    for path, headers, body in receiver.got:
        expect(path == "/hooks/very-secret-path?room=ci", f"green: {path}")
        expect(headers["Content-Type"] == "application/json", "green: its type")
        check_signature(headers, body)
        bodies.append(json.loads(body))
    bodies.sort(key=len)
    expect("steps" not in bodies[0] and bodies[0]["verdict"] == "passed", "green: the summary")
    with open(os.path.join(run.folder, "out", "results.json"), encoding="utf-8") as file:
        expect(json.load(file) == bodies[1], "green: the body is not results.json")
    expect("webhook   1 was told" in run.stdout and "webhook   2 was told" in run.stdout, "green: not said")


def try_plain_key_and_failure(folder):
    receiver = Receiver(204)
    run = Run(folder, pipeline([{**HOOK, "when": "failure"}, {**HOOK, "when": "success"}], '["false"]'), receiver.url,
              key="just words as a key")
    expect(run.status == 1, f"failure: {run.status}")
    expect(len(receiver.got) == 1, f"failure: {len(receiver.got)} posts")
    check_signature(receiver.got[0][1], receiver.got[0][2], b"just words as a key")
    expect(json.loads(receiver.got[0][2])["verdict"] == "failed", "failure: the verdict")


def try_repeats(folder):
    receiver = Receiver(503, 500, 200)
    run = Run(folder, pipeline([HOOK]), receiver.url)
    expect(run.status == 0 and len(receiver.got) == 3, f"repeats: {run.status}, {len(receiver.got)} posts")
    expect(len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1, "repeats: one id")
    expect("after repeats" in run.stdout, "repeats: not said")


def try_refusals(folder):
    for status in (404, 302):
        receiver = Receiver(status)
        run = Run(folder, pipeline([HOOK]), receiver.url)
        expect(run.status == 0, f"{status}: the verdict changed: {run.status}")
        expect([path for path, _, _ in receiver.got] == ["/hooks/very-secret-path?room=ci"], f"{status}: {receiver.got}")
        expect(f"webhook 1 was not told: HTTP {status}" in run.stderr, f"{status}: {run.stderr}")


def try_nobody(folder):
    receiver = Receiver(None)
    hooks = [{**HOOK, "timeout": "1s"}, {**HOOK, "url": "http://127.0.0.1:1/x", "timeout": "1s"}]
    run = Run(folder, pipeline(hooks), receiver.url)
    receiver.stop.set()
    expect(run.status == 0, f"nobody: the verdict changed: {run.status}")
    expect(run.stderr.count("was not told") == 2, f"nobody: {run.stderr}")
    expect("PASSED (exit status 0)" in run.stdout, "nobody: the verdict was not printed")


def try_signal(folder):
    """A signal while a hook takes its time ends the telling, not the verdict."""
    receiver = Receiver(None)

    def interrupt(child):
        expect(receiver.came.wait(60), "signal: no post came")
        child.send_signal(signal.SIGTERM)

    run = Run(folder, pipeline([{**HOOK, "timeout": "5m"}]), receiver.url, on_post=interrupt)
    receiver.stop.set()
    expect(run.status == 0, f"signal: {run.status}")
    expect("a signal came before its answer" in run.stderr, f"signal: {run.stderr}")


def try_cancelled(folder):
    """A run that was cancelled tells so within its grace."""
    receiver = Receiver(None)
    marker = os.path.join(folder, "begun")
    os.mkfifo(marker)

    def cancel(child):
        with open(marker, encoding="utf-8") as file:
            file.read(1)
        child.send_signal(signal.SIGINT)

    run = Run(folder, pipeline([HOOK], json.dumps(["sh", "-c", f"echo >{marker}; sleep 60"])), receiver.url,
              options=["--grace", "3s"], on_post=cancel)
    receiver.stop.set()
    expect(run.status == 130, f"cancelled: {run.status}")
    expect(len(receiver.got) == 1 and json.loads(receiver.got[0][2])["verdict"] == "cancelled", "cancelled: the body")
    expect("was not told" in run.stderr, f"cancelled: {run.stderr}")


def try_mistakes(folder):
    for hooks, words in (([{**HOOK, "url": "ftp://x/"}], "must begin with https://"), ([{}], "needs a `url`"),
                         ([{**HOOK, "secret": "written"}], "must not be written into the file"),
                         ([{**HOOK, "when": "never"}], "when"), ([{**HOOK, "timeout": "1h"}], "at most 10m")):
        path = os.path.join(folder, "mistake.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(pipeline(hooks))
        done = subprocess.run([GRIDLANE, "validate", path], capture_output=True, text=True, check=False)
        expect(done.returncode == 2 and words in done.stdout + done.stderr, f"{hooks}: {done.stdout}{done.stderr}")


def main():
    with tempfile.TemporaryDirectory(prefix="gridlane-webhook-") as folder:
        for one in (try_green, try_plain_key_and_failure, try_repeats, try_refusals, try_nobody, try_signal,
                    try_cancelled, try_mistakes):
            one(folder)
    for text in wrong:
        print("WRONG " + text)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A hostile server: redirects to another host, URLs of the inner network, endless bodies, compression bombs, a flood of
containers, drips, headers without end. It gets no token elsewhere and no memory, and the exit status says `server`.

usage: GRIDLANE=path/to/gridlane hostile.py [--no-memory] [CASE...]    (--no-memory: a sanitizer's build needs more)
"""
import gzip
import http.server
import json
import os
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

TOKEN = "hostilehostile1234567890"
MEMORY_MOST = 512 << 20
PIPELINE = """
version: 1
name: hostile
timeout: {timeout}
server: {{ url: "{url}" }}
app: {{ name: Shop, platform: android }}
devices:
  phone: {{ any_of: [{{ name: Pixel 7 }}] }}
steps:
  - id: version
    uses: create_version
    with: {{ name: "1", reuse: true }}
"""


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that has had enough


def serve(answer):
    class Handler(Quiet):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            answer(self)

        do_GET = do_POST

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def send(handler, body, *headers, status=200):
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def endless(piece, least=0.0):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        while True:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if least:
                time.sleep(least)
    return answer


def bomb(handler):
    send(handler, gzip.compress(b"[" + b" " * (32 << 20) + b"]", 9), ("Content-Encoding", "gzip"))


def many_headers(handler):
    handler.send_response(200)
    for number in range(20000):
        handler.send_header(f"X-{number}", "x" * 100)
    handler.end_headers()


def long_header(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        handler.wfile.write(b"a" * 65536)


def redirect(url, status):
    return lambda handler: send(handler, b"", ("Location", url), status=status)


def text(make_body):
    """Made when asked for: this process's memory would count as its child's otherwise."""
    return lambda handler: send(handler, make_body(), ("Content-Type", "application/json"))


def cases(elsewhere):
    """name -> (answer, the pipeline's timeout)"""
    return {
        "redirect_307": (redirect(elsewhere, 307), "60m"),
        "redirect_308": (redirect(elsewhere, 308), "60m"),
        "redirect_302": (redirect(elsewhere, 302), "60m"),
        "redirect_user": (redirect(elsewhere.replace("http://", "http://a:b@"), 307), "60m"),
        "redirect_metadata": (redirect("http://169.254.169.254/latest/meta-data/", 307), "60m"),
        "redirect_file": (redirect("file:///etc/passwd", 301), "60m"),
        "endless_blanks": (endless(b" " * 65536), "60m"),
        "endless_list": (endless(b"{}," * 20000), "60m"),
        "endless_text": (endless(b"\"" + b"a" * 65536), "60m"),
        "containers": (text(lambda: b"[" + b"{}," * ((64 << 20) // 3 - 1) + b"{}]"), "60m"),
        "empty_texts": (text(lambda: b"[" + b"\"\"," * 2000000 + b"\"\"]"), "60m"),
        "deep": (text(lambda: b"[" * 1000000), "60m"),
        "keys": (text(lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(600000)) + b"}"), "60m"),
        "gzip_bomb": (bomb, "60m"),
        "many_headers": (many_headers, "60m"),
        "long_header": (long_header, "60m"),
        "drip": (endless(b" ", 0.2), "60s"),
        "not_json": (text(lambda: b"<html>\x1b]0;title\x07</html>"), "60m"),
        "nul": (text(lambda: b'{"status": true, "data": "a\0b"}'), "60m"),
        "latin_1": (text(lambda: b'{"status": true, "data": "\xff\xfe"}'), "60m"),
    }


# A process of its own, for a child's peak begins with what its parent held.
LAUNCHER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss}")
"""


def measure(words, folder, environment):
    """(exit status, peak bytes, output)"""
    with open(os.path.join(folder, "said"), "w+b") as said:
        subprocess.run([sys.executable, "-c", LAUNCHER, "measured", *words], cwd=folder, env=environment, stdout=said,
                       stderr=said, timeout=100, check=True)
        said.seek(0)
        with open(os.path.join(folder, "measured"), encoding="utf-8") as file:
            status, peak = map(int, file.read().split())
        return status, peak * 1024, said.read().decode("utf-8", "replace")


def main():
    gridlane = os.path.abspath(os.environ["GRIDLANE"])
    strangers = []
    stranger = serve(lambda handler: (strangers.append(handler.path), send(handler, b"{}")))
    elsewhere = f"http://localhost:{stranger.server_port}/taken"
    wanted = cases(elsewhere)
    failed = False
    skipped = {"memory"} if "--no-memory" in sys.argv else set()
    for name in [word for word in sys.argv[1:] if word[0] != "-"] or wanted:
        answer, timeout = wanted[name]
        server = serve(answer)
        with tempfile.TemporaryDirectory(prefix="gridlane-hostile-") as folder:
            with open(folder + "/pipeline.yml", "w", encoding="utf-8") as file:
                file.write(PIPELINE.format(url=f"http://127.0.0.1:{server.server_port}", timeout=timeout))
            environment = {"PATH": os.environ["PATH"], "HOME": folder, "TESTGRID_TOKEN": TOKEN,
                           **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}}
            words = [gridlane, "run", "pipeline.yml", "--out", "out", "--trace", "--time-scale", "20"]
            begun = time.monotonic()
            status, peak, said = measure(words, folder, environment)
            took = time.monotonic() - begun
            wrongs = []
            if status != (4 if name == "drip" else 3):  # a drip is an answer that takes too long
                wrongs.append(f"exit status {status}")
            if peak > MEMORY_MOST and "memory" not in skipped:
                wrongs.append(f"it took {peak >> 20} MiB")
            if strangers:
                wrongs.append(f"another host was asked: {strangers}")
            if TOKEN in said or "\x1b" in said:
                wrongs.append("the token, or an escape sequence, was written")
            if not os.path.exists(folder + "/out/results.json"):
                wrongs.append("there is no results.json")
            else:
                with open(folder + "/out/results.json", encoding="utf-8") as file:
                    json.load(file)
        server.shutdown()
        server.server_close()
        strangers.clear()
        print(f"{name}: exit {status}, {peak >> 20} MiB, {took:.1f} s")
        for wrong in wrongs:
            print(f"  WRONG: {wrong}\n{said[-1500:]}")
        failed = failed or bool(wrongs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

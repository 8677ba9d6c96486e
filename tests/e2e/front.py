#!/usr/bin/env python3
"""The sandbox behind a front of our own: a port, a path prefix, and a recording too large for memory that is cut twice.

The recording is made by this script: its bytes follow from their place. gridlane must fetch it through the prefix, go
on where it was cut, keep its memory flat, and have the right SHA-256 in results and manifest; and with
`server.urlencoded` no form without a file may be multipart.

usage: GRIDLANE=path/to/gridlane front.py [--gigabytes N]
"""
import hashlib
import http.client
import http.server
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading

GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
PREFIX = "/on/premises"
BLOCK = bytes(range(256)) * 4096  # 1 MiB
PEAK_KIB = 256 << 10  # of a build with sanitizers, whose shadow is most of it; the file may be of any size
PIPELINE = """
version: 1
name: front
server: { urlencoded: true }
defaults: { retry: { backoff: 10ms..50ms } }
app: { name: Shop, platform: android }
devices:
  phone: { any_of: [{ name: Pixel 7 }] }
steps:
  - id: version
    uses: create_version
    with: { name: e2e, reuse: true }
  - id: build
    uses: upload_build
    with: { file: shop.apk, version: "${{ steps.version }}" }
  - id: native
    uses: native_test
    with: { build: "${{ steps.build }}", device: "${{ devices.phone[0] }}", file: tests.apk }
artifacts: { collect: [recordings], required: true }
"""


class Front(http.server.BaseHTTPRequestHandler):
    """Hands everything below the prefix on, and answers recordings itself."""
    protocol_version = "HTTP/1.1"
    sandbox, blocks, cuts, wrong = "", 0, [], []

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else \
            self.chunks()
        kind = self.headers["Content-Type"]
        if b"filename=" not in body and not kind.startswith("application/x-www-form-urlencoded"):
            self.wrong.append(f"{self.path}: a form without a file came as {kind}")
        self.hand_on(body, {"Content-Type": kind})

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_GET(self):
        if self.path.endswith("Recording.mp4"):
            self.recording()
        else:
            self.hand_on(None, {})

    def hand_on(self, body, headers):
        if not self.path.startswith(PREFIX):
            self.wrong.append(f"{self.path} is not below the prefix")
        host = self.sandbox[len("http://"):]
        back = http.client.HTTPConnection(host, timeout=60)
        back.request(self.command, self.path[len(PREFIX):], body, headers)
        answer = back.getresponse()
        text = answer.read()
        # The addresses in answers are those that the outside knows.
        ours = f"http://{self.headers['Host']}{PREFIX}"
        text = text.replace(self.sandbox.encode(), ours.encode())
        text = text.replace(self.sandbox.replace("/", "\\\\/").encode(), ours.replace("/", "\\\\/").encode())
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def recording(self):
        whole = self.blocks * len(BLOCK)
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match.group(1)) if match and self.headers.get("If-Range") == '"one"' else 0
        end = self.cuts.pop(0) if self.cuts else whole
        if start == 0 and self.seen_one():
            self.wrong.append("the recording was begun again")
        self.send_response(206 if start else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(whole - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.end_headers()
        while start < end:
            at = start % len(BLOCK)
            piece = BLOCK[at:at + min(len(BLOCK) - at, end - start)]
            self.wfile.write(piece)
            start += len(piece)
        if end < whole:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(2)

    def seen_one(self, seen=[False]):  # noqa: B006: one for all requests
        before, seen[0] = seen[0], True
        return before


def expected_sha256(blocks):
    digest = hashlib.sha256()
    for _ in range(blocks):
        digest.update(BLOCK)
    return digest.hexdigest()


def check(folder, done, blocks):
    wrong = list(Front.wrong)
    if done.returncode != 0:
        return wrong + [f"exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"]
    with open(os.path.join(folder, "out/results.json"), encoding="utf-8") as file:
        artifact = json.load(file)["artifacts"][0]
    if artifact.get("bytes") != blocks * len(BLOCK):
        wrong.append(f"the recording has {artifact.get('bytes')} bytes")
    if artifact.get("sha256") != expected_sha256(blocks):
        wrong.append("the recording's SHA-256 is another")
    if Front.cuts:
        wrong.append("it was not cut")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if peak > PEAK_KIB:
        wrong.append(f"{peak} KiB of memory were needed for it")
    print(f"{blocks} MiB, peak {peak} KiB")
    return wrong


def main():
    blocks = 1024 * int(sys.argv[2]) if "--gigabytes" in sys.argv else 48
    Front.blocks = blocks
    Front.cuts = [blocks * len(BLOCK) // 3 + 7, blocks * len(BLOCK) // 3 * 2 + 11]
    sandbox = subprocess.Popen([GRIDLANE, "sandbox", "--time-scale", "50"], stdout=subprocess.PIPE, text=True)
    try:
        Front.sandbox = sandbox.stdout.readline().strip().partition("=")[2]
        token = sandbox.stdout.readline().strip().partition("=")[2]
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = dict(os.environ, TESTGRID_URL=f"http://127.0.0.1:{server.server_port}{PREFIX}",
                           TESTGRID_TOKEN=token)
        with tempfile.TemporaryDirectory(prefix="gridlane-front-") as folder:
            for name, text in (("shop.apk", "app"), ("tests.apk", "tests"), ("p.yml", PIPELINE)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([GRIDLANE, "run", "p.yml", "--out", "out"], env=environment, cwd=folder,
                                  capture_output=True, text=True, timeout=600, check=False)
            wrong = check(folder, done, blocks)
    finally:
        sandbox.terminate()
        sandbox.wait(20)
    print("\n".join(wrong) if wrong else "fetched through the front, cut twice, whole")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

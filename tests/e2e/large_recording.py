#!/usr/bin/env python3
"""A recording that is far larger than the memory it may cost: fetched from a server that first answers with the rest of
another answer and then cuts it off twice, it is whole in the end, its SHA-256 is right in results.json and in the bundle's manifest, and the program needs no more memory for it
than for a small one.

usage: GRIDLANE=path/to/gridlane large_recording.py [MIB]      (48; 2048 for the real thing)
"""
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading

GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
MIB = 1 << 20
PATTERN = bytes(range(256)) * (MIB // 256)
MEMORY_MOST = 24 * MIB  # more than for a recording of 1 MiB; buffers of the bundle's compressor are the most of it
PIPELINE = {
    "version": 1, "name": "large",
    "steps": [{"id": "suite", "uses": "appium", "with": {"platform": "android", "command": ["true"]}}],
    "artifacts": {"bundle": "all.tar.gz"},
    "defaults": {"retry": {"backoff": "10ms..50ms"}},
}


def block(number):
    return number.to_bytes(8, "big") + PATTERN[8:]


def digest(mebibytes):
    sha256 = hashlib.sha256()
    for number in range(mebibytes):
        sha256.update(block(number))
    return sha256.hexdigest()


class Cloud(http.server.ThreadingHTTPServer):
    """Just what an `appium` step asks for. `cuts`: where the recording is cut off, once each."""

    def __init__(self, mebibytes):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bytes = mebibytes * MIB
        self.cuts = [self.bytes // 3, 2 * self.bytes // 3]
        self.asked = []
        self.has_strayed = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answers(self):
        return {
            "/api/cap-builder": {"status": True, "data": {"device_id": "3", "device_name": "Galaxy",
                                                          "appium_url": self.url() + "/wd/hub"}},
            "/api/user/builds": {"status": True, "data": [{"build_number": "31"}]},
            "/api/user/logs/31/": {"status": True, "data": [{"src": self.url() + "/Recording.mp4"}]},
            "/api/user/releasedevice/3/": {"success": True, "message": "Device released successfully."},
        }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(self.server.answers()[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        asked, cloud = self.headers.get("Range"), self.server
        start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1)) if asked else 0
        if not cloud.has_strayed:
            cloud.has_strayed = self.close_connection = True
            self.wfile.write(b"the rest of another answer\n")
            return
        cloud.asked.append(start)
        end = cloud.cuts.pop(0) if cloud.cuts else cloud.bytes
        self.send_response(206 if asked else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(cloud.bytes - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{cloud.bytes - 1}/{cloud.bytes}")
        self.end_headers()
        while start < end:
            number, offset = divmod(start, MIB)
            piece = block(number)[offset:offset + end - start]
            self.wfile.write(piece)
            start += len(piece)
        self.close_connection = end < cloud.bytes


def manifest_of(bundle):
    with tarfile.open(bundle) as archive:
        for member in archive:
            if os.path.basename(member.name) == "manifest.json":
                return json.load(archive.extractfile(member))
    return None


def entries(value):
    """All objects of a JSON value that name a path."""
    if isinstance(value, dict):
        if "path" in value:
            yield value
        for one in value.values():
            yield from entries(one)
    elif isinstance(value, list):
        for one in value:
            yield from entries(one)


def fetch(mebibytes, folder):
    """Returns what is wrong, and the most memory that the program had, in bytes."""
    cloud = Cloud(mebibytes)
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "TESTGRID_URL": cloud.url(), "TESTGRID_TOKEN": "a-token-1"}
    with open(os.path.join(folder, "large.yml"), "w", encoding="utf-8") as file:
        json.dump(PIPELINE, file)  # JSON is YAML
    out = os.path.join(folder, f"out-{mebibytes}")
    with open(os.path.join(folder, "output"), "w+", encoding="utf-8") as output:
        process = subprocess.Popen([GRIDLANE, "run", "large.yml", "--out", out], env=environment, cwd=folder,
                                   stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    cloud.shutdown()
    wrong = []
    if process.returncode != 0:
        return [f"exit status {process.returncode}:\n{text}"], 0
    expected = {"bytes": cloud.bytes, "sha256": digest(mebibytes)}
    with open(os.path.join(out, "results.json"), encoding="utf-8") as file:
        listed = list(entries(json.load(file)["artifacts"])) + list(entries(manifest_of(os.path.join(out, "all.tar.gz"))))
    found = [one for one in listed if one["path"].endswith("/session-31.mp4")]
    if len(found) != 2:
        wrong.append(f"results and manifest list it {len(found)} times")
    for one in found:
        wrong += [f"{name} is {one.get(name)}, not {value}" for name, value in expected.items() if one.get(name) != value]
    if len(cloud.asked) != 3 or not 0 == cloud.asked[0] < cloud.asked[1] < cloud.asked[2]:
        wrong.append(f"it was asked for from {cloud.asked}, not three times and further on each time")
    return wrong, usage.ru_maxrss * 1024


def main():
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    with tempfile.TemporaryDirectory(prefix="gridlane-large-") as folder:
        wrong, small = fetch(1, folder)
        more, large = fetch(mebibytes, folder)
    wrong += more
    if large - small > MEMORY_MOST:
        wrong.append(f"{large // MIB} MiB of memory for {mebibytes} MiB, and {small // MIB} MiB for 1 MiB")
    print("\n".join(wrong) if wrong else
          f"{mebibytes} MiB with two cuts: at most {large / MIB:.1f} MiB of memory, {small / MIB:.1f} MiB for 1 MiB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A server whose certificate a private CA has signed, behind a path prefix, as on-premises installs are: `doctor` says what is missing
or wrong, `server.ca_file` and GRIDLANE_CA_BUNDLE let it through, certificates of clients too, and a run goes its way. The CA is made here, by openssl.

usage: GRIDLANE=path private_ca.py
"""
import http.client
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading

GRIDLANE = os.path.abspath(os.environ["GRIDLANE"])
PREFIX = "/testgrid"
PIPELINE = """version: 1
name: on-premises
server:
  url: "https://localhost:{port}/testgrid"
  token: "${{{{ secrets.token }}}}"
  ca_file: ca.pem
secrets:
  token: {{ file: token }}
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
  - uses: app_build_run
    with: {{ build: "${{{{ steps.build }}}}", device: "${{{{ devices.phone[0] }}}}", module: 12 }}
"""


class Front(http.server.BaseHTTPRequestHandler):
    """Hands everything below the prefix on to the sandbox, and notes which connections went on with a TLS session."""
    protocol_version = "HTTP/1.1"
    sandbox = ""
    resumed = []

    def setup(self):
        super().setup()
        Front.resumed.append(self.connection.session_reused)

    def log_message(self, *_):
        pass

    def body(self):
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while self.headers.get("Transfer-Encoding") == "chunked" and (size := int(self.rfile.readline(), 16)):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def do_GET(self):
        back = http.client.HTTPConnection(self.sandbox[len("http://"):], timeout=60)
        kind = {"Content-Type": self.headers["Content-Type"]} if "Content-Type" in self.headers else {}
        back.request(self.command, self.path[len(PREFIX):] or "/", self.body(), kind)
        answer = back.getresponse()
        text = answer.read().replace(self.sandbox.encode(), f"https://{self.headers['Host']}{PREFIX}".encode())
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    new = ("req", "-newkey", "rsa:2048", "-nodes", "-sha256")
    openssl(folder, *new, "-x509", "-subj", "/CN=private CA", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
    for name, host, days in (("server", "localhost", "2"), ("elsewhere", "elsewhere.example", "2"), ("old", "localhost", "0")):
        openssl(folder, *new, "-subj", f"/CN={host}", "-keyout", name + ".key", "-out", name + ".csr")
        with open(os.path.join(folder, "names"), "w", encoding="utf-8") as file:
            file.write(f"subjectAltName=DNS:{host}\n")
        openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-sha256", "-extfile", "names", "-out", name + ".pem")
    openssl(folder, "rsa", "-aes256", "-passout", "pass:secret", "-in", "server.key", "-out", "locked.key")
    for name in ("server.key", "locked.key"):
        os.chmod(os.path.join(folder, name), 0o600)


def serve(folder, name="server", wants_client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key"))
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(os.path.join(folder, "ca.pem"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # clients that do not trust it go away
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def gridlane(folder, variables, *arguments):
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "LD_LIBRARY_PATH") or name.endswith("SAN_OPTIONS")}
    done = subprocess.run([GRIDLANE, *arguments], cwd=folder, env={**kept, "no_proxy": "*", "HOME": folder, **variables},
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def looks(folder, port, token):
    """(what, variables, arguments, exit status, what is said)"""
    here = {"TESTGRID_URL": f"https://localhost:{port}{PREFIX}", "TESTGRID_TOKEN": token, "TESTGRID_USER_ID": "1"}
    yield "doctor without the CA", here, ["doctor"], 3, "a private CA goes into ca_file"
    trusted = {**here, "GRIDLANE_CA_BUNDLE": "ca.pem"}
    for name, words in (("elsewhere", "is for another name"), ("old", "is out of date, or this machine's clock is wrong")):
        url = f"https://localhost:{serve(folder, name)}{PREFIX}"
        yield f"doctor with the certificate '{name}'", {**trusted, "TESTGRID_URL": url}, ["doctor"], 3, words
    trusted["TESTGRID_URL"] = f"https://localhost:{serve(folder, wants_client=True)}{PREFIX}"
    for key, status, words in (("server.key", 0, "the token is good"), ("locked.key", 3, "the key be without a passphrase"),
                               ("locked.key", 3, "/locked.key'"), ("old.key", 3, "they must belong together")):
        own = {"GRIDLANE_CLIENT_CERT": "server.pem", "GRIDLANE_CLIENT_KEY": os.path.join(folder, key)}
        os.chmod(os.path.join(folder, key), 0o600)
        yield f"doctor with a client certificate and '{key}'", {**trusted, **own}, ["doctor"], status, words
    yield "doctor with the variable", {**here, "GRIDLANE_CA_BUNDLE": "ca.pem"}, ["doctor"], 0, "the token is good"
    yield "doctor of the pipeline", {}, ["doctor", "pipeline.yml"], 0, "the token is good"
    yield "the run", {"TESTGRID_USER_ID": "1"}, ["run", "pipeline.yml", "--time-scale", "200"], 0, "PASSED"
    os.remove(os.path.join(folder, "token"))
    yield "doctor without the token", {}, ["doctor", "pipeline.yml"], 3, "the list of devices could not be read"
    os.remove(os.path.join(folder, "ca.pem"))
    yield "doctor without the CA's file", {}, ["doctor", "pipeline.yml"], 3, "no file matches 'ca.pem'"


def check(folder, sandbox):
    settings = dict(sandbox.stdout.readline().strip().split("=", 1) for _ in range(2))
    Front.sandbox = settings["TESTGRID_URL"]
    port, token = serve(folder), settings["TESTGRID_TOKEN"]
    for name, text in (("pipeline.yml", PIPELINE.format(port=port)), ("token", token), ("shop.apk", "no app")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    wrong = 0
    for what, variables, arguments, wanted, words in looks(folder, port, token):
        Front.resumed.clear()
        status, said = gridlane(folder, variables, *arguments)
        if what == "the run" and (len(Front.resumed) < 3 or not all(Front.resumed[2:])):
            print(f"{what}: connections that went on with a TLS session: {Front.resumed}")
            wrong += 1
        if status != wanted or words not in said or token in said or "pass phrase" in said:
            print(f"{what}: exit status {status}, not {wanted}, or '{words}' is not said:\n{said}")
            wrong += 1
    return 1 if wrong else 0


def main():
    if not shutil.which("openssl"):
        print("there is no openssl here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        make_certificates(folder)
        sandbox = subprocess.Popen([GRIDLANE, "sandbox", "--time-scale", "200"], cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            return check(folder, sandbox)
        finally:
            sandbox.terminate()
            sandbox.wait()


if __name__ == "__main__":
    sys.exit(main())

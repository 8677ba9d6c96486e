#!/usr/bin/env python3
"""No secret in any byte: every example is run against a sandbox that repeats the tokens it gets in every encoding it
knows; then all that was written is searched for every form of every secret.

usage: GRIDLANE=path/to/gridlane leaks.py [EXAMPLE.yml...]
"""
import base64
import glob
import gzip
import html
import http.server
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.parse
import zipfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
TIME_LIMIT = 120
ENCODINGS = ("raw percent percent_every percent_twice form json json_every xml html hex hex_upper base64 base64url "
             "base64_inside").split()
# Signs that each encoder treats differently, and no two secrets that begin alike.
SECRETS = {
    "user token": "Kq7/user+token==&<0123\"4'5>",
    "token of the application": "Wz9/application+token=&aa\"bb'cc",
    "token of the version": "Lm3/version+token=<dd>\"ee'ff&gg",
    "token of the iOS application": "Xc2/ios+token=&nn\"oo'pp==",
    "token of the iOS version": "Yd4/iosversion+token=<qq>\"rr",
    "token of the web application": "Bf6/web+token=&ss\"tt'uu==",
    "token of the web version": "Cg8/webversion+token=<vv>\"ww",
    "secret of the pipeline": "Pv5/pipeline+secret=%25&hh'ii\"jj",
    "secret of the environment": "Rt1/environment+key==&kk<ll>mm",
    "password of the proxy": "Sx4-proxy-password-2468",
    "path of the webhook": "T0AB/B0CD/Hk6webhookpath13579",
    "key of the webhook": "whsec_SGs3d2ViaG9va2tleTEyMzQ1Njc4OTAxMjM0",
}
# Formats beside those that the example asks for.
FORMATS = ("html json junit-files ctrf allure tap github=github.txt gitlab=gitlab.txt azure=azure.txt teamcity=teamcity.txt "
           "buildkite=buildkite.txt predicate").split()
PLACES = {"user": "user token", "app": "token of the application", "version": "token of the version",
          "ios_app": "token of the iOS application", "ios_version": "token of the iOS version",
          "web_app": "token of the web application", "web_version": "token of the web version"}
SCENARIO = """
token: {user}
echo_token: [{encodings}]
applications:
- {{id: 223, name: Shop, platform: android, token: {app}, old_builds: 5, versions: [{{id: 481, name: '1', token: {version}}}]}}
- {{id: 224, name: Shop iOS, platform: ios, token: {ios_app}, versions: [{{id: 482, name: '1', token: {ios_version}}}]}}
- {{id: 225, name: Shop Web, platform: web, token: {web_app}, versions: [{{id: 483, name: '1', token: {web_version}, builds: [{{id: 301, name: site}}]}}]}}
"""


def quote_yaml(text):
    return "'" + text.replace("'", "''") + "'"


def base64_forms(raw):
    """Also where it stands inside of something longer: without the characters at its borders."""
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + raw)
        part = text[(8 * lead + 5) // 6:8 * (lead + len(raw)) // 6]
        yield part
        yield part.replace(b"+", b"-").replace(b"/", b"_")


def forms_of(secret):
    raw = secret.encode()
    every = "".join(f"%{byte:02x}" for byte in raw)
    quoted = urllib.parse.quote(secret, safe="")
    forms = {
        raw, every.encode(), every.upper().encode(), quoted.encode(), quoted.lower().encode(),
        urllib.parse.quote(quoted, safe="").encode(), urllib.parse.quote_plus(secret).encode(),
        urllib.parse.quote(secret, safe="/").encode(), json.dumps(secret)[1:-1].encode(),
        json.dumps(secret)[1:-1].replace("/", "\\/").encode(), html.escape(secret).encode(),
        html.escape(secret, quote=False).encode(), re.sub("[&<>\"'+]", lambda m: f"&#{ord(m[0])};", secret).encode(),
        "".join(f"\\u00{byte:02x}" for byte in raw).encode(), raw.hex().encode(), raw.hex().upper().encode(),
        *base64_forms(raw),
    }
    # and any long piece of it: half a token is half of the work for whoever guesses
    return forms | {raw[:16], raw[-16:]}


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what webhooks are told; of the headers nothing but the signature may come of a secret."""

    def do_POST(self):
        self.server.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append(str(self.headers).encode())
        self.send_response(500 if len(self.server.got) < 4 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def with_webhooks(example):
    """The example's text, and two webhooks: one that answers in the end, one that never does."""
    with open(example, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"^secrets:\n", "secrets:\n  hook: { env: HOOK_URL }\n  dead: { env: DEAD_URL }\n  sign: { env: HOOK_SIGN }\n", text,
                  flags=re.M)
    if "HOOK_URL" not in text:
        text += "\nsecrets:\n  hook: { env: HOOK_URL }\n  dead: { env: DEAD_URL }\n  sign: { env: HOOK_SIGN }\n"
    return text + ("\nwebhooks:\n  - { url: '${{ secrets.hook }}', secret: '${{ secrets.sign }}' }\n"
                   "  - { url: '${{ secrets.dead }}', secret: '${{ secrets.sign }}', body: summary, timeout: 2s }\n")


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from texts_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_in(member)


def decoded(content):
    """The same content as its readers see it: JSON's strings, XML's text, line breaks taken out."""
    yield content
    yield content.replace(b"\n", b"").replace(b"\r", b"")
    text = content.decode("utf-8", "replace")
    yield html.unescape(text).encode()
    for line in [text, *text.split("\n")]:
        if line.lstrip()[:1] in ("{", "["):
            try:
                value = json.loads(line)
                yield "\n".join(texts_in(value)).encode("utf-8", "replace")
                if isinstance(value, dict) and "payloadType" in value:
                    yield from decoded(base64.b64decode(value["payload"]))
            except ValueError:
                continue


def members(name, content, path):
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as bundle:
            yield from ((member, bundle.read(member)) for member in bundle.namelist())
    elif re.search(r"\.tar(\.\w+)?$", name):
        with tarfile.open(path) as bundle:
            yield from ((member.name, bundle.extractfile(member).read()) for member in bundle if member.isfile())
    elif name.endswith(".gz"):
        yield name[:-3], gzip.decompress(content)


def written(folder):
    """(name, bytes) of every file below the folder, bundles' members, and the names themselves."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            shown = os.path.relpath(path, folder)
            yield f"the name {shown}", shown.encode()
            with open(path, "rb") as file:
                content = file.read()
            yield shown, content
            for member, inside in members(name, content, path):
                yield f"the name {member} in {shown}", member.encode()
                yield f"{shown}: {member}", inside


def search(pairs):
    count = size = 0
    wrongs = []
    needles = [(what, form) for what, secret in SECRETS.items() for form in forms_of(secret)]
    for name, content in pairs:
        count += 1
        size += len(content)
        for view in decoded(content):
            for what, form in needles:
                at = view.find(form)
                if at >= 0:
                    wrongs.append(f"{name}: the {what} as {form[:60]!r}: …{view[max(0, at - 60):at + 80]!r}…")
    return count, size, wrongs


def environment(home, port):
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "LD_LIBRARY_PATH") or name.endswith("SAN_OPTIONS")}
    return {**kept, "HOME": home, "XDG_STATE_HOME": home + "/state", "XDG_CACHE_HOME": home + "/cache", "TMPDIR": home,
            "SLACK_WEBHOOK": SECRETS["secret of the pipeline"], "DEPLOY_KEY": SECRETS["secret of the environment"],
            "GITHUB_STEP_SUMMARY": home + "/step-summary.md", "GITHUB_OUTPUT": home + "/step-output",
            "GITHUB_ACTIONS": "true", "CI": "true", "HOOK_SIGN": SECRETS["key of the webhook"],
            "HOOK_URL": f"http://127.0.0.1:{port}/{SECRETS['path of the webhook']}?room=ci",
            "DEAD_URL": f"http://127.0.0.1:1/{SECRETS['path of the webhook']}",
            "http_proxy": f"http://me:{SECRETS['password of the proxy']}@127.0.0.1:1", "no_proxy": "127.0.0.1"}


def run_example(gridlane, example, encodings):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.got = []
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="gridlane-leaks-") as folder, tempfile.TemporaryDirectory() as inputs:
        tokens = {place: quote_yaml(SECRETS[what]) for place, what in PLACES.items()}
        scenario, pipeline, key = (os.path.join(inputs, name) for name in ("scenario.yml", "pipeline.yml", "key.pem"))
        for path, text in ((scenario, SCENARIO.format(encodings=", ".join(encodings), **tokens)),
                           (pipeline, with_webhooks(example))):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, stderr=subprocess.DEVNULL)
        os.chmod(key, 0o600)
        os.mkdir(folder + "/home")
        words = [gridlane, "run", "--sandbox=" + scenario, pipeline, "--out", folder + "/out", "--trace", "--verbose",
                 "--timestamps", "--events", folder + "/events.jsonl", "--history", folder + "/history.db", "--sign-with", key,
                 *(word for name in FORMATS for word in ("--report", name))]
        if "upload_build" in with_webhooks(example):  # without a build there is nothing to vouch for
            words += ["--report", "attestation"]
        with open(folder + "/stdout", "wb") as stdout, open(folder + "/stderr", "wb") as stderr:
            status = subprocess.run(words, cwd=ROOT, env=environment(folder + "/home", receiver.server_port), stdout=stdout,
                                    stderr=stderr, timeout=TIME_LIMIT, check=False).returncode
        receiver.shutdown()
        for number, told in enumerate(receiver.got):
            with open(f"{folder}/told-{number}", "wb") as file:
                file.write(told)
        count, size, wrongs = search(written(folder))
        if len(receiver.got) < 4:
            wrongs.append(f"the webhook was told {len(receiver.got) // 2} times")
        with open(folder + "/stderr", "rb") as file:
            heard = file.read()
        with open(folder + "/stdout", "rb") as file:
            words = file.read()
        return status, (count, size, wrongs), heard, words


def main():
    gridlane = os.path.abspath(os.environ["GRIDLANE"])
    examples = sys.argv[1:] or sorted(glob.glob(os.path.join(ROOT, "pipelines/examples/*.yml")))
    failed = False
    for example in examples:
        status, (count, size, wrongs), heard, words = run_example(gridlane, example, ENCODINGS)
        if b"***" not in heard + words:
            wrongs.append("nothing was taken out at all: was anything echoed?")
        if status not in (0, 1) or b"Sanitizer" in heard:
            wrongs.append(f"exit status {status}: {(words[-1500:] + heard[-1500:]).decode('utf-8', 'replace')}")
        print(f"{os.path.basename(example)}: exit {status}, {count} texts, {size} bytes, {len(wrongs)} wrong")
        for wrong in wrongs[:12]:
            print("  WRONG: " + wrong)
        failed = failed or bool(wrongs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

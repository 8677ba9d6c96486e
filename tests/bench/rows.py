"""The rows of the table: each one measures, and says what it found."""
import collections
import contextlib
import json
import os
import shutil
import statistics

import inputs
from measure import ROUNDS, Command, Sandbox, Server, Watch, alternate

# value: a ratio (or what `unit` says) that should not be above (or, with at_least, below) the target; None: skipped
Row = collections.namedtuple("Row", "work beside value unit target at_least note", defaults=("×", None, False, ""))

MIB = 1 << 20


def skipped(work, beside, why):
    return Row(work, beside, None, note="skipped: " + why)


def fresh(place, name):
    path = place.path(name)
    return lambda: shutil.rmtree(path, ignore_errors=True)


def gone(place, *names):
    def remove():
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.remove(place.path(name))
    return remove


def then_sync(remove):
    """Or one command waits for the disk to take what the one before it wrote."""
    def before():
        remove()
        os.sync()
    return before


def write_answers(place, tests):
    folder = place.path("answers")
    os.makedirs(folder, exist_ok=True)
    for name, answer in inputs.answers(tests).items():
        place.write(os.path.join("answers", name), inputs.text_of(answer))
    return folder


def run_of(place, pipeline, environment, out="out"):
    return Command([place.gridlane, "run", "--quiet", pipeline, "--out", place.path(out)], environment,
                   before=fresh(place, out))


def by_cpu(ours, theirs):
    """The same ratio by CPU time, which others on the machine disturb less."""
    return f"{ours.cpu_s / theirs.cpu_s:.2f} × by CPU time"


def milliseconds(sample):
    return f"{sample.wall_s * 1000:.1f} ms"


# ---- start ----

def start(place):
    pipeline = place.write("200.yml", inputs.calls(200))
    commands = {"version": Command([place.gridlane, "version"]),
                "validate": Command([place.gridlane, "validate", pipeline]),
                "curl": Command(["curl", "--version"])}
    redocly = place.peer("redocly")
    if redocly:
        commands["redocly"] = Command([redocly, "lint", place.write("openapi.json", inputs.openapi(200))],
                                      {"REDOCLY_TELEMETRY": "off"})
    got = alternate(place, commands, 4 * ROUNDS - 1 if not redocly else ROUNDS)
    for name, work in (("version", "start: version"), ("validate", "start: validate, 200 steps")):
        yield Row(work, "curl --version", got[name].wall_s / got["curl"].wall_s, target=1.5,
                  note=f"{milliseconds(got[name])} to {milliseconds(got['curl'])}; {by_cpu(got[name], got['curl'])}")
    yield Row("memory of validate", "", got["validate"].rss_mib, "MiB", 14)
    if redocly:
        yield Row("start: validate, 200 steps", "redocly lint, 200 operations",
                  got["validate"].wall_s / got["redocly"].wall_s, target=1 / 40,
                  note=f"{milliseconds(got['redocly'])}, {got['redocly'].rss_mib:.0f} MiB")
    else:
        yield skipped("start: validate, 200 steps", "redocly lint", "no npm packages (npm ci in tests/bench)")


# ---- operations ----

def one_operation(place):
    with Server(place) as server:
        curl = ["curl", "--silent", server.url + "/api/get-user-devices", "-F", "user_token=bench-token-0123456789"]
        got = alternate(place, {"gridlane": Command([place.gridlane, "api", "get_device_list"], server.environment),
                                "curl": Command(curl)}, 3 * ROUNDS)
    ours, theirs = got["gridlane"], got["curl"]
    yield Row("one operation, by api", "curl -F", ours.wall_s / theirs.wall_s, target=1.3,
              note=f"{milliseconds(ours)} to {milliseconds(theirs)}; {by_cpu(ours, theirs)}")
    yield Row("memory of that", "curl -F", ours.rss_mib / theirs.rss_mib, target=1.3,
              note=f"{ours.rss_mib:.1f} to {theirs.rss_mib:.1f} MiB")


def peers_of_sequence(place, url, count):
    """The npm programs that send the same requests, as far as they are there."""
    found = {}
    if place.peer("newman"):
        found["newman"] = Command([place.peer("newman"), "run", "--silent", place.write(
            "collection.json", inputs.collection(url, count))])
    if place.peer("stepci"):
        found["Step CI"] = Command([place.peer("stepci"), "run", place.write("stepci.json", inputs.stepci(url, count))],
                                   {"STEPCI_DISABLE_ANALYTICS": "1"})
    if place.peer("redocly"):
        place.write("respect-api.json", inputs.respect_api(url))
        found["Redocly respect"] = Command([place.peer("redocly"), "respect", place.write(
            "calls.arazzo.json", inputs.arazzo(count))], {"REDOCLY_TELEMETRY": "off"})
    return found


def sequence(place):
    count = 1000
    with Server(place) as server:
        many, few = place.write("1000.yml", inputs.calls(count)), place.write("10.yml", inputs.calls(10))
        commands = {"few": run_of(place, few, server.environment),
                    "curl": Command(["curl", "--silent", "-K", place.write("curl.cfg", inputs.curl_config(server.url, count))]),
                    "gridlane": run_of(place, many, server.environment)}
        peers = peers_of_sequence(place, server.url, count)
        commands.update(peers)
        got = alternate(place, commands)
        server.stats()
        commands["gridlane"].run(place)
        stats = server.stats()
    ours = got["gridlane"]
    yield Row("1,000 operations in sequence", "curl -K", ours.wall_s / got["curl"].wall_s, target=2,
              note=f"{milliseconds(ours)} to {milliseconds(got['curl'])}; {by_cpu(ours, got['curl'])}")
    for name in peers:
        yield Row("1,000 operations in sequence", name, ours.wall_s / got[name].wall_s, target=1 / 5,
                  note=f"{milliseconds(got[name])}, {got[name].rss_mib:.0f} MiB")
    if not peers:
        yield skipped("1,000 operations in sequence", "newman, Step CI, Redocly respect",
                      "no npm packages (npm ci in tests/bench)")
    yield Row("connections for that", "", stats["connections"] - 1, "", 1, note="the counter's own not counted")
    yield Row("memory, 1,000 to 10 operations", "itself", ours.rss_mib / got["few"].rss_mib,
              note=f"{got['few'].rss_mib:.1f} MiB, then {ours.rss_mib:.1f} MiB")


# ---- the main job ----

def one_job(place, length, commands_of, found):
    """Every command once, against a run of `length` seconds: its cost, requests beside polls, and how late it saw the
    end."""
    scale, queue, tests = 20, 4, 200
    scenario = place.write("scenario.yml", inputs.scenario(tests, (length * scale - queue) / tests, 1, scale))
    with Sandbox(place, scenario) as sandbox:
        for name, command in commands_of(sandbox).items():
            cost = command.run(place)
            asked = sandbox.new_requests()
            begun = next(row["at"] for row in asked if row["operation"] == "app_build_run")
            polls = sum(row["operation"] == "execution_details" for row in asked)
            late = (asked[-1]["at"] - begun) / scale - length
            found[name].append((cost.cpu_s, len(asked) - polls, late))


def main_job(place):
    with open(place.path("app.apk"), "wb") as file:
        file.write(os.urandom(5_000_000))
    script = [os.path.join(place.here, "job.sh"), place.path("app.apk"), place.path("script.xml")]
    pipeline = place.write("job.yml", inputs.job())
    found = {"gridlane": [], "script": []}
    turns = 2 * ROUNDS
    for turn in range(turns):  # ends that meet the polls at different places, or chance decides who is late
        one_job(place, 5 + turn / turns, lambda sandbox: {
            "gridlane": run_of(place, pipeline, sandbox.environment),
            "script": Command(script, sandbox.environment)}, found)
    cpu, asked, late = ({name: middle(fact[n] for fact in facts) for name, facts in found.items()}
                        for n, middle in enumerate((statistics.median, statistics.median, statistics.fmean)))
    yield Row("main job: CPU time", "curl and jq", cpu["gridlane"] / cpu["script"], target=1 / 8,
              note=f"{cpu['gridlane'] * 1000:.0f} to {cpu['script'] * 1000:.0f} ms")
    yield Row("main job: requests more", "curl and jq", asked["gridlane"] - asked["script"], "", 4,
              note=f"{asked['gridlane']:.0f} to {asked['script']:.0f}, polls not counted")
    yield Row("main job: end seen later", "curl and jq, both asking each second", late["gridlane"] - late["script"],
              "s", 0.1, note=f"{late['gridlane']:.2f} to {late['script']:.2f} s after the server's end, on "
              f"average of {turns}")


# ---- much data ----

def upload(place):
    size = (256 if place.is_quick else 2048) * MIB
    with open(place.path("big.apk"), "wb") as file:
        file.truncate(size)
    folder = write_answers(place, 1)
    with Server(place, folder) as server:
        target = server.url + "/ci/upload_app_build"
        form = ["-F", "user_token=t", "-F", "application_token=0246ef25d73d091971d2f266dc350561", "-F",
                "version_token=7cab38fed934cdb968703d30d155b1de", "-F", "build_name=x", "-F", "upload_file=@big.apk"]
        api = [place.gridlane, "api", "app_build_upload", "-f", "app_id=223", "-f", "version_id=481",
               "-f", "build_name=x", "-F", "upload_file=@big.apk"]
        curl = " ".join(["curl", "--silent", target, *form])
        got = alternate(place, {
            "curl": Command(["sh", "-c", f"exec {curl}"]),
            "api": Command(api, server.environment),
            "curl+sha": Command(["sh", "-c", f"{curl} >/dev/null && sha256sum big.apk"]),
            "step": run_of(place, place.write("upload.yml", inputs.upload()), server.environment)})
    os.remove(place.path("big.apk"))
    rate = {name: size / sample.wall_s / 1e6 for name, sample in got.items()}
    words = f"{size // MIB} MiB: "
    yield Row("upload by api: throughput", "curl -F", rate["api"] / rate["curl"], target=0.97, at_least=True,
              note=f"{words}{rate['api']:.0f} to {rate['curl']:.0f} MB/s; {by_cpu(got['api'], got['curl'])}")
    yield Row("upload by upload_build: throughput", "curl -F, then sha256sum", rate["step"] / rate["curl+sha"],
              target=1.0, at_least=True, note=f"{words}{rate['step']:.0f} to {rate['curl+sha']:.0f} MB/s")
    yield Row("memory of uploads", "", max(got["api"].rss_mib, got["step"].rss_mib), "MiB", 16,
              note=f"{got['api'].rss_mib:.1f} MiB by `api`, {got['step'].rss_mib:.1f} by `upload_build`")


def download(place):
    files, each = 8, (32 if place.is_quick else 128) * MIB
    place.write("app.apk", "app")
    folder = write_answers(place, files)
    with Server(place, folder) as server:
        url = f"{server.url}/blob/{each}"
        place.write("answers/_ci_testcase_detail", json.dumps({"status": 1, "msg": "details", "recording": url}))
        names = [f"d{n}.mp4" for n in range(files)]
        fetch = " ".join(f"-o {name} {url}" for name in names)
        runs = {"few": inputs.job(every="100ms", install=False, collect="testcases"),
                "ours": inputs.job(every="100ms", install=False, collect="recordings")}
        commands = {name: run_of(place, place.write(name + ".yml", text), server.environment)
                    for name, text in runs.items()}
        commands["curl"] = Command(["sh", "-c", f"curl --silent {fetch} && sync {' '.join(names)} && sha256sum {' '.join(names)}"])
        got = alternate(place, commands)
    size = files * each
    ours, curl = got["ours"].wall_s - got["few"].wall_s, got["curl"].wall_s  # what the job around it takes
    for name in names:
        os.remove(place.path(name))
    yield Row(f"download in {files} files, hashed", "curl, sync, then sha256sum", curl / ours, target=0.9, at_least=True,
              note=f"{size // MIB} MiB: {size / ours / 1e6:.0f} to {size / curl / 1e6:.0f} MB/s")
    yield Row("memory of downloads", "the same without them", got["ours"].rss_mib / got["few"].rss_mib,
              note=f"{got['ours'].rss_mib:.1f} MiB")


def bundle(place):
    """Half of it does not compress (recordings), half does (logs)."""
    each = (16 if place.is_quick else 128) * MIB
    fresh(place, "out")()
    os.makedirs(place.path("out/artifacts"))
    line = "[main] regression: build 6: 107/200 tests, 0 failed; GET /api/user/applications HTTP 200 in {} ms\n"
    for n in range(4):
        with open(place.path(f"out/artifacts/{n}.mp4"), "wb") as file:
            for _ in range(each // MIB):
                file.write(os.urandom(MIB))
        with open(place.path(f"out/artifacts/{n}.log"), "w", encoding="ascii") as file:
            for i in range(each // len(line)):
                file.write(line.format(i * 7919 % 100003))
    tar = "bsdtar --options zstd:compression-level=3 --zstd -cf theirs.tar.zst -C out artifacts"
    before = then_sync(gone(place, "out/ours.tar.zst", "theirs.tar.zst"))
    got = alternate(place, {
        "ours": Command([os.path.join(place.tools, "bench_bundle"), "out", "ours.tar.zst"], before=before),
        "tar": Command(tar.split(), before=before),
        "tar+sha": Command(["sh", "-c", f"{tar} && sha256sum out/artifacts/*"], before=before)})
    shutil.rmtree(place.path("out"))
    note = f"{8 * each // MIB} MiB, level 3, one thread that compresses; {got['ours'].rss_mib:.1f} MiB of memory"
    yield Row("bundle: throughput", "bsdtar --zstd", got["tar"].wall_s / got["ours"].wall_s, target=1, at_least=True,
              note=f"{note}; {by_cpu(got['ours'], got['tar'])}: with the SHA-256 of each file, and waited for on the disk")
    yield Row("bundle: throughput", "bsdtar --zstd, then sha256sum", got["tar+sha"].wall_s / got["ours"].wall_s,
              target=1, at_least=True, note=note)


def redaction(place):
    size = (64 if place.is_quick else 256) * MIB
    line = "[main] regression: build 6: 107/200 tests, 0 failed; GET /api/user/applications HTTP 200 in 31 ms\n"
    secrets = [f"s3cr3t-{n:02}-{os.urandom(12).hex()}" for n in range(50)]
    with open(place.path("text"), "w", encoding="ascii") as file:
        block = line * 5000 + f"token {secrets[7]}\n"
        for _ in range(size // len(block)):
            file.write(block)
    place.write("secrets", "\n".join(secrets) + "\n")
    place.write("sed", "".join(f"s/{secret}/***/g\n" for secret in secrets))
    got = alternate(place, {
        "ours": Command(["sh", "-c", f"exec {place.tools}/bench_redact secrets <text"]),
        "sed": Command(["sed", "-f", "sed", "text"])})
    rate = {name: size / sample.wall_s / 1e6 for name, sample in got.items()}
    os.remove(place.path("text"))
    yield Row("redaction, 50 secrets in every encoding", "", rate["ours"], "MB/s", 200, True,
              note=f"{size / got['ours'].cpu_s / 1e6:.0f} MB/s by CPU time")
    yield Row("redaction: time", "sed, 50 plain patterns", rate["sed"] / rate["ours"], target=1,
              note=f"sed: {rate['sed']:.0f} MB/s")


# ---- many ----

def many_tests(place):
    tests = 100_000
    place.write("app.apk", "app")
    folder = write_answers(place, tests)
    body = os.path.join(folder, "_ci_execution_detail")
    with Server(place, folder) as server:
        pipeline = place.write("many.yml", inputs.job(every="100ms", install=False))
        jq = Command(["jq", "-r", "-f", os.path.join(place.here, "junit.jq"), body], output=place.path("jq.xml"))
        whole = run_of(place, pipeline, server.environment)
        reports = Command([*whole.argv, "--history", "off"], server.environment, whole.before)
        got = alternate(place, {"whole": whole, "reports": reports, "jq": jq})
    size = os.path.getsize(body) / MIB
    for name, words, target in (("reports", "a run, JUnit, results.json and the bundle", 1.5),
                                ("whole", "the same, and into the history", None)):
        yield Row("100,000 test cases: " + words, "jq to JUnit alone", got[name].wall_s / got["jq"].wall_s, target=target,
                  note=f"{milliseconds(got[name])} to {milliseconds(got['jq'])}; {by_cpu(got[name], got['jq'])}")
    yield Row("memory for 100,000 test cases", f"the answer of {size:.1f} MiB", got["whole"].rss_mib / size, target=8,
              note=f"{got['whole'].rss_mib:.0f} MiB; jq {got['jq'].rss_mib:.0f} MiB")


def lanes(place):
    count, every_s = (100 if place.is_quick else 1000), 5
    place.write("app.apk", "app")
    folder = write_answers(place, 1)
    device = inputs.answers(1)["_api_get-user-devices"]["data"][0]
    place.write("answers/_api_get-user-devices", json.dumps({"success": True, "message": "list", "data": [
        dict(device, device_id=str(n), UDID=f"BENCH{n}", device_name=f"Pixel {n}", s_device=f"SB{n}")
        for n in range(count)]}))
    pipeline = place.write("lanes.yml", inputs.job(count, f"{every_s}s", install=False))
    ours = [place.gridlane, "run", "--quiet", pipeline, "--out", place.path("lanes")]
    with Server(place, folder, (100, 30, every_s * 1000)) as server:
        shutil.rmtree(place.path("lanes"), ignore_errors=True)
        watch = Watch(ours, place, server.environment)
        status = watch.wait()
        if status != 0:
            raise RuntimeError(f"{count} lanes: exit status {status}")
        late = server.stats()["late_ms"]
        shutil.rmtree(place.path("lanes"), ignore_errors=True)
        cost = Command(ours, server.environment).run(place)
    work = f"{count} lanes, 100 tests each"
    yield Row(work + ": memory", "", cost.rss_mib, "MiB", 64, note=f"{cost.cpu_s:.1f} s of CPU in {cost.wall_s:.0f} s; the "
              "second run, against a server that lists the first one's builds, with a history of it; the first one: "
              f"{watch.rss_kib / 1024:.0f} MiB")
    yield Row(work + ": connections", "", watch.sockets, "", 8)
    yield Row(work + ": threads", "", watch.threads, "", 1, note="while there are connections")
    yield Row(work + ": a poll late by", "", late, "ms", 100, note=f"beyond {every_s} s and a tenth")


ROWS = (start, one_operation, sequence, main_job, upload, download, bundle, redaction, many_tests, lanes)

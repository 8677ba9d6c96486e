"""What the programs are given: pipelines, answers, files."""
import json

CALL = "  - id: s{n}\n    uses: call\n    with: {{ operation: get_device_list }}\n"
JOB = """version: 1
name: job
app: {{ name: Shop, platform: android }}
devices:
  phones: {{ any_of: [{{ name: "Pixel*" }}], count: {count} }}
defaults: {{ poll: {{ every: {every} }} }}
steps:
  - id: version
    uses: create_version
    with: {{ name: "1", reuse: true }}
  - id: build
    uses: upload_build
    with: {{ file: app.apk, version: "${{{{ steps.version }}}}" }}
"""
LANE = """      - uses: install
        with: { build: "${{ steps.build }}", device: "${{ matrix.device }}" }
"""
RUN = """      - uses: app_build_run
        with: { build: "${{ steps.build }}", device: "${{ matrix.device }}", module: Smoke }
"""
JUNIT = "reports: { junit: junit.xml }\n"


def calls(count):
    return "version: 1\nname: calls\nsteps:\n" + "".join(CALL.format(n=n) for n in range(count)) + JUNIT


def job(count=1, every="1s", install=True, collect=None):
    lane = (LANE if install else "") + RUN
    after = f"artifacts: {{ collect: [{collect}] }}\n" if collect else ""
    return after + JOB.format(count=count, every=every) + \
        '  - matrix: { device: "${{ devices.phones }}" }\n    steps:\n' + lane + JUNIT


def upload():
    return JOB.format(count=1, every="1s").replace("devices:\n  phones: { any_of: [{ name: \"Pixel*\" }], count: 1 }\n",
                                                   "").replace("app.apk", "big.apk") + JUNIT


def scenario(tests=200, seconds=0.5, devices=1, scale=20):
    rows = "".join(f"- {{id: {100 + n}, name: Pixel {n}, platform: android, os: '14', manufacturer: Google}}\n"
                   for n in range(devices))
    return f"""time_scale: {scale}
token: bench-token-0123456789
suites:
  smoke:
  - {{name: "Case {{n}}", repeat: {tests}, seconds: {seconds}}}
devices:
{rows}"""


def openapi(count):
    """The peer's kind of file, as large as ours."""
    paths = {f"/step/{n}": {"post": {"operationId": f"step{n}", "summary": f"Step {n}", "tags": ["steps"],
                                     "responses": {"200": {"description": "done"}, "400": {"description": "refused"}}}}
             for n in range(count)}
    return json.dumps({"openapi": "3.0.3", "info": {"title": "Steps", "version": "1", "license": {
        "name": "MIT", "url": "https://opensource.org/license/mit"}}, "servers": [{"url": "https://testgrid.invalid"}],
        "security": [], "tags": [{"name": "steps", "description": "steps"}], "paths": paths}, indent=1)


def collection(url, count):
    """The same calls for newman, each answer decoded and checked."""
    test = {"listen": "test", "script": {"exec": ["pm.test('ok', () => pm.expect(pm.response.json().success).to.be.true)"]}}
    form = [{"key": "user_token", "value": "bench-token-0123456789", "type": "text"}]
    return json.dumps({
        "info": {"name": "calls", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [{"name": f"s{n}", "event": [test], "request": {
            "method": "POST", "url": url + "/api/get-user-devices", "body": {"mode": "formdata", "formdata": form}}}
            for n in range(count)]})


def stepci(url, count):
    step = {"http": {"url": url + "/api/get-user-devices", "method": "POST",
                     "formData": {"user_token": "bench-token-0123456789"},
                     "check": {"status": 200, "jsonpath": {"$.success": True}}}}
    steps = [dict(step, name=f"s{n}") for n in range(count)]
    return json.dumps({"version": "1.1", "name": "calls", "tests": {"calls": {"steps": steps}}})


def respect_api(url):
    schema = {"type": "object", "properties": {"user_token": {"type": "string"}}}
    return json.dumps({"openapi": "3.0.3", "info": {"title": "Devices", "version": "1"}, "servers": [{"url": url}], "paths": {
        "/api/get-user-devices": {"post": {"operationId": "devices", "requestBody": {"content": {
            "multipart/form-data": {"schema": schema}}}, "responses": {"200": {"description": "the devices"}}}}}})


def arazzo(count):
    body = {"contentType": "multipart/form-data", "payload": {"user_token": "bench-token-0123456789"}}
    checks = [{"condition": "$statusCode == 200"}, {"condition": "$response.body#/success == true"}]
    steps = [{"stepId": f"s{n}", "operationId": "devices", "requestBody": body, "successCriteria": checks}
             for n in range(count)]
    return json.dumps({"arazzo": "1.0.1", "info": {"title": "calls", "version": "1"}, "sourceDescriptions": [
        {"name": "api", "url": "respect-api.json", "type": "openapi"}], "workflows": [{"workflowId": "w", "steps": steps}]})


def curl_config(url, count):
    one = f'url = "{url}/api/get-user-devices"\nform = "user_token=bench-token-0123456789"\noutput = "/dev/null"\n'
    return "next\n".join([one] * count)


def details(tests):
    """execution_detail of a run of so many tests that is over."""
    cases = [{"build_module_id": "12", "test_case_name": f"Case {n:06}: the cart keeps what was put into it",
              "is_network_assert": "0", "parameterised_test_data": "", "test_status": "2", "failed_reason": ""}
             for n in range(tests)]
    return json.dumps({
        "status": 1, "msg": "execution detail of build", "is_build_completed_in_all_devices": "1",
        "build_number": "6", "build_url": "http://127.0.0.1/build/apps/3506", "build_devices": [{
            "build_test_id": "13506", "device_id": "100", "device_name": "Pixel 0", "no_of_not_started": "0",
            "no_of_started": "0", "no_of_pass": str(tests), "no_of_fail": "0", "no_of_stopped": "0",
            "no_of_skipped": "0", "test_cases": cases, "info": {"app_version": "1", "app_build_number": "502"},
            "is_completed": 3}]}, separators=(",", ":"))


def text_of(answer):
    return answer if isinstance(answer, str) else json.dumps(answer)


def answers(tests):
    """What bench_server answers in the main job, by the name of its file."""
    device = {"device_id": "100", "UDID": "BENCH100", "tags": "", "device_type": "2", "platform_version": "14",
              "device_name": "Pixel 0", "manufactured_by": "Google", "s_device": "SB100", "is_run_build": "0",
              "is_run_device_cloud": "0", "is_offline": "0", "is_connected": "1", "is_device_offline": "0",
              "is_unauthorised": "0", "is_rebooting": "0", "is_reserved": "0", "is_preparing": "0", "is_cleaning": "0"}
    app = {"app_id": "223", "name": "Shop", "application_token": "0246ef25d73d091971d2f266dc350561",
           "cm_version_id": "481"}
    version = {"version_id": "481", "version_name": "1", "version_description": "", "platform_type": "android",
               "version_token": "7cab38fed934cdb968703d30d155b1de"}
    modules = json.dumps([{"version_module_id": "12", "module_name": "Smoke"}])
    done = {"status": 1, "msg": "Done", "statuscode": "200"}
    return {
        "_api_user_applications": {"success": True, "message": "list", "data": [app]},
        "_api_user_applications_223_": {"success": True, "message": "info", "data": dict(app, versions=[version])},
        "_api_user_build_481_": {"success": True, "message": "info", "data": {
            "version_token": version["version_token"], "application_token": app["application_token"],
            "application_name": "Shop", "version_name": "1", "version_module_list": modules, "app_build_list": "[]"}},
        "_ci_upload_app_build": dict(done, app_build_id="502", app_build_version="1", build_name="app"),
        "_api_get-user-devices": {"success": True, "message": "list", "data": [device]},
        "_ci_build_list": {"status": 1, "msg": "build list", "data": []},
        "_ci_app_build_run": {"status": True, "msg": "started", "build_id": 3506, "build_version": 6},
        "_ci_execution_detail": details(tests),
    }

#!/usr/bin/env python3
"""The harness fails when it should: each case here runs a stand-in for gridlane that does what the case's behave.py says."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
STAND_IN = "#!/usr/bin/env python3\nimport sys\nexec(open('behave.py', encoding='utf-8').read())\n"
HELPERS = """
import json, os, time
def request(operation, violations=(), **parameters):
    with open(os.environ["GRIDLANE_SANDBOX_LOG"], "a") as log:
        log.write(json.dumps({"n": 1, "operation": operation, "parameters": parameters, "violations": list(violations)}) + "\\n")
def write(name, text):
    os.makedirs(os.path.dirname("out/" + name), exist_ok=True)
    open("out/" + name, "w").write(text)
"""
RUN = "@ARGS run {PIPELINE} --out {OUT}\n"
JUNIT = """write("junit.xml", '<testsuites><testsuite name="a" tests="2" failures="1" errors="0" skipped="0">'
    '<testcase classname="c" name="n"/><testcase classname="c" name="%s"><failure message="m"/></testcase>'
    '</testsuite></testsuites>')
"""
TOKEN = "0123456789abcdef<secret>"
SECRET = f"@SECRET {TOKEN}\n"
# What is done, what is said of it, and which words the harness must answer with (None: it must pass).
CASES = {
    "an exit status as expected": ("sys.exit(3)", RUN + "@EXPECT exit 3", None),
    "another exit status": ("sys.exit(3)", RUN + "@EXPECT exit 0", "exit status 3"),
    "a death by signal": ("os.kill(os.getpid(), 15)", RUN + "@EXPECT exit 143", None),
    "words on stdout": ("print('passed: 8')", RUN + "@EXPECT stdout passed: 8\n@EXPECT no-stderr passed", None),
    "words on either": ("print('a'); print('b', file=sys.stderr)", RUN + "@EXPECT output a\n@EXPECT output b", None),
    "words on neither": ("print('a'); print('b', file=sys.stderr)", RUN + "@EXPECT no-output b", "it is there"),
    "words that are missing": ("print('passed: 8')", RUN + "@EXPECT stderr passed: 8", "it is not there"),
    "words that should not be": ("print('passed: 8')", RUN + "@EXPECT no-stdout passed", "it is there"),
    "requests in order": ("[request(o) for o in 'abbc']", RUN + "@EXPECT requests a b* d? c\n@EXPECT requests ... c", None),
    "a request too many": ("[request(o) for o in 'abb']", RUN + "@EXPECT requests a b", "the requests were: a b b"),
    "a request that must not be": ("request('a')", RUN + "@EXPECT no-request a", "it was sent"),
    "any request": ("request('a')", RUN + "@EXPECT no-request", "there were: a"),
    "words said too often": ("print('passed', 'passed')", RUN + "@EXPECT stdout-times 1 passed", "it is there 2 times"),
    "a count of requests": ("request('a')", RUN + "@EXPECT requests-count a 2", "there were 1"),
    "a parameter": ("request('a', id='7 [x]')", RUN + "@EXPECT request a id=7 [*]\n@EXPECT requests-count a 1", None),
    "another parameter": ("request('a', id='7')", RUN + "@EXPECT request a id=8", "'id' was: ['7']"),
    "a violation of the reference": ("request('a', ['no x'])", RUN, "violates the reference"),
    "an allowed violation": ("request('a', ['no x'])", "@ALLOW violations\n" + RUN, None),
    "a good junit": (JUNIT % "m", RUN + "@EXPECT junit tests=2 failures=1\n@EXPECT junit-has .//testcase[@name='m']/failure", None),
    "other counts": (JUNIT % "m", RUN + "@EXPECT junit tests=3", "it says {'tests': 2}"),
    "a case that is not in junit": (JUNIT % "m", RUN + "@EXPECT junit-has .//testcase[@name='z']", "not found in"),
    "a case that is there twice": (JUNIT % "n", RUN, "is there twice"),
    "junit that counts wrongly": (JUNIT.replace('tests="2"', 'tests="3"') % "m", RUN, "the suite 'a' says"),
    "no junit at all": ("", RUN + "@EXPECT junit tests=1", "No such file"),
    "malformed junit": ("write('junit.xml', '<testsuites>')", RUN, "cannot be read"),
    "results": ("write('results.json', '{\"a\": [{\"b\": 1}]}')", RUN + "@EXPECT json a[0].b == 1\n@EXPECT json a # 1", None),
    "one of a list": ("write('results.json', '{\"a\": [{\"b\": \"x/1\", \"c\": [7]}, {\"b\": \"y\"}]}')",
                      RUN + "@EXPECT json a[b=x/1].c[0] == 7\n@EXPECT json a[1].b == y", None),
    "none of a list": ("write('results.json', '{\"a\": [{\"b\": \"y\"}]}')", RUN + "@EXPECT json a[b=x].b == y", "it is null"),
    "another file": ("write('x.json', '{\"a\": [1]}')", RUN + "@EXPECT json-of x.json a[0] == 1", None),
    "another file, other": ("write('x.json', '{\"a\": [1]}')", RUN + "@EXPECT json-of x.json a # 2", "it is [1]"),
    "other results": ("write('results.json', '{\"a\": 1}')", RUN + "@EXPECT json a.b == 1", "it is null"),
    "a file": ("write('x/a.txt', '')", RUN + "@EXPECT file x/*.txt\n@EXPECT no-file y", None),
    "a missing file": ("write('a.txt', '')", RUN + "@EXPECT file b.txt", "there are: ['a.txt']"),
    "a file that should not be": ("write('a.txt', '')", RUN + "@EXPECT no-file *.txt", "there are: "),
    "a secret in a file": (f"write('a.txt', 'x{TOKEN}')", SECRET + RUN, "a secret is in a.txt"),
    "a secret in disguise": (f"import base64; print(base64.b64encode(b'k={TOKEN};').decode())", SECRET + RUN,
                             "a secret is in stdout"),
    "the sandbox's token": ("print(open('scenario.yml').read())", RUN, "a secret is in stdout"),
    "a secret kept": ("write('a.txt', '***')", SECRET + RUN + "@EXPECT exit 0", None),
    "a sanitizer's report": ("sys.stderr.write('==1==ERROR: AddressSanitizer: x')", RUN, "a sanitizer reports"),
    "a signal": ("request('a')\ntime.sleep(30)", RUN + "@SIGNAL TERM after operation a\n@EXPECT exit 143", None),
    "a signal that finds nobody": ("request('b')", RUN + "@SIGNAL TERM after operation a\n@EXPECT exit 0", "exit status late"),
    "a kill and a second command": ("if sys.argv[1] == 'run':\n    request('a'); request('a'); time.sleep(30)\nprint(sys.argv[1])",
                                    RUN + "@KILL after operation a call 2\n@EXPECT exit 137\n@THEN resume x\n@EXPECT stdout resume",
                                    None),
    "a process left behind": ("import subprocess; subprocess.Popen(['sleep', '30'])", RUN + "@EXPECT exit 0", "left behind: ['sleep']"),
    "files, blocks and places": ("print(open('a.sh').read(), os.environ['X'], os.access('a.sh', os.X_OK), *sys.argv)",
                                 "@FILE a.sh\n#!/bin/sh\n\n@ENV X={OUT}!\n@PIPELINE\nversion: 1\n" + RUN +
                                 "@EXPECT stdout /out! True\n@EXPECT stdout run pipeline.yml --out /", None),
    "another folder": ("", "@IN {ROOT}/tests/e2e\n" + RUN + "@EXPECT stderr behave.py", None),
    "a directive that is not known": ("", RUN + "@EXPCET exit 0", "there is no directive @EXPCET"),
    "an expectation that is not known": ("", RUN + "@EXPECT luck", "there is no @EXPECT luck"),
    "a case without a command": ("", "@ENV A=B", "there is no @RUN"),
}


class HarnessTest(unittest.TestCase):
    def run_case(self, behaviour, text):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("gridlane", STAND_IN), ("x.case", f"@FILE behave.py\n{HELPERS}{behaviour}\n{text}\n")):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(content)
            os.chmod(os.path.join(folder, "gridlane"), 0o755)
            return subprocess.run([sys.executable, os.path.join(HERE, "run_case.py"), os.path.join(folder, "x.case")],
                                  env={**os.environ, "GRIDLANE": os.path.join(folder, "gridlane")}, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def test_each_case_is_judged_right(self):
        for name, (behaviour, text, words) in CASES.items():
            with self.subTest(name):
                done = self.run_case(behaviour, text)
                self.assertEqual(done.returncode, 0 if words is None else 1, done.stdout)
                self.assertIn(words or "", done.stdout)


if __name__ == "__main__":
    unittest.main()

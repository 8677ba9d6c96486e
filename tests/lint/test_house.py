#!/usr/bin/env python3
"""house.py finds what it is there to find, and nothing in code that is fine."""
import os
import tempfile
import unittest

from house import House

LONG = "int f(void)\n{\n" + "\tx();\n" * 60 + "}\n"
BAD = {
    "runner/base/a.c": ('#include "runner/api/answer.h"\n', "must not include"),
    "runner/steps/a.c": ('#include "runner/engine/run.h"\n', "must not include"),
    "runner/engine/a.c": ('#include "sandbox/sandbox.h"\n', "must not include"),
    "runner/api/a.c": ("#include <curl/curl.h>\n", "is for"),
    "pipelines/check.c": ("#include <yaml.h>\n", "is for"),
    "runner/net/b.c": ("static void f(void)\n{\n\tx = strtol(text, NULL, 10);\n}\n", "strtol()"),
    "runner/net/c.c": ("static void f(void)\n{\n\texit(1);\n}\n", "only main ends"),
    "runner/engine/d.c": ('static void f(void)\n{\n\tfprintf(stderr, "x");\n}\n', "print"),
    "runner/base/e.c": ("static int counter;\n", "changes"),
    "runner/base/f.c": ('static const char *names[] = {"a"};\n', "changes"),
    "runner/base/g.c": ("void f(void)\n{\n\tstatic int calls = 0;\n}\n", "changes"),
    "runner/base/h.c": (LONG, "has 62 lines"),
    "runner/base/i.c": ("int f(int a, int b,\n\tint c, int d, int e, int g)\n{\n}\n", "6 parameters"),
    "runner/base/j.c": ("int f(int a)\n{\n" + "\tif (a && b)\n\t\tc();\n" * 8 + "}\n", "decides 16 times"),
    "runner/base/k.c": ("/* " + "x" * 120 + " */\n", "columns"),
    "runner/base/l.c": ("\n" * 501, "lines in a file"),
    "runner/base/m.c": ("int a; \n", "blanks"),
    "runner/base/n.c": ("/* TO" + "DO: later */\n", "unfinished"),
    "reporters/o.c": ("static int (*hook)(int a);\n", "changes"),
}
GOOD = {
    "runner/main.c": 'static int signals;\nint main(void)\n{\n\tprintf("strcpy(");\n\texit(0);\n}\n',
    "runner/base/number.c": "long f(const char *text)\n{\n\treturn strtol(text, NULL, 10); /* not atoi() */\n}\n",
    "runner/net/loop.c": '#include <curl/curl.h>\n#include "runner/base/error.h"\nint f(void (*done)(int a), int b);\n',
    "runner/base/table.c": (
        "struct row {\n\tint a;\n};\nstatic const struct row rows[] = {\n\t{1},\n};\n"
        'static const char *const names[] = {"a", NULL};\nstatic int (*const hook)(int a) = NULL;\n'
        "enum kind { ONE, TWO };\ntypedef int number;\nint f(int a, int b, int c, int d, int e, ...)\n{\n\tstatic const int g = 1;\n"
        "\treturn call->exit(g);\n}\n"),
    "reporters/console_live.c": 'void f(void)\n{\n\t(void)fputs("x", stdout);\n}\n',
}


class HouseTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return House(folder).check()

    def test_each_sin_is_found(self):
        for path, (text, words) in BAD.items():
            with self.subTest(path):
                self.assertTrue(any(words in finding for finding in self.findings({path: text})))

    def test_good_code_is_left_in_peace(self):
        self.assertEqual(self.findings(GOOD), [])

    def test_a_new_folder_must_say_whom_it_may_include(self):
        self.assertIn("has no row", self.findings({"runner/new/a.c": '#include "runner/base/error.h"\n'})[0])


if __name__ == "__main__":
    unittest.main()

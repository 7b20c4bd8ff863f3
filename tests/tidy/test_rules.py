#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each rule must find what it is for, and leave good files alone."""

import os
import tempfile
import unittest

import csource
import rules
import tidy

LICENCE = "/* SPDX-License-Identifier: MIT */\n"


def tree_of(files):
    with tempfile.TemporaryDirectory() as top:
        for path, text in files.items():
            full = os.path.join(top, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return tidy.Tree(top)


class RulesTest(unittest.TestCase):
    def assert_found(self, rule, files, *wanted):
        """The rule finds exactly these (path, line)."""
        found = [(path, line) for path, line, _ in rule(tree_of(files))]
        self.assertEqual(sorted(found), sorted(wanted))

    def test_functions_are_counted(self):
        text = ("struct a { int b; };\nstatic int x[] = { 1, 2 };\n"
                "#define M(a) do { \\\n  a; } while (0)\n"
                "static int\none(int a)\n{\n    if (a) { /* } */\n    }\n    return '}';\n}\n"
                "void\ntwo(void (*f)(int), const char *s)\n{\n    f(\"{\"[0]);\n}\n"
                "typedef struct {\n    int c;\n} t_t;\n")
        self.assertEqual(csource.functions(text),
                         [("one", 6, 6, True), ("two", 13, 4, False)])

    def test_long_function(self):
        body = "    x();\n" * 68
        long = LICENCE + "static void\nf(void)\n{\n" + body + "}\n"
        self.assert_found(rules.function_sizes_and_names, {"proto/a.c": long}, ("proto/a.c", 3))
        short = long.replace("    x();\n", "", 1)
        self.assert_found(rules.function_sizes_and_names, {"proto/a.c": short})

    def test_prefix(self):
        text = LICENCE + "int\ngw_a(void)\n{\n}\n\nint\nother(void)\n{\n}\n"
        self.assert_found(rules.function_sizes_and_names, {"gateway/a.c": text}, ("gateway/a.c", 8))
        self.assert_found(rules.function_sizes_and_names, {"actors/a.c": text},
                          ("actors/a.c", 3), ("actors/a.c", 8))
        main = LICENCE + "int\nmain(void)\n{\n}\n"
        self.assert_found(rules.function_sizes_and_names, {"actors/main.c": main})

    def test_file_shape(self):
        self.assert_found(rules.file_shape, {"proto/a.c": "int a;\n"}, ("proto/a.c", 1))
        self.assert_found(rules.file_shape, {"proto/a.c": LICENCE + "\tint a;\n"}, ("proto/a.c", 2))
        wide = LICENCE + "/* " + "é" * 94 + " */\n"
        self.assert_found(rules.file_shape, {"proto/a.c": wide})
        self.assert_found(rules.file_shape, {"proto/a.c": wide.replace("é", "éé", 1)},
                          ("proto/a.c", 2))
        self.assert_found(rules.file_shape, {"proto/a.c": LICENCE + "\n" * 500}, ("proto/a.c", 501))
        script = "#!/bin/bash\n# SPDX-License-Identifier: MIT\n"
        self.assert_found(rules.file_shape, {"ops/run": script})
        self.assert_found(rules.file_shape, {"README.md": "x\n" * 151}, ("README.md", 151))

    def test_include_arrows(self):
        text = LICENCE + '#include "proto/x.h"\n#include "actors/x.h"\n#include "gateway/x.h"\n'
        self.assert_found(rules.include_arrows, {"gateway/a.c": text}, ("gateway/a.c", 3))
        self.assert_found(rules.include_arrows, {"proto/a.c": text}, ("proto/a.c", 3),
                          ("proto/a.c", 4))
        self.assert_found(rules.include_arrows, {"tests/a.c": text})
        self.assert_found(rules.include_arrows, {"proto/a.c": LICENCE + '#include "x.h"\n'},
                          ("proto/a.c", 2))
        self.assert_found(rules.include_arrows, {"proto/a.c": "// #include \"gateway/x.h\"\n"})

    def test_libraries(self):
        lws = LICENCE + "#include <libwebsockets.h>\n"
        self.assert_found(rules.include_arrows, {"gateway/ws.c": lws, "gateway/feed.c": lws},
                          ("gateway/feed.c", 2))
        redis = LICENCE + "#include <hiredis/async.h>\n"
        self.assert_found(rules.include_arrows, {"actors/redis.c": redis, "actors/store.c": redis},
                          ("actors/store.c", 2))
        zmq = LICENCE + "#include <zmq.h>\n"
        czmq = LICENCE + "#include <czmq.h>\n"
        self.assert_found(rules.include_arrows,
                          {"proto/base/zsock.c": zmq, "proto/base/config.c": czmq,
                           "proto/wire/link.c": zmq, "supervisor/main.c": czmq},
                          ("proto/wire/link.c", 2), ("supervisor/main.c", 2))

    def test_pure_core(self):
        loop = LICENCE + "#include <uv.h>\n"
        good = LICENCE + "#include <string.h>\n#include <jansson.h>\n"
        through = LICENCE + '#include "proto/base/loop.h"\n'
        self.assert_found(rules.pure_core,
                          {"actors/poll.c": through, "actors/host.c": through,
                           "proto/base/loop.h": loop, "proto/poll/document.c": good},
                          ("actors/poll.c", 2))
        self.assert_found(rules.pure_core, {"proto/poll/rev.h": LICENCE + "#include <time.h>\n"},
                          ("proto/poll/rev.h", 2))

    def test_forbidden_words(self):
        self.assert_found(rules.forbidden_words, {"docs/a.md": "see /wo" + "rk/main\n"},
                          ("docs/a.md", 1))
        self.assert_found(rules.forbidden_words, {"a.json": '"https://registry.npm' + 'js.org/"\n'},
                          ("a.json", 1))
        self.assert_found(rules.forbidden_words, {"a.md": "as issue" + " 3 says\n"}, ("a.md", 1))
        self.assert_found(rules.forbidden_words, {"a.md": "an issue; 3 processes work/live\n"})

    def test_sleeps(self):
        bad = LICENCE + "    sleep(1);\n"
        self.assert_found(rules.sleeps_in_tests, {"tests/wire/a.c": bad, "proto/a.c": bad},
                          ("tests/wire/a.c", 2))
        good = LICENCE + "    /* sleep-ok: the pause is what is tested */\n    usleep(10);\n"
        self.assert_found(rules.sleeps_in_tests, {"tests/wire/a.c": good})
        js = "// SPDX\nawait new Promise((r) => setTimeout(r, 100));\n"
        self.assert_found(rules.sleeps_in_tests, {"tests/clients/a.js": js},
                          ("tests/clients/a.js", 2))

    def test_documented_rows(self):
        files = {"proto/wire/messages.def": "/* PR_MESSAGE(9, NO, x) */\nPR_MESSAGE(1, HELLO, x)\n"
                                            "PR_MESSAGE(11, CONNECT, x)\n",
                 "proto/wire/errors.def": 'PR_ERROR(7, BUSY, "busy", "Too busy")\n'
                                          'PR_ERROR(8, FULL, "full", "Full")\n',
                 "proto/PROTOCOL.md": "| 1 | HELLO |\n| 12 | CONNECT |\n| `busy` | too busy |\n"}
        self.assert_found(rules.documented_rows, files, ("proto/wire/messages.def", 3),
                          ("proto/wire/errors.def", 2))

    def test_sample_settings(self):
        settings = ('PR_SETTING_INT(A, "http.port", "PORT", 3000, 1, 65535, "port to listen on")\n'
                    'PR_SETTING_TEXT(B, "state_dir", "", "./var",\n                "a folder")\n')
        sample = rules.sample_conf.sample(settings)
        self.assertIn('# a folder\n#state_dir = "./var"\n', sample)
        self.assertIn("#http\n    # port to listen on (1 to 65535) [PORT]\n#    port = 3000\n",
                      sample)
        good = {"proto/base/settings.def": settings, "ops/conf/rollcall.conf": sample}
        self.assert_found(rules.sample_settings, good)
        good["ops/conf/rollcall.conf"] = sample.replace("3000", "3001")
        self.assert_found(rules.sample_settings, good, ("ops/conf/rollcall.conf", 1))


if __name__ == "__main__":
    unittest.main()

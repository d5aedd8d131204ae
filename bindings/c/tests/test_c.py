"""The C interface as C programs see it: header, misuse, examples against a service.

`cargo xtask test --only c` runs it.
"""

import re
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from lab import (
    C, C99, CPP17, CURL, HAS_CURL, HAS_VALGRIND, HOST, HOST_ALLOCATOR, INCLUDE, LIBRARY, NM, SANITIZED,
    STRICT, SYSTEM, Lab, compiled, linked, run,
)

CALLER, CALLEE, STRANGER = "12025550143", "12025550199", "12025550111"
NEEDS_CURL = unittest.skipUnless(HAS_CURL, "no libcurl to compile with (libcurl4-openssl-dev)")


class Sources(unittest.TestCase):
    def test_the_header_alone_is_c99_and_cpp17(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "alone.c"
            source.write_text('#include "ringtrue.h"\nint main(void) { return 0; }\n')
            for compiler in (C99, CPP17):
                status, printed = run(
                    *compiler, *STRICT, *INCLUDE, "-fsyntax-only", source
                )
                self.assertEqual(status, 0, printed)

    def test_every_program_is_c99_and_cpp17(self):
        sources = sorted((C / "tests").glob("*.c")) + sorted((C / "examples").glob("*.c"))
        self.assertGreater(len(sources), 4)
        for source in sources:
            if not HAS_CURL and "curl" in source.read_text():
                continue
            for compiler in (C99, CPP17):
                with self.subTest(source=source.name, compiler=compiler[0]):
                    status, printed = run(
                        *compiler, *STRICT, *INCLUDE, "-fsyntax-only", source
                    )
                    self.assertEqual(status, 0, printed)


class Library(unittest.TestCase):
    def test_the_shared_library_exports_what_the_header_says_and_nothing_else(self):
        header = (C / "include" / "ringtrue.h").read_text()
        declared = set(re.findall(r"\b(ringtrue_\w+)\(", re.sub(r"//.*|/\*.*?\*/", "", header)))
        # The firmware's own, where it wants them.
        declared -= {"ringtrue_host_alloc", "ringtrue_host_free"}
        self.assertGreater(len(declared), 20)
        status, printed = run(NM, "-D", "--defined-only", LIBRARY / "libringtrue.so")
        self.assertEqual(status, 0, printed)
        exported = {line.split()[-1].split("@")[0] for line in printed.splitlines()}
        self.assertEqual(exported, declared)

    def test_its_package_has_the_version_of_the_workspace(self):
        package = (C / "ringtrue.pc").read_text()
        workspace = (C.parent.parent / "Cargo.toml").read_text()
        version = re.search(r'^version = "(.*)"$', workspace, re.M).group(1)
        self.assertIn("\nVersion: %s\n" % version, package)
        # The libraries that a static one wants are those that the tests link.
        self.assertIn("\nLibs.private: %s\n" % " ".join(SYSTEM), package)

    def test_a_program_runs_with_the_shared_library(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "version.c"
            source.write_text(
                '#include "ringtrue.h"\nint main(void) '
                "{ return ringtrue_abi_version() != RINGTRUE_ABI_VERSION; }\n"
            )
            program = linked(
                Path(folder) / "version", *INCLUDE, source,
                "-L", LIBRARY, "-lringtrue", "-Wl,-rpath," + str(LIBRARY),
            )
            self.assertEqual(run(program), (0, ""))


class Misuse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab([CALLER])
        cls.arguments = [cls.lab.lab, str(int(time.time() * 1000))]

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def expect_no_failure(self, *command):
        status, printed = run(*command, *self.arguments)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, r"[0-9]{3} checks, 0 failures")

    def test_every_misuse_has_its_code_under_the_sanitizers(self):
        program = compiled(self.lab.path / "asan", C / "tests" / "misuse.c", flags=SANITIZED)
        self.expect_no_failure(program)

    def test_any_calls_in_any_order_only_give_codes(self):
        program = compiled(self.lab.path / "chaos", C / "tests" / "chaos.c", flags=SANITIZED)
        for seed in range(1, 6):
            with self.subTest(seed=seed):
                status, printed = run(program, *self.arguments, str(seed))
                self.assertEqual(status, 0, printed)

    def test_threads_get_their_result_or_are_told_that_it_is_busy(self):
        program = compiled(self.lab.path / "threads", C / "tests" / "threads.c", flags=SANITIZED)
        status, printed = run(program, *self.arguments)
        self.assertEqual((status, printed), (0, "8 threads, 0 failures\n"))

    @unittest.skipUnless(HOST_ALLOCATOR, "no library with the feature host-allocator (--all)")
    def test_all_memory_comes_from_the_firmware_that_wants_it(self):
        program = compiled(
            self.lab.path / "allocator", C / "tests" / "allocator.c", library=HOST_ALLOCATOR
        )
        status, printed = run(program, *self.arguments)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, " 0 held, 0 faults")

    @unittest.skipUnless(HAS_VALGRIND, "no valgrind for this processor")
    def test_every_misuse_has_its_code_under_valgrind(self):
        program = compiled(self.lab.path / "plain", C / "tests" / "misuse.c")
        self.expect_no_failure(
            "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect,possible", program,
        )


@NEEDS_CURL
class Adapter(unittest.TestCase):
    """Two terminal adapters and a service, as processes."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab([CALLER, CALLEE, STRANGER]).serve()
        cls.program = compiled(
            cls.lab.path / "adapter", C / "examples" / "adapter.c", *HOST,
            flags=SANITIZED, libraries=CURL,
        )
        for number in (CALLER, CALLEE):
            status, printed = cls.adapter(number, "publish")
            assert status == 0 and printed.startswith("publish: done"), printed

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    @classmethod
    def adapter(cls, number, *command):
        return run(cls.program, *cls.lab.options(number), *command)

    def announced(self, caller, callee, *options):
        """Begins to announce a call and gives the process once that is done."""
        options = [str(part) for part in [*self.lab.options(caller), *options]]
        process = subprocess.Popen(
            [str(self.program), *options, "place", callee],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.assertRegex(process.stdout.readline(), "^place: done")
        return process

    def test_both_sides_of_a_call_know_who_is_there(self):
        placed = self.announced(CALLER, CALLEE)
        status, printed = self.adapter(CALLEE, "ring", "+" + CALLER)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, "^verified")
        self.assertRegex(printed, "(?m)^answer: done")
        rest = placed.stdout.read()
        self.assertEqual(placed.wait(), 0, rest)
        self.assertRegex(rest, "^verified")

    def test_everything_goes_through_a_relay_that_is_configured(self):
        relay = ["--relay", self.lab.relay()]
        for number in (CALLER, CALLEE):
            status, printed = self.adapter(number, *relay, "publish")
            self.assertEqual((status, printed), (0, "gateway: done\npublish: done\n"))
        placed = self.announced(CALLER, CALLEE, *relay)
        status, printed = self.adapter(CALLEE, *relay, "ring", CALLER)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, "^verified")
        self.assertNotIn("direct_connection", printed)
        self.assertEqual(placed.wait(), 0, placed.stdout.read())

    def test_without_the_configured_relay_nobody_is_asked(self):
        relay = ["--relay", "https://localhost:9"]
        status, printed = self.adapter(CALLEE, *relay, "ring", CALLER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^unavailable .*relay_failed|^unavailable .*service_unreachable")

    def test_an_announcement_serves_one_call(self):
        self.announced(CALLER, CALLEE)
        status, printed = self.adapter(CALLEE, "ring", CALLER)
        self.assertEqual(status, 0, printed)
        # Another process, with the same state.
        status, printed = self.adapter(CALLEE, "ring", CALLER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^refused replayed")

    def test_a_call_that_nobody_announced_has_no_record(self):
        status, printed = self.adapter(CALLEE, "ring", STRANGER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^no_record")

    def test_a_service_with_another_certificate_is_not_asked(self):
        options = self.lab.options(CALLEE)
        at = options.index("--tls-roots") + 1
        options[at] = self.lab.lab / "root.pem"
        status, printed = run(self.program, *options, "ring", CALLER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^unavailable .*tls_failed")

    def test_no_service_in_the_own_network_is_asked_unless_that_is_allowed(self):
        options = self.lab.options(CALLEE)
        options.remove("--allow-local")
        status, printed = run(self.program, *options, "ring", CALLER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^unavailable .*address_not_allowed")

    def test_a_service_that_is_away_makes_no_verdict(self):
        options = self.lab.options(CALLEE)
        options[options.index("--service") + 1] = "https://localhost:9"
        status, printed = run(self.program, *options, "ring", CALLER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^unavailable .*service_unreachable")

    def test_a_call_to_somebody_without_keys_is_not_announced(self):
        status, printed = self.adapter(CALLER, "place", STRANGER)
        self.assertEqual(status, 3, printed)
        self.assertRegex(printed, "^place: not done .*no_usable_key")

    def test_another_ones_key_is_refused(self):
        options = self.lab.options(CALLEE)
        options[options.index("--key") + 1] = self.lab.lab / CALLER / "key.pem"
        status, printed = run(self.program, *options, "publish")
        self.assertEqual(status, 1, printed)
        self.assertRegex(printed, "key_mismatch")


@NEEDS_CURL
class Tokens(unittest.TestCase):
    def test_a_service_that_wants_storage_tokens_is_paid_from_the_wallet(self):
        lab = Lab([CALLER, CALLEE], "--storage-tokens").serve()
        self.addCleanup(lab.close)
        program = compiled(
            lab.path / "adapter", C / "examples" / "adapter.c", *HOST, libraries=CURL
        )
        issuer = ["--issuer", lab.base_url[len("https://"):]]
        status, printed = run(program, *lab.options(CALLEE), *issuer, "publish")
        self.assertEqual(status, 0, printed)
        status, printed = run(program, *lab.options(CALLER), *issuer, "publish")
        self.assertEqual(status, 0, printed)
        status, printed = run(program, *lab.options(CALLER), *issuer, "stock", CALLEE)
        self.assertEqual((status, printed), (0, "keys: done\ntokens: done\n"))
        options = [str(part) for part in lab.options(CALLER)]
        process = subprocess.Popen(
            [str(program), *options, *issuer, "place", CALLEE], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        # Without `token_just_in_time`: nobody was asked for a token while the call waited.
        self.assertEqual(process.stdout.readline(), "place: done\n")
        status, printed = run(program, *lab.options(CALLEE), *issuer, "ring", CALLER)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, "^verified")


@NEEDS_CURL
class Agi(unittest.TestCase):
    """The AGI program, with this test in Asterisk's place."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab([CALLER, CALLEE, STRANGER]).serve()
        parts = {"flags": SANITIZED, "libraries": CURL}
        cls.agi = compiled(cls.lab.path / "agi", C / "examples" / "agi.c", *HOST, **parts)
        adapter = cls.lab.path / "adapter"
        cls.adapter = compiled(adapter, C / "examples" / "adapter.c", *HOST, **parts)
        for number in (CALLER, CALLEE):
            status, printed = run(cls.adapter, *cls.lab.options(number), "publish")
            assert status == 0, printed

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def ask(self, caller, called=CALLEE, answer="200 result=1", state=CALLEE, service=None,
            written=()):
        """Gives the variables that the dialplan sees, and the program's exit status."""
        options = [str(part) for part in self.lab.verifier_options(state)]
        options[1] = service or self.lab.base_url
        process = subprocess.Popen(
            [str(self.agi), *options, *written],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        header = [
            "agi_network: no", "agi_request: ringtrue-agi", "agi_channel: DAHDI/1-1",
            "agi_callerid: " + caller, "agi_dnid: " + called, "agi_context: incoming",
        ]
        variables = {}
        try:
            process.stdin.write("\n".join(header) + "\n\n")
            process.stdin.flush()
            for line in process.stdout:
                name, value = re.fullmatch(r'SET VARIABLE (\w+) "([^"]*)"\n', line).groups()
                variables[name] = value
                process.stdin.write(answer + "\n")
                process.stdin.flush()
            return variables, process.wait(timeout=60), process.stderr.read()
        finally:
            process.stdout.close()
            process.stderr.close()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass

    def announce(self):
        options = [str(part) for part in self.lab.options(CALLER)]
        process = subprocess.Popen(
            [str(self.adapter), *options, "place", CALLEE],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.assertRegex(process.stdout.readline(), "^place: done")
        process.terminate()
        process.wait()
        process.stdout.close()

    def test_a_verified_call_gets_its_variables_and_its_label(self):
        self.announce()
        variables, status, errors = self.ask("+" + CALLER)
        self.assertEqual(status, 0, errors)
        self.assertEqual(variables["RINGTRUE_VERDICT"], "verified", variables)
        self.assertEqual(variables["RINGTRUE_LABEL"], "Verified")

    def test_numbers_are_read_as_the_line_writes_them(self):
        self.announce()
        written = ["--country", "1", "--trunk", "1", "--abroad", "011", "--digits", "10"]
        variables, status, errors = self.ask(CALLER[1:], CALLEE[1:], written=written)
        self.assertEqual(status, 0, errors)
        self.assertEqual(variables["RINGTRUE_VERDICT"], "verified", variables)

    def test_an_unannounced_call_gets_no_label(self):
        variables, status, errors = self.ask(STRANGER)
        self.assertEqual(status, 0, errors)
        self.assertEqual(variables["RINGTRUE_VERDICT"], "no_record")
        self.assertEqual(variables["RINGTRUE_LABEL"], "")

    def test_a_withheld_number_is_told_as_such(self):
        variables, status, errors = self.ask("unknown")
        self.assertEqual(status, 0, errors)
        self.assertEqual(variables["RINGTRUE_VERDICT"], "no_record")
        self.assertEqual(variables["RINGTRUE_REASON"], "caller_withheld")

    def test_a_caller_that_gives_up_meanwhile_changes_nothing(self):
        variables, status, errors = self.ask(STRANGER, answer="HANGUP\n200 result=1")
        self.assertEqual(status, 0, errors)
        self.assertEqual(variables["RINGTRUE_VERDICT"], "no_record")

    def test_a_service_that_says_nothing_does_not_hold_the_call_up_for_ever(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        service = "https://localhost:%d" % silent.getsockname()[1]
        soon = ["--within", "1000"]
        variables, status, errors = self.ask("+" + CALLER, service=service, written=soon)
        self.assertEqual(status, 0, errors)
        self.assertEqual(variables["RINGTRUE_VERDICT"], "unavailable", errors)
        self.assertEqual(variables["RINGTRUE_REASON"], "deadline_passed")

    def test_a_refusing_asterisk_ends_the_program(self):
        variables, status, _ = self.ask(STRANGER, answer="511 Command Not Permitted")
        self.assertEqual(status, 1)
        self.assertEqual(list(variables), ["RINGTRUE_VERDICT"])

    def test_a_called_number_that_is_none_is_said(self):
        variables, status, errors = self.ask(CALLER, called="s", state="nobody")
        self.assertEqual((variables, status), ({}, 1))
        self.assertRegex(errors, "malformed_number")


if __name__ == "__main__":
    unittest.main()

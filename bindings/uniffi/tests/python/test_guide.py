"""docs/python.md, as somebody follows it who begins with an empty folder."""

import ast
import asyncio
import faulthandler
import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import ringtrue
from lab import COMMAND, ROOT

GUIDE = ROOT / "docs" / "python.md"

# Seconds after which a module that hangs shows where, and ends. It takes 15.
PATIENCE = 1800


# What the guide says of deadlines is nothing: its examples have the default ones, which are a telephone's.
# Here a busy machine gets the time that it needs.
POLICY = "Policy(profile=Profile.DELEGATE)"
IN_TIME = "place_deadline_ms=30_000, ring_deadline_ms=30_000, answer_deadline_ms=30_000"
PATIENT_POLICY = "Policy(profile=Profile.DELEGATE, %s, directory_deadline_ms=30_000)" % IN_TIME


def blocks(language):
    return re.findall(r"^```%s\n(.*?)^```$" % language, GUIDE.read_text(), re.M | re.S)


class Guide(unittest.TestCase):
    def setUp(self):
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        self.addCleanup(faulthandler.cancel_dump_traceback_later)
        folder = tempfile.TemporaryDirectory(prefix="ringtrue-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # What `cargo xtask bindings` leaves there.
        module = Path(ringtrue.__file__)
        libraries = [path for path in module.parent.iterdir() if "ringtrue_ffi" in path.name]
        for path in [module] + libraries:
            shutil.copy(path, self.folder)

    def lines(self, command):
        """The lines of the guide's shell blocks that run a command, as arguments."""
        lines = "\n".join(blocks("sh")).splitlines()
        return [line.rstrip(" &").split() for line in lines if line.startswith(command)]

    def start_service(self):
        [init, serve] = [[COMMAND] + line[1:] for line in self.lines("ringtrue ")]
        subprocess.run(init, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        # Another port than the guide's, which may be taken.
        at = serve.index("--listen") + 1
        self.assertEqual(serve[at], "127.0.0.1:8443")
        serve[at] = "127.0.0.1:0"
        service = subprocess.Popen(serve, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        self.addCleanup(service.wait, 60)
        self.addCleanup(service.stdout.close)
        self.addCleanup(service.terminate)
        return re.match(r"serving (https://\S+)", service.stdout.readline()).group(1)

    def test_the_first_call_is_verified_from_an_empty_folder_and_every_snippet_runs(self):
        first_call, *snippets = [text.replace(POLICY, PATIENT_POLICY) for text in blocks("python")]
        self.assertIn(PATIENT_POLICY, first_call)
        self.assertEqual(len(snippets), 5)
        url = self.start_service()
        self.assertIn(["python3", "first_call.py"], self.lines("python3"))
        (self.folder / "first_call.py").write_text(first_call)
        # Nothing but that folder: no path to the checkout.
        environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}
        made = subprocess.run(
            [sys.executable, "-B", "first_call.py", url],
            cwd=self.folder, env=environment, timeout=600, stdout=subprocess.PIPE, text=True,
        )
        self.assertEqual(made.returncode, 0)
        first, *checks = made.stdout.splitlines()
        self.assertEqual(first, "verdict: VERIFIED")
        self.assertEqual([line.split()[1] for line in checks], ["passed"] * 9)
        self.run_snippets(first_call, snippets, url)

    def test_the_module_may_be_a_package_and_a_wheel(self):
        [packing] = [block for block in blocks("sh") if "__init__" in block]
        subprocess.run(["sh", "-ec", packing], cwd=self.folder, check=True)
        [project] = blocks("toml")
        (self.folder / "pyproject.toml").write_text(project)
        environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}

        def python(*arguments, **options):
            return subprocess.run(
                [sys.executable, "-B", *arguments],
                cwd=self.folder, env=environment, timeout=300, stdout=subprocess.PIPE, text=True, **options,
            )

        module = "import ringtrue; print(ringtrue.Verdict.VERIFIED.name)"
        self.assertEqual(python("-c", module, check=True).stdout, "VERIFIED\n")
        # What is packed does not matter; a debug library takes minutes.
        [library] = self.folder.glob("ringtrue/libringtrue_ffi.*")
        library.write_bytes(b"")
        options = ("--no-deps", "--quiet", "--disable-pip-version-check")
        had = python("-m", "pip", "download", *options, "--dest", "got", "setuptools>=68")
        if had.returncode != 0:
            self.skipTest("pip cannot get setuptools: the wheel was not made")
        python("-m", "pip", "wheel", *options, ".", check=True)
        [wheel] = self.folder.glob("ringtrue-0.1.0-*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        self.assertIn("ringtrue/__init__.py", names)
        self.assertTrue([name for name in names if name.startswith("ringtrue/libringtrue_ffi.")])

    def run_snippets(self, first_call, snippets, url):
        """What follows the first call shares its names, as in one coroutine."""
        known = {"__name__": "guide"}
        definitions = first_call.replace("asyncio.run(main())\n", "")
        self.assertNotEqual(definitions, first_call)
        exec(compile(definitions, "first_call.py", "exec"), known)
        known["SERVICE"] = url

        async def run():
            for at, snippet in enumerate(snippets, 1):
                code = compile(
                    snippet, "snippet %d" % at, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
                )
                running = eval(code, known)
                if inspect.isawaitable(running):
                    await running

        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        asyncio.run(run())


if __name__ == "__main__":
    unittest.main()

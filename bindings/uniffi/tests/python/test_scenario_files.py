"""The scenario files that every language runs, through the Python binding."""

import faulthandler
import json
import re
import unittest
from pathlib import Path

import scripted
from lab import ROOT

FILES = ROOT / "tests" / "scenarios" / "files"

# Seconds after which a module that hangs shows where, and ends. It takes 10.
PATIENCE = 300


def setUpModule():
    faulthandler.dump_traceback_later(PATIENCE, exit=True)


def tearDownModule():
    faulthandler.cancel_dump_traceback_later()


def count():
    """How many files there have to be."""
    return int(re.search(r"^There are (\d+) files", (FILES / "README.md").read_text(), re.M).group(1))


class ScenarioFiles(unittest.IsolatedAsyncioTestCase):
    async def test_every_file_runs_as_it_says(self):
        files = sorted(FILES.glob("*.json"))
        self.assertEqual(len(files), count())
        for path in files:
            file = json.loads(Path(path).read_text())
            with self.subTest(file=path.stem):
                self.assertEqual(file["name"], path.stem)
                # Python can do whatever a file needs.
                self.assertEqual(scripted.missing(file), [])
                await scripted.Runner(self, file).run()


if __name__ == "__main__":
    unittest.main()

"""The generated module and the library belong together; what both agree on is checked in."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import ringtrue
from lab import ROOT

MODULE = Path(ringtrue.__file__)

# Every function of the interface with the checksum of its signature, and the members of every record and
# enumeration, as the generator writes them.
INTERFACE = ROOT / "bindings" / "uniffi" / "interface.txt"

# Set to write the file anew after a change of the interface.
WRITE = "RINGTRUE_WRITE_INTERFACE"

CHECKSUM = re.compile(r"uniffi_ringtrue_ffi_checksum_(\w+)\(\) != (\d+)")


RECORD = re.compile(r"    def __init__\(self, \*, (.*)\):")

MEMBER = re.compile(r"    ([A-Z][A-Z0-9_]*) = (\d+)")


def interface(text):
    """The interface, one line for each function, record and value of an enumeration."""
    lines = ["function %s %s" % pair for pair in CHECKSUM.findall(text)]
    name = None
    for line in text.splitlines():
        if line.startswith("class "):
            name = re.match(r"class (\w+)", line).group(1)
        elif name and not name.startswith("_"):
            if record := RECORD.fullmatch(line):
                lines.append("record %s %s" % (name, record.group(1).replace("typing.", "")))
            elif member := MEMBER.fullmatch(line):
                lines.append("value %s.%s %s" % (name, *member.groups()))
    return sorted(lines)


class Contract(unittest.TestCase):
    def test_a_change_of_the_interface_is_noticed(self):
        found = interface(MODULE.read_text())
        self.assertGreater(len(found), 150)
        text = "\n".join(found) + "\n"
        if WRITE in os.environ:
            INTERFACE.write_text(text)
        self.assertEqual(
            INTERFACE.read_text().splitlines(),
            found,
            "the interface of the bindings has changed: say so in CHANGELOG.md; %s=1 writes the file" % WRITE,
        )

    def imported(self, change):
        """What importing the module says after `change` of its text, with the right library beside it."""
        with tempfile.TemporaryDirectory(prefix="ringtrue-") as folder:
            for path in MODULE.parent.iterdir():
                if "ringtrue_ffi" in path.name:
                    shutil.copy(path, folder)
            before = MODULE.read_text()
            text = change(before)
            (Path(folder) / "ringtrue.py").write_text(text)
            environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}
            made = subprocess.run(
                [sys.executable, "-B", "-c", "import ringtrue"],
                cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, timeout=120,
            )
            return made.returncode, made.stderr, text != before

    def test_the_module_loads_with_its_library(self):
        self.assertEqual(self.imported(lambda text: text), (0, "", False))

    def test_a_library_of_another_version_is_refused_by_name(self):
        def other_signature(text):
            return CHECKSUM.sub(lambda m: m.group(0)[: -len(m.group(2))] + "1", text, count=1)

        def other_contract(text):
            return re.sub(r"(bindings_contract_version = )(\d+)", r"\g<1>1", text)

        for change, words in ((other_signature, "checksum"), (other_contract, "contract version")):
            status, said, changed = self.imported(change)
            self.assertTrue(changed, words)
            self.assertEqual(status, 1)
            self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main()

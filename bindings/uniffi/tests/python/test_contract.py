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

    def imported(self, change=lambda text: text, library=lambda path: None):
        """What a program is told that imports the module after `change` of its text and, with `library`, of
        the library beside it."""
        program = (
            "try:\n    import ringtrue\n"
            "except ImportError as error:\n    print(error.code, error.name, error, sep='; ')\n"
        )
        with tempfile.TemporaryDirectory(prefix="ringtrue-") as folder:
            for path in MODULE.parent.iterdir():
                if "ringtrue_ffi" in path.name:
                    library(shutil.copy(path, folder))
            before = MODULE.read_text()
            text = change(before)
            (Path(folder) / "ringtrue.py").write_text(text)
            environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}
            made = subprocess.run(
                [sys.executable, "-B", "-c", program],
                cwd=folder, env=environment, timeout=120,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            self.assertEqual(made.returncode, 0, made.stdout)
            return made.stdout, text != before

    def test_the_module_loads_with_its_library(self):
        self.assertEqual(self.imported(), ("", False))

    def test_a_library_of_another_version_is_refused_by_its_code(self):
        def other_signature(text):
            return CHECKSUM.sub(lambda m: m.group(0)[: -len(m.group(2))] + "1", text, count=1)

        def other_contract(text):
            return re.sub(r"(bindings_contract_version = )(\d+)", r"\g<1>1", text)

        def another_function(text):
            return text.replace("uniffi_ringtrue_ffi_fn_method_endpoint_ring", "ringtrue_of_tomorrow")

        for change, words in (
            (other_signature, "checksum"), (other_contract, "contract version"), (another_function, "lacks"),
        ):
            said, changed = self.imported(change)
            self.assertTrue(changed, words)
            self.assertRegex(said, r"^9101; library_mismatch; library_mismatch \(9101\): .*%s" % words)

    def test_a_library_that_is_none_or_missing_is_refused_by_its_code(self):
        for library in (os.remove, lambda path: Path(path).write_bytes(b"not a library")):
            said, _ = self.imported(library=library)
            self.assertRegex(said, r"^9101; library_mismatch; .*cannot be loaded")


if __name__ == "__main__":
    unittest.main()

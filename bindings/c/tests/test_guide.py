"""docs/firmware.md, its sections 2 and 3, done as they say in an empty folder."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from lab import C, COMMAND, HAS_CURL, LIBRARY, PLATFORM, ROOT, run

GUIDE = ROOT / "docs" / "firmware.md"
FILES = ["host.h", "host.c", "host_http.c", "host_records.c"]


@unittest.skipUnless(HAS_CURL, "no libcurl to compile with (libcurl4-openssl-dev)")
@unittest.skipIf(PLATFORM, "the guide's commands build for this machine")
class Guide(unittest.TestCase):
    def temporary(self):
        folder = tempfile.TemporaryDirectory(prefix="ringtrue-guide-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_it_leads_from_an_empty_folder_to_a_verified_call(self):
        blocks = re.findall(r"^```(c|sh|sh service)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
        program, = [text for kind, text in blocks if kind == "c"]
        compiling, preparing, calling = [text for kind, text in blocks if kind == "sh"]
        serving, = [text for kind, text in blocks if kind == "sh service"]
        self.assertEqual(serving, "ringtrue cps serve --lab lab &\n")
        folder = Path(self.temporary())
        path = self.temporary()
        os.symlink(COMMAND, Path(path) / "ringtrue")
        environment = {**os.environ, "PATH": path + os.pathsep + os.environ["PATH"]}

        def shell(text):
            status, printed = run("sh", "-ec", text, cwd=folder, env=environment)
            self.assertEqual(status, 0, printed)
            return printed

        for name in FILES:
            shutil.copy(C / "examples" / name, folder)
        shutil.copy(C / "include" / "ringtrue.h", folder)
        shutil.copy(LIBRARY / "libringtrue.a", folder)
        shell(preparing)
        # As the guide says, but for the port and the deadline: others may be testing on this machine.
        service = subprocess.Popen(
            [COMMAND, "cps", "serve", "--lab", "lab", "--listen", "127.0.0.1:0"],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        try:
            url = re.match(r"serving (https://\S+)", service.stdout.readline()).group(1)
            settings = folder / "lab" / "lab.toml"
            settings.write_text(settings.read_text().replace("https://localhost:8443", url))
            program = program.replace("https://localhost:8443", url)
            patient = ".allow_local = true, .within_ms = 20000,"
            (folder / "first.c").write_text(program.replace(".allow_local = true,", patient))
            shell(compiling)
            printed = shell(calling)
        finally:
            service.terminate()
            service.stdout.close()
            service.wait(timeout=60)
        self.assertEqual(printed, "published: 1\nplaced: 1\nverified\n")


if __name__ == "__main__":
    unittest.main()

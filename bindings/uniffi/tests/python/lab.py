"""A laboratory for the tests: credentials of test numbers, and the real service as a process."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import p256
import ringtrue

ROOT = Path(__file__).resolve().parents[4]
COMMAND = os.environ.get("RINGTRUE_BIN", str(ROOT / "target" / "debug" / "ringtrue"))
NUMBERS = ["12025550%03d" % n for n in range(100, 200)]


# For what is expected to come, whatever else the machine does.
PATIENT_MS = 30_000


def policy(**members):
    """The rules of the laboratory, with time enough wherever a call does not say how much it has."""
    return ringtrue.Policy(
        profile=ringtrue.Profile.DELEGATE,
        place_deadline_ms=PATIENT_MS,
        ring_deadline_ms=PATIENT_MS,
        answer_deadline_ms=PATIENT_MS,
        directory_deadline_ms=PATIENT_MS,
        **members,
    )


class Lab:
    """`ringtrue lab init` and `ringtrue cps serve`."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="ringtrue-")
        self.path = Path(self._folder.name)
        command = [COMMAND, "lab", "init", str(self.path)]
        for number in NUMBERS:
            command += ["--number", number]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        self._unused = list(NUMBERS)
        self._states = 0
        self._x5u_base = re.search(r'^x5u_base = "(.*)"$', self.read("lab.toml"), re.M).group(1)
        command = [COMMAND, "cps", "serve", "--lab", str(self.path), "--listen", "127.0.0.1:0"]
        # Not to our own output, which the service would keep open if the test were killed.
        self._log = open(self.path / "service.log", "w+")
        self._service = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        line = self._service.stdout.readline()
        self.base_url = re.match(r"serving (https://\S+)", line).group(1)

    def close(self):
        self._service.terminate()
        self._service.stdout.close()
        status = self._service.wait(timeout=60)
        self._log.seek(0)
        log = self._log.read()
        self._log.close()
        self._folder.cleanup()
        if status != 0:
            raise RuntimeError("the service ended with status %d: %s" % (status, log))

    def read(self, *names):
        return self.path.joinpath(*names).read_text()

    def number(self):
        """A number with a credential that no test has used."""
        return self._unused.pop()

    def scalar(self, number):
        """The private key of a number's credential."""
        return p256.scalar_from_pem(self.read(number, "key.pem"))

    def command(self, *arguments):
        """Runs the command and gives what it prints."""
        made = subprocess.run([COMMAND, *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return made.stdout

    def config(self, *numbers, credential_of=None, **members):
        """The configuration of an endpoint, with a state file of its own."""
        self._states += 1
        owner = credential_of or numbers[0]
        members = {
            "numbers": list(numbers),
            "services": [self.base_url],
            "anchors_pem": [self.read("root.pem")],
            "allow_direct": True,
            "state_file": str(self.path / ("%d.state" % self._states)),
            "credential": ringtrue.Credential(
                chain_pem=self.read(owner, "chain.pem"),
                x5u="%s/%s.pem" % (self._x5u_base, owner),
            ),
            "http": ringtrue.HttpSettings(
                extra_roots_pem=[self.read("tls-root.pem")], web_roots=False, allow_loopback=True
            ),
            "policy": policy(),
            **members,
        }
        return ringtrue.EndpointConfig(**members)

"""A laboratory, the service as a process, and the C compiler.

The compiler is this machine's, or that of another processor, whose programs an emulator runs
(`cargo xtask cross-test`).
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
C = ROOT / "bindings" / "c"
COMMAND = os.environ.get("RINGTRUE_BIN", str(ROOT / "target" / "debug" / "ringtrue"))
# The folder with libringtrue.a and libringtrue.so.
LIBRARY = Path(os.environ.get("RINGTRUE_C_LIBRARY", str(ROOT / "target" / "debug")))
# The folder with a libringtrue.a that was built with the feature `host-allocator`, if there is one.
HOST_ALLOCATOR = os.environ.get("RINGTRUE_C_HOST_ALLOCATOR")

# The prefix of another platform's compiler, such as arm-linux-gnueabihf; the emulator that runs its
# programs; and the folder of a system for it, with libcurl, if there is one.
PLATFORM = os.environ.get("RINGTRUE_C_PLATFORM")
EMULATOR = os.environ.get("RINGTRUE_C_EMULATOR")
SYSTEM_ROOT = os.environ.get("RINGTRUE_C_ROOT")

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-g"]
C99 = [PLATFORM + "-gcc" if PLATFORM else "gcc", "-std=c99", "-D_POSIX_C_SOURCE=200809L"]
# For its syntax alone, so this machine's does.
CPP17 = ["g++", "-std=c++17", "-x", "c++"]
NM = PLATFORM + "-nm" if PLATFORM else "nm"
# What a static Rust library wants of the system.
SYSTEM = ["-lpthread", "-ldl", "-lm", "-lgcc_s"]
HOST = [C / "examples" / name for name in ("host.c", "host_http.c", "host_records.c")]

if PLATFORM:
    # Misaligned accesses are among what ends a program here. AddressSanitizer would make emulated programs
    # too slow for their deadlines.
    SANITIZED = ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan"]
    HAS_CURL = SYSTEM_ROOT is not None
    HAS_VALGRIND = False
else:
    SANITIZED = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    HAS_CURL = shutil.which("curl-config") is not None
    HAS_VALGRIND = shutil.which("valgrind") is not None
# Of a device that has time: the machine may be busy, and the processor emulated.
WITHIN_MS = "60000" if PLATFORM else "20000"
INCLUDE = ["-I", C / "include"]
CURL = ["-lcurl"]
if SYSTEM_ROOT:
    places = ["%s/%s/%s" % (SYSTEM_ROOT, part, PLATFORM) for part in ("usr/lib", "lib")]
    INCLUDE += ["-I", "%s/usr/include/%s" % (SYSTEM_ROOT, PLATFORM)]
    CURL = ["-L" + places[0], "-Wl,-rpath-link," + ":".join(places), *CURL]


def run(*command, **options):
    """Runs a command; fails with everything that it printed."""
    made = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    return made.returncode, made.stdout


def compiled(out, *sources, flags=(), libraries=(), library=LIBRARY):
    """Compiles sources as C99 and links them with the static library; gives what runs the program."""
    objects = [*sources, Path(library) / "libringtrue.a"]
    return linked(out, *flags, *INCLUDE, *objects, *libraries, *SYSTEM)


def linked(out, *arguments):
    """Makes a program of what the compiler is given."""
    program = Path(str(out) + "." + PLATFORM) if PLATFORM else Path(out)
    status, printed = run(*C99, *STRICT, "-o", program, *arguments)
    if status != 0:
        raise AssertionError(printed)
    if PLATFORM:
        root = SYSTEM_ROOT or "/usr/" + PLATFORM
        words = " ".join(shlex.quote(str(word)) for word in (EMULATOR, "-L", root, program))
        Path(out).write_text('#!/bin/sh\nexec %s "$@"\n' % words)
        Path(out).chmod(0o755)
    return Path(out)


class Lab:
    """`ringtrue lab init` and `ringtrue cps serve`."""

    def __init__(self, numbers, *more):
        self._folder = tempfile.TemporaryDirectory(prefix="ringtrue-c-")
        self.path = Path(self._folder.name)
        self.lab = self.path / "lab"
        options = [part for number in numbers for part in ("--number", number)]
        status, printed = run(COMMAND, "lab", "init", self.lab, *options, *more)
        if status != 0:
            raise AssertionError(printed)
        settings = (self.lab / "lab.toml").read_text()
        self.x5u_base = re.search(r'^x5u_base = "(.*)"$', settings, re.M).group(1)
        self._service = None
        self._relay = None

    def serve(self):
        command = [COMMAND, "cps", "serve", "--lab", str(self.lab), "--listen", "127.0.0.1:0"]
        self._log = open(self.path / "service.log", "w+")
        self._service = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        line = self._service.stdout.readline()
        self.base_url = re.match(r"serving (https://\S+)", line).group(1)
        return self

    def relay(self):
        """Runs a relay in front of the service; gives its base URL."""
        config = self.lab / "relay.toml"
        authority = self.base_url[len("https://"):]
        config.write_text(
            "\n".join([
                'listen = "127.0.0.1:0"', "allow_loopback = true", 'tls_root = "tls-root.pem"',
                "[tls]", 'certificate = "tls.pem"', 'key = "tls.key"',
                "[gateways]", '"%s" = "%s"' % (authority, self.base_url), "",
            ])
        )
        self._relay = subprocess.Popen(
            [COMMAND, "relay", "serve", "--config", str(config)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        return re.match(r"relaying (https://\S+)", self._relay.stdout.readline()).group(1)

    def close(self):
        for process in (self._relay, self._service):
            if process:
                process.terminate()
                process.stdout.close()
                process.wait(timeout=60)
        if self._service:
            self._log.close()
        self._folder.cleanup()

    def state(self, name):
        folder = self.path / ("state-" + name)
        folder.mkdir(exist_ok=True)
        return folder

    def verifier_options(self, name):
        """The options of a device that only verifies."""
        return [
            "--service", self.base_url, "--state", self.state(name), "--delegates", "--allow-local",
            "--within", WITHIN_MS,
            "--anchors", self.lab / "root.pem", "--tls-roots", self.lab / "tls-root.pem",
        ]

    def options(self, number):
        """The options of a device with this number."""
        return [
            "--number", "+" + number, *self.verifier_options(number),
            "--chain", self.lab / number / "chain.pem", "--key", self.lab / number / "key.pem",
            "--x5u", "%s/%s.pem" % (self.x5u_base, number),
        ]

#!/usr/bin/env python3
"""Checks that shared libraries can be loaded on devices with 16 KB pages.

    check-page-size.py FILE...

FILE is an ELF library, or an AAR, APK or AAB, whose every .so is checked: the library's own and JNA's.
Every loadable segment of a 64-bit library must be aligned to 16384; in an APK an uncompressed library must
also lie at a multiple of it. 32-bit libraries run with 4 KB pages only and are named, not judged. Exit
status 1 if one does not hold, 2 if there was nothing to judge. Standard library only.
"""

import io
import struct
import sys
import zipfile

PAGE = 16384
PT_LOAD = 1


def fault_of(octets):
    """What is wrong with a library, an empty text if nothing, None if it is of 32 bits."""
    if len(octets) < 64 or octets[:4] != b"\x7fELF":
        return "not an ELF file"
    if octets[4] != 2:
        return None
    order = "<" if octets[5] == 1 else ">"
    (offset,) = struct.unpack_from(order + "Q", octets, 32)
    size, count = struct.unpack_from(order + "HH", octets, 54)
    loads = 0
    for index in range(count):
        at = offset + index * size
        if at + 56 > len(octets):
            return "its program headers are cut off"
        (kind,) = struct.unpack_from(order + "I", octets, at)
        if kind != PT_LOAD:
            continue
        loads += 1
        file_at, address = struct.unpack_from(order + "QQ", octets, at + 8)
        (align,) = struct.unpack_from(order + "Q", octets, at + 48)
        if align < PAGE or align % PAGE:
            return "a segment is aligned to %d" % align
        if (file_at - address) % PAGE:
            return "a segment does not lie in the file as in memory"
    return "" if loads else "it has no loadable segment"


def libraries(path):
    """Name, content and, if it is mapped out of the archive, its place in it."""
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as file:
            yield path, file.read(), None
        return
    with open(path, "rb") as file:
        archive = io.BytesIO(file.read())
    with zipfile.ZipFile(archive) as entries:
        for entry in entries.infolist():
            if not entry.filename.endswith(".so"):
                continue
            place = None
            if path.endswith(".apk") and entry.compress_type == zipfile.ZIP_STORED:
                name, extra = struct.unpack_from("<HH", archive.getbuffer(), entry.header_offset + 26)
                place = entry.header_offset + 30 + name + extra
            yield "%s!%s" % (path, entry.filename), entries.read(entry), place


def main(paths):
    judged = failed = 0
    for path in paths:
        for name, octets, place in libraries(path):
            fault = fault_of(octets)
            if fault is None:
                print("%s: of 32 bits, not judged" % name)
                continue
            judged += 1
            if not fault and place is not None and place % PAGE:
                fault = "it lies at %d in the archive" % place
            failed += bool(fault)
            print("%s: %s" % (name, fault or "good"))
    if not judged:
        print("nothing to judge")
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

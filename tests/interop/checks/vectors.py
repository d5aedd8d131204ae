"""The peer's own unit tests, on published vectors and on the project's worked examples."""

import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives import hpke as library
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from peer import blob, content, encoding, hpke, jws, numbers, passport, tnauthlist
from peer.errors import Refusal

from .harness import Harness, equal, expect

_KEMS = {16: library.KEM.P256, 32: library.KEM.X25519}
_AEADS = {1: library.AEAD.AES_128_GCM, 3: library.AEAD.CHACHA20_POLY1305}


def refused(action, *arguments) -> str:
    """The reason with which something is refused."""
    try:
        action(*arguments)
    except Refusal as refusal:
        return refusal.reason
    raise AssertionError(f"{arguments!r} was accepted")


def rfc9180(path: Path) -> None:
    vector = {
        name: bytes.fromhex(value)
        if isinstance(value, str) and name not in ("suite", "rfc", "mode_name")
        else value
        for name, value in json.loads(path.read_text()).items()
    }
    kem, aead, info = vector["kem_id"], vector["aead_id"], vector["info"]
    recipient = hpke.derive_key_pair(kem, vector["ikmR"])
    ephemeral = hpke.derive_key_pair(kem, vector["ikmE"])
    equal(hpke.private_octets(recipient), vector["skRm"], "skRm")
    equal(hpke.public_octets(recipient), vector["pkRm"], "pkRm")
    equal(hpke.private_octets(ephemeral), vector["skEm"], "skEm")
    enc, sender = hpke.setup_sender(kem, aead, vector["pkRm"], info, ephemeral)
    receiver = hpke.setup_receiver(kem, aead, vector["enc"], recipient, info)
    equal(enc, vector["enc"], "enc")
    equal(sender, receiver, "both contexts")
    for name in ("shared_secret", "key", "base_nonce", "exporter_secret"):
        equal(getattr(receiver, name), vector[name], name)
    for message in vector["encryptions"]:
        nonce, aad, plain, sealed = (
            bytes.fromhex(message[n]) for n in ("nonce", "aad", "pt", "ct")
        )
        equal(receiver.nonce(message["seq"]), nonce, "nonce")
        equal(sender.seal(plain, aad, message["seq"]), sealed, "ciphertext")
        equal(receiver.open(sealed, aad, message["seq"]), plain, "plaintext")
    for export in vector["exports"]:
        exported = receiver.export(bytes.fromhex(export["exporter_context"]), export["L"])
        equal(exported.hex(), export["exported_value"], "export")


def against_library(kem: int, aead: int) -> None:
    """Where no associated data is needed, the library's own HPKE has to agree."""
    suite = library.Suite(_KEMS[kem], library.KDF.HKDF_SHA256, _AEADS[aead])
    private, length = hpke.generate(kem), hpke.ENC_LEN[kem]
    sealed = suite.encrypt(b"plain", private.public_key(), b"info")
    context = hpke.setup_receiver(kem, aead, sealed[:length], private, b"info")
    equal(context.open(sealed[length:], b""), b"plain", "opened")
    enc, context = hpke.setup_sender(kem, aead, hpke.public_octets(private), b"info")
    equal(suite.decrypt(enc + context.seal(b"plain", b""), private, b"info"), b"plain", "sealed")


def blob_v1(path: Path) -> None:
    vector = json.loads(path.read_text())
    suite = blob.S1 if vector["kem_id"] == 16 else blob.S2
    private = hpke.derive_key_pair(suite.kem, bytes.fromhex(vector["ikmR"]))
    ephemeral = hpke.derive_key_pair(suite.kem, bytes.fromhex(vector["ikmE"]))
    octets, number = vector["content"].encode(), vector["dest"]
    equal(hpke.public_octets(private).hex(), vector["pkRm"], "pkRm")
    equal(blob.info_for(number).hex(), vector["info"], "info")
    equal(suite.header(1).hex(), vector["header"], "header")
    equal(suite.capacity(1), vector["max_content_len"], "capacity")
    equal(len(blob.pad(octets, suite, 1)), vector["plaintext_len"], "plaintext length")
    sealed = blob.seal(suite, hpke.public_octets(private), number, octets, 1, ephemeral)
    equal(sealed.hex(), vector["blob"], "blob")
    equal(hashlib.sha256(sealed).hexdigest(), vector["blob_sha256"], "digest")
    equal(blob.open_with(sealed, private, number), octets, "content")
    content.parse(octets)
    equal(refused(blob.open_with, sealed, private, number + "0"), "malformed_blob", "moved")
    for position in (8, 100, len(sealed) - 1):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        refused(blob.open_with, bytes(damaged), private, number)
    for cut in (b"", sealed[:-1], sealed + b"\0", b"\2" + sealed[1:]):
        equal(refused(blob.inspect, cut), "malformed_blob", "form")


def good_lists(path: Path) -> None:
    for vector in json.loads(path.read_text()):
        entries = tnauthlist.decode(bytes.fromhex(vector["der_hex"]))
        equal(tnauthlist.encode(entries).hex(), vector["der_hex"], vector["id"])
        _equal_entries(entries, vector)
        for number in vector.get("covers", []):
            expect(tnauthlist.covers(entries, number), f"{vector['id']} covers {number}")
        for number in vector.get("not_covers", []):
            expect(not tnauthlist.covers(entries, number), f"{vector['id']} covers {number}")


def _equal_entries(entries: list, vector: dict) -> None:
    found = [
        {"range": {"start": e.value, "count": e.count}} if e.kind == "range" else {e.kind: e.value}
        for e in entries
    ]
    wanted = [
        {k: v for k, v in e.items() if k in ("spc", "range", "one")} for e in vector["entries"]
    ]
    equal(found, wanted, vector["id"])


def odd_lists(path: Path) -> None:
    for vector in json.loads(path.read_text()):
        _equal_entries(tnauthlist.decode(bytes.fromhex(vector["der_hex"])), vector)


def bad_lists(path: Path) -> None:
    for vector in json.loads(path.read_text()):
        reason = refused(tnauthlist.decode, bytes.fromhex(vector["der_hex"]))
        equal(reason, "malformed_tn_auth_list", vector["id"])


def scopes() -> None:
    entry = tnauthlist.Entry
    block = [entry("range", "100", 50), entry("range", "150", 50)]
    expect(tnauthlist.encompasses(block, [entry("range", "140", 20)]), "across two ranges")
    expect(not tnauthlist.encompasses(block, [entry("range", "190", 11)]), "one too many")
    expect(not tnauthlist.covers(block, "0100"), "other number of digits")
    expect(not tnauthlist.covers([entry("spc", "100")], "100"), "a code is not a number")


def tokens(path: Path) -> None:
    for vector in json.loads(path.read_text()):
        try:
            token = jws.parse(vector["token"])
        except Refusal as refusal:
            raise AssertionError(f"{vector['id']}: {refusal}") from None
        measured = vector["measured"]
        if "public_key_pem" in vector:
            key = load_pem_public_key(vector["public_key_pem"].encode())
            equal(token.verifies_with(key), measured["signature_valid"], vector["id"])
        try:
            passport.Passport(token).check_form()
            clean = True
        except Refusal:
            clean = False
        equal(clean, not measured["strict_refusals"], f"{vector['id']} is strict")


def strict_json() -> None:
    equal(refused(encoding.parse_object, '{"a":1,"a":2}'), "duplicate_member", "duplicates")
    equal(refused(encoding.parse_object, '{"a":NaN}'), "malformed_json", "NaN")
    equal(refused(encoding.parse_object, "[" * 10000), "malformed_json", "nesting")
    equal(refused(encoding.parse_object, "[" * 9 + "]" * 9), "too_deep", "nesting")
    for text in ("A", "AB", "AA==", "A+AA", "AA A"):
        equal(refused(encoding.b64u_decode, text), "malformed_token", text)
    equal(encoding.canonical({"b": 1, "a": {"é": 2, "a": 3}}), '{"a":{"a":3,"é":2},"b":1}', "form")


def number_forms() -> None:
    for segment in ("12025550143", "+12025550143", "%2B1202.555-0143"):
        equal(numbers.number_from_path(segment), "12025550143", segment)
    for segment in ("", "+", "++1", "1 2", "1%202", "12a", "1" * 16, "%C3%A9"):
        equal(refused(numbers.number_from_path, segment), "malformed_number", segment)


def run(harness: Harness, folder: Path) -> None:
    for path in sorted((folder / "hpke").glob("rfc9180-base-*.json")):
        harness.case(f"vectors: {path.stem}", rfc9180, path)
    for kem in _KEMS:
        for aead in _AEADS:
            harness.case(f"vectors: hpke {kem}/{aead} as the library", against_library, kem, aead)
    for path in sorted((folder / "hpke").glob("project-blob-v1-*.json")):
        harness.case(f"vectors: {path.stem}", blob_v1, path)
    lists = folder / "stir-tnauthlist"
    harness.case("vectors: TNAuthList good", good_lists, lists / "good.json")
    harness.case("vectors: TNAuthList odd", odd_lists, lists / "odd.json")
    harness.case("vectors: TNAuthList bad", bad_lists, lists / "bad.json")
    harness.case("vectors: TNAuthList scopes", scopes)
    tokens_path = folder / "stir-rfc-passports" / "passports.json"
    harness.case("vectors: PASSporTs of the RFCs", tokens, tokens_path)
    harness.case("vectors: strict JSON and base64url", strict_json)
    harness.case("vectors: numbers", number_forms)

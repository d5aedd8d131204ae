#!/usr/bin/env python3
"""Writes scts.json beside this file.

Independent of the Rust code: standard library plus the Python package `cryptography` (tried with 48).
Everything is derived from fixed strings and signed deterministically, so a second run writes the same
octets. All keys are throw-away: never use them.
"""

import base64
import datetime
import hashlib
import json
import pathlib
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

HERE = pathlib.Path(__file__).parent
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NOT_BEFORE = 1_800_000_000
DAY = 86_400
AT = NOT_BEFORE + 10 * DAY
DET = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
TN_AUTH_LIST = ObjectIdentifier("1.3.6.1.5.5.7.1.26")
PRIVATE = ObjectIdentifier("1.3.6.1.4.1.32473.1")


def sha(octets):
    return hashlib.sha256(octets).digest()


def b64(octets):
    return base64.b64encode(octets).decode()


# ---------------------------------------------------------------- keys

def stream(label, bits):
    """A number of exactly `bits` bits, the lowest one set."""
    octets = b"".join(sha(f"RingTrue SCT vectors v1|{label}|{i}".encode()) for i in range(bits // 256))
    return int.from_bytes(octets, "big") | 1 << (bits - 1) | 1 << (bits - 2) | 1


def is_prime(n):
    if any(n % p == 0 for p in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for i in range(24):
        x = pow(int.from_bytes(sha(f"{n}|{i}".encode()), "big") + 2, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def rsa_key(label, bits):
    e, primes = 65537, []
    for name in ("p", "q"):
        n = stream(f"{label}|{name}", bits // 2)
        while not (is_prime(n) and (n - 1) % e):
            n += 2
        primes.append(n)
    p, q = primes
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def ec_key(label):
    secret = int.from_bytes(sha(f"RingTrue SCT vectors v1|{label}".encode()), "big") % (N - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


LOGS = {
    "ec": (ec_key("log ec"), "Operator A"),
    "rsa": (rsa_key("log rsa", 2048), "Operator B"),
    "ec-sibling": (ec_key("log ec sibling"), "Operator A"),
    "retired": (ec_key("log retired"), "Operator C"),
    "unknown": (ec_key("log unknown"), "Operator D"),
}
RETIRED_AT = NOT_BEFORE - DAY
ISSUER, OTHER_ISSUER, SIGNER = ec_key("issuer"), ec_key("other issuer"), ec_key("signer")


# ---------------------------------------------------------------- timestamps

def framed(octets):
    return struct.pack(">H", len(octets)) + octets


def sign(key, message):
    if isinstance(key, rsa.RSAPrivateKey):
        return b"\x04\x01" + framed(key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
    return b"\x04\x03" + framed(key.sign(message, DET))


def entry(tbs, issuer_spki, timestamp, extensions):
    return (struct.pack(">BBQH", 0, 0, timestamp, 1) + sha(issuer_spki)
            + struct.pack(">I", len(tbs))[1:] + tbs + framed(extensions))


def sct(log, tbs, timestamp, issuer=ISSUER, extensions=b"", signed_with=None, version=0, signed=None,
        algorithm=None, sent=None):
    """A timestamp. `signed` and `sent` replace the time that is signed or written."""
    key = LOGS[log][0]
    message = entry(tbs, spki(issuer), timestamp if signed is None else signed, extensions)
    signature = sign(LOGS[signed_with][0] if signed_with else key, message)
    if algorithm:
        signature = algorithm + signature[2:]
    return (bytes([version]) + sha(spki(key)) + struct.pack(">Q", timestamp if sent is None else sent)
            + framed(extensions) + signature)


def sct_list(*scts):
    return framed(b"".join(framed(one) for one in scts))


def octet_string(octets):
    n = len(octets)
    head = bytes([n]) if n < 128 else b"\x81" + bytes([n]) if n < 256 else b"\x82" + struct.pack(">H", n)
    return b"\x04" + head + octets


# ---------------------------------------------------------------- certificates

def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def time(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def certificate(value, place="last", minimal=False, padding_len=0):
    """A leaf. `value`: of the timestamp extension, or `None` for a certificate without it."""
    extensions = [(x509.UnrecognizedExtension(TN_AUTH_LIST, bytes.fromhex("300fa20d160b3132303235353530313433")),
                   False)]
    if not minimal:
        extensions += [
            (x509.BasicConstraints(False, None), True),
            (x509.KeyUsage(True, False, False, False, False, False, False, False, False), True),
            (x509.SubjectKeyIdentifier.from_public_key(SIGNER.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(ISSUER.public_key()), False),
        ]
    if padding_len:
        extensions.append((x509.UnrecognizedExtension(PRIVATE, bytes(padding_len)), False))
    if value is not None:
        own = (x509.UnrecognizedExtension(SCT_LIST, value), False)
        extensions.insert({"first": 0, "middle": 2, "last": len(extensions)}[place], own)
    builder = (x509.CertificateBuilder().subject_name(name("signer")).issuer_name(name("issuer"))
               .public_key(SIGNER.public_key()).serial_number(0x1234567890ABCDEF)
               .not_valid_before(time(NOT_BEFORE)).not_valid_after(time(NOT_BEFORE + 90 * DAY)))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(ISSUER, hashes.SHA256(), ecdsa_deterministic=True)


def ca(key, text):
    return (x509.CertificateBuilder().subject_name(name(text)).issuer_name(name(text))
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(time(NOT_BEFORE - DAY)).not_valid_after(time(NOT_BEFORE + 900 * DAY))
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(key, hashes.SHA256(), ecdsa_deterministic=True))


ISSUERS = {"issuer": ca(ISSUER, "issuer"), "other-issuer": ca(OTHER_ISSUER, "issuer")}
MS = (NOT_BEFORE - 5) * 1000 + 123
RECORDS = []


def record(label, scts, valid, operators, warnings=(), fault=None, issuer="issuer", at=AT, value=None, raw=False,
           need=(1, 1), checked=True, **shape):
    """`scts` makes the timestamps out of the TBSCertificate that the log sees."""
    tbs = certificate(None, **{k: v for k, v in shape.items() if k != "place"}).tbs_certificate_bytes
    if value is None and scts is not None:
        value = sct_list(*scts(tbs))
        value = value if raw else octet_string(value)
    leaf = certificate(value, **shape)
    if checked:
        # What another implementation makes of it.
        assert leaf.tbs_precertificate_bytes == tbs, label
        found = leaf.extensions.get_extension_for_oid(SCT_LIST).value
        assert [one.log_id for one in found] == [one[1:33] for one in scts(tbs)], label
        known = {sha(spki(key)): key.public_key() for key, _ in LOGS.values()}
        good = 0
        for one in found:
            key, extensions = known[one.log_id], one.extension_bytes
            stamp = round(one.timestamp.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
            message = entry(leaf.tbs_precertificate_bytes, spki_of(ISSUERS[issuer]), stamp, extensions)
            try:
                if isinstance(key, rsa.RSAPublicKey):
                    key.verify(one.signature, message, padding.PKCS1v15(), hashes.SHA256())
                else:
                    key.verify(one.signature, message, ec.ECDSA(hashes.SHA256()))
                good += 1
            except Exception:  # noqa: BLE001 - whatever is wrong with it
                pass
        assert good >= valid, label
        assert fault != "sct_invalid" or good == (label == "from-the-future"), label
    RECORDS.append({
        "label": label, "certificate": b64(leaf.public_bytes(serialization.Encoding.DER)), "issuer": issuer,
        "at": at, "min_valid": need[0], "min_distinct_operators": need[1], "valid_logs": valid,
        "valid_operators": operators, "fault": fault, "warnings": sorted(warnings),
        "needs_rsa": scts is not None and sha(spki(LOGS["rsa"][0])) in (value or b""),
    })


def spki_of(issuer):
    return issuer.public_key().public_bytes(serialization.Encoding.DER,
                                            serialization.PublicFormat.SubjectPublicKeyInfo)


def main():
    one = lambda log, **how: lambda tbs: [sct(log, tbs, MS, **how)]
    unknown, invalid, missing = "sct_unknown_log", "sct_invalid", "sct_missing"
    malformed = "malformed_sct_list"
    # Right ones.
    record("ec", one("ec"), 1, 1)
    record("rsa", one("rsa"), 1, 1)
    record("extension-first", one("ec"), 1, 1, place="first")
    record("extension-in-the-middle", one("ec"), 1, 1, place="middle")
    assert len(certificate(None, minimal=True).tbs_certificate_bytes) < 256
    record("lengths-lose-an-octet", one("ec"), 1, 1, minimal=True)
    record("lengths-stay", one("ec"), 1, 1, padding_len=300)
    record("list-with-two-length-octets", lambda t: [sct("ec", t, MS), sct("rsa", t, MS)], 2, 2)
    record("two-operators", lambda t: [sct("ec", t, MS), sct("rsa", t, MS + 7)], 2, 2, need=(2, 2))
    record("timestamp-extensions", one("ec", extensions=b"\x00\x01\x02"), 1, 1)
    record("at-the-allowed-skew", lambda t: [sct("ec", t, (AT + 60) * 1000)], 1, 1, ["sct_late"])
    record("a-day-after-the-start", lambda t: [sct("ec", t, (NOT_BEFORE + DAY) * 1000)], 1, 1)
    record("retired-log-in-time", lambda t: [sct("retired", t, RETIRED_AT * 1000 + 999)], 1, 1)
    # Right, with something to report.
    record("late", lambda t: [sct("ec", t, (NOT_BEFORE + DAY) * 1000 + 1)], 1, 1, ["sct_late"])
    record("unknown-log-beside", lambda t: [sct("unknown", t, MS), sct("ec", t, MS)], 1, 1, [unknown])
    record("other-version-beside", lambda t: [sct("ec", t, MS, version=1), sct("ec", t, MS)], 1, 1, [unknown],
           checked=False)
    record("invalid-beside", lambda t: [sct("ec-sibling", t, MS, signed=MS + 1), sct("ec", t, MS)], 1, 1,
           [invalid])
    # Too few.
    record("no-extension", None, 0, 0, fault=missing, checked=False)
    record("unknown-log", one("unknown"), 0, 0, [unknown], missing)
    record("retired-log", lambda t: [sct("retired", t, (RETIRED_AT + 1) * 1000)], 0, 0, [unknown], missing)
    record("other-version", one("ec", version=1), 0, 0, [unknown], missing, checked=False)
    record("one-of-two", one("ec"), 1, 1, fault=missing, need=(2, 1))
    record("one-log-twice", lambda t: [sct("ec", t, MS), sct("ec", t, MS + 1)], 1, 1, fault=missing, need=(2, 1))
    record("one-operator-of-two", lambda t: [sct("ec", t, MS), sct("ec-sibling", t, MS)], 2, 1, fault=missing,
           need=(2, 2))
    # Wrong ones.
    record("another-key-under-the-log-id", one("ec", signed_with="ec-sibling"), 0, 0, fault=invalid)
    record("another-time-signed", one("ec", signed=MS + 1), 0, 0, fault=invalid)
    record("rsa-another-time-signed", one("rsa", signed=MS + 1), 0, 0, fault=invalid)
    record("issuer-with-another-key", one("ec"), 0, 0, fault=invalid, issuer="other-issuer")
    record("signed-for-another-issuer", one("ec", issuer=OTHER_ISSUER), 0, 0, fault=invalid)
    record("another-certificate-signed", lambda t: [sct("ec", t[:-1] + b"4", MS)], 0, 0, fault=invalid)
    record("from-the-future", lambda t: [sct("ec", t, (AT + 60) * 1000 + 1)], 0, 0, fault=invalid)
    record("named-rsa-by-an-ec-log", one("ec", algorithm=b"\x04\x01"), 0, 0, fault=invalid, checked=False)
    record("named-sha384", one("ec", algorithm=b"\x05\x03"), 0, 0, fault=invalid, checked=False)
    record("named-ec-by-an-rsa-log", one("rsa", algorithm=b"\x04\x03"), 0, 0, fault=invalid, checked=False)
    record("signature-of-nothing", lambda t: [sct("ec", t, MS)[:43] + b"\x04\x03\x00\x00"], 0, 0,
           fault=invalid, checked=False)
    record("poison-left-in", lambda t: [sct("ec", poisoned(), MS)], 0, 0, fault=invalid)
    # Lists that are none.
    tbs = certificate(None).tbs_certificate_bytes
    right = sct("ec", tbs, MS)
    for label, value in [
        ("empty-list", octet_string(framed(b""))),
        ("empty-timestamp", octet_string(framed(framed(b"")))),
        ("no-octet-string", framed(framed(right))),
        ("octet-behind-the-octet-string", octet_string(sct_list(right)) + b"\x00"),
        ("octet-behind-the-list", octet_string(sct_list(right) + b"\x00")),
        ("octet-behind-a-timestamp", octet_string(sct_list(right + b"\x00"))),
        ("list-shorter-than-said", octet_string(sct_list(right)[:-1])),
        ("timestamp-cut", octet_string(sct_list(right[:-1]))),
        ("timestamp-of-its-version-only", octet_string(sct_list(b"\x00"))),
        ("log-id-cut", octet_string(sct_list(right[:32]))),
        ("seventeen-timestamps", octet_string(sct_list(*[right] * 17))),
        ("longer-than-8-kib", octet_string(sct_list(*[sct("ec", tbs, MS, extensions=bytes(900))] * 9))),
        ("nothing", b""),
        ("null", b"\x05\x00"),
    ]:
        record(label, lambda t: [], 0, 0, fault=malformed, value=value, checked=False)
    document = {
        "note": "Signed certificate timestamps; see README.md",
        "logs": [{"label": label, "spki": b64(spki(key)), "operator": operator,
                  "retired_at": RETIRED_AT if label == "retired" else None}
                 for label, (key, operator) in LOGS.items() if label != "unknown"],
        "issuers": {label: b64(one.public_bytes(serialization.Encoding.DER)) for label, one in ISSUERS.items()},
        "records": RECORDS,
    }
    text = json.dumps(document, indent=1) + "\n"
    (HERE / "scts.json").write_text(text)
    print(len(RECORDS), "records", len(text), "octets")


def poisoned():
    """The TBSCertificate as submitted: a log signs it without the poison extension."""
    builder = x509.CertificateBuilder().subject_name(name("signer")).issuer_name(name("issuer"))
    builder = (builder.public_key(SIGNER.public_key()).serial_number(0x1234567890ABCDEF)
               .not_valid_before(time(NOT_BEFORE)).not_valid_after(time(NOT_BEFORE + 90 * DAY)))
    plain = certificate(None)
    for extension in plain.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    builder = builder.add_extension(x509.PrecertPoison(), True)
    return builder.sign(ISSUER, hashes.SHA256(), ecdsa_deterministic=True).tbs_certificate_bytes


main()

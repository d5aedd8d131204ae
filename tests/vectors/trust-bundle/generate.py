#!/usr/bin/env python3
"""Writes bundles.json beside this file.

Independent of the Rust code: standard library plus the Python package `cryptography` (tried with 48).
Everything is derived from fixed strings and signed deterministically, so a second run writes the same
octets. All keys are throw-away: never use them.
"""

import base64
import copy
import datetime
import hashlib
import json
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NOW, DAY = 1_800_000_000, 86_400
DET = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


def secret(label):
    digest = hashlib.sha256(f"RingTrue trust bundle vectors v1|{label}".encode()).digest()
    return int.from_bytes(digest, "big") % (N - 1) + 1


def key(label):
    return ec.derive_private_key(secret(label), ec.SECP256R1())


def spki(one):
    return one.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def b64(octets):
    return base64.b64encode(octets).decode()


def b64u(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def certificate(label, is_ca=True):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
    time = lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    built = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key(label).public_key())
             .serial_number(secret(label) >> 160).not_valid_before(time(NOW - DAY))
             .not_valid_after(time(NOW + 3650 * DAY)).add_extension(x509.BasicConstraints(is_ca, None), True)
             .sign(key(label), hashes.SHA256(), ecdsa_deterministic=True))
    return b64(built.public_bytes(serialization.Encoding.DER))


def sign(payload, label="bundle key", typ="ringtrue-bundle+jwt", alg="ES256"):
    canon = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text = b64u(canon({"alg": alg, "typ": typ})) + "." + b64u(payload if isinstance(payload, bytes) else canon(payload))
    r, s = utils.decode_dss_signature(key(label).sign(text.encode(), DET))
    return text + "." + b64u(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


FULL = {
    "version": 7, "iat": NOW, "exp": NOW + 30 * DAY,
    "anchors": [certificate("root one"), certificate("root two")],
    "crl_issuers": [{"certificate": certificate("administrator", False),
                     "urls": ["https://crl.example/lists/stir.crl", "https://crl.example:8443/stir.crl"]}],
    "logs": [
        {"key": b64(spki(key("log one"))), "operator": "Operator A", "since": 0, "state": "usable"},
        {"key": b64(spki(key("log two"))), "operator": "Operator B", "since": NOW - DAY, "state": "retired",
         "until": NOW},
        {"key": b64(spki(key("log three"))), "operator": "Operator B", "since": 0, "state": "rejected"},
    ],
    "sct": {"mode": "require", "min_valid": 2, "min_distinct_operators": 1},
    "spc": ["709J", "123x"], "profile": "shaken", "rsa_ca_links": True,
}
LEAST = {
    "version": 0, "iat": NOW, "exp": NOW + 1, "anchors": FULL["anchors"][:1], "crl_issuers": [], "logs": [],
    "sct": {"mode": "warn", "min_valid": 1, "min_distinct_operators": 1}, "spc": "none", "profile": "stir",
    "rsa_ca_links": False,
}
MALFORMED = "malformed_trust_bundle"


def changed(path, value):
    """A full payload with one member replaced, or without it for `None`."""
    payload = copy.deepcopy(FULL)
    at = payload
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return payload


def main():
    good = [{"label": label, "text": sign(payload), "is_canonical": canonical, "payload": payload}
            for label, payload, canonical in [
                ("full", FULL, True), ("least", LEAST, True),
                ("any-code", changed(["spc"], "any"), True),
                ("no-code-listed", changed(["spc"], []), True),
                ("longest-life", changed(["exp"], NOW + 400 * DAY), True),
                ("unknown-member", changed(["later"], {"x": 1}), False),
            ]]
    bad = [("another-key", sign(FULL, "another key"), "bundle_untrusted"),
           ("type-of-a-passport", sign(FULL, typ="passport"), MALFORMED),
           ("algorithm-none", sign(FULL, alg="none"), MALFORMED),
           ("algorithm-of-another-curve", sign(FULL, alg="ES384"), MALFORMED),
           ("no-json", sign(b"bundle"), MALFORMED),
           ("member-twice", sign(b'{"version":8,"version":7}'), MALFORMED),
           ("an-array", sign([FULL]), MALFORMED),
           ("signature-cut", sign(FULL)[:-2], MALFORMED),
           ("two-parts", sign(FULL).rsplit(".", 1)[0], MALFORMED),
           ("payload-changed", ".".join([sign(FULL).split(".")[0], *sign(LEAST).split(".")[1:2],
                                         sign(FULL).split(".")[2]]), "bundle_untrusted"),
           ("expired", sign({**LEAST, "iat": NOW - 1, "exp": NOW}), "bundle_expired"),
           ("from-the-future", sign({**LEAST, "iat": NOW + 61, "exp": NOW + 70}), "iat_in_future")]
    for member in FULL:
        bad.append((f"without-{member}", sign(changed([member], None)), MALFORMED))
    one = FULL["anchors"][0]
    for label, path, value in [
        ("version-negative", ["version"], -1), ("version-fraction", ["version"], 7.5),
        ("version-text", ["version"], "7"), ("version-too-large", ["version"], 1 << 64),
        ("life-of-nothing", ["exp"], NOW), ("life-backwards", ["exp"], NOW - 1),
        ("life-too-long", ["exp"], NOW + 400 * DAY + 1), ("iat-text", ["iat"], str(NOW)),
        ("no-anchor", ["anchors"], []), ("anchor-of-no-certificate", ["anchors", 0], b64(b"certificate")),
        ("anchor-not-base64", ["anchors", 0], "*" + one[1:]), ("anchor-base64url", ["anchors", 0], b64u(b"\xff\xfe\xfd")),
        ("anchor-not-a-ca", ["anchors", 0], certificate("administrator", False)),
        ("anchor-number", ["anchors", 0], 1), ("anchors-text", ["anchors"], one),
        ("anchors-too-many", ["anchors"], [one] * 65),
        ("crl-issuers-too-many", ["crl_issuers"], FULL["crl_issuers"] * 9),
        ("crl-issuer-without-certificate", ["crl_issuers", 0, "certificate"], None),
        ("crl-issuer-without-urls", ["crl_issuers", 0, "urls"], None),
        ("crl-url-in-clear", ["crl_issuers", 0, "urls", 0], "http://crl.example/stir.crl"),
        ("crl-url-with-query", ["crl_issuers", 0, "urls", 0], "https://crl.example/stir.crl?x=1"),
        ("crl-url-on-another-port", ["crl_issuers", 0, "urls", 0], "https://crl.example:25/stir.crl"),
        ("crl-urls-too-many", ["crl_issuers", 0, "urls"], ["https://crl.example/a"] * 9),
        ("log-without-key", ["logs", 0, "key"], None), ("log-without-operator", ["logs", 0, "operator"], None),
        ("log-without-since", ["logs", 0, "since"], None), ("log-without-state", ["logs", 0, "state"], None),
        ("log-operator-empty", ["logs", 0, "operator"], ""), ("log-state-unknown", ["logs", 0, "state"], "qualified"),
        ("log-usable-until", ["logs", 0, "until"], NOW), ("log-retired-without-until", ["logs", 1, "until"], None),
        ("log-key-cut", ["logs", 0, "key"], b64(spki(key("log one"))[:-1])),
        ("log-twice", ["logs", 2], FULL["logs"][0]), ("logs-too-many", ["logs"], FULL["logs"][:1] * 65),
        ("sct-mode-unknown", ["sct", "mode"], "Require"), ("sct-without-mode", ["sct", "mode"], None),
        ("sct-minimum-zero", ["sct", "min_valid"], 0), ("sct-minimum-unreachable", ["sct", "min_valid"], 17),
        ("sct-operators-zero", ["sct", "min_distinct_operators"], 0),
        ("spc-unknown-word", ["spc"], "all"), ("spc-number", ["spc"], 709), ("spc-empty-code", ["spc", 0], ""),
        ("spc-code-with-a-space", ["spc", 0], "70 9J"), ("spc-code-too-long", ["spc", 0], "7" * 65),
        ("spc-too-many", ["spc"], ["709J"] * 65), ("profile-unknown", ["profile"], "SHAKEN"),
        ("rsa-number", ["rsa_ca_links"], 1),
    ]:
        bad.append((label, sign(changed(path, value)), MALFORMED))
    document = {
        "note": "Trust bundles; see README.md", "now": NOW, "secret": secret("bundle key").to_bytes(32, "big").hex(),
        "key": b64(spki(key("bundle key"))), "other_key": b64(spki(key("other configured key"))), "good": good,
        "bad": [{"label": label, "text": text, "reason": reason} for label, text, reason in bad],
    }
    text = json.dumps(document, indent=1) + "\n"
    (HERE / "bundles.json").write_text(text)
    print(len(good), "good", len(bad), "bad", len(text), "octets")


main()

#!/usr/bin/env python3
"""Writes the protocol vectors beside this file.

Independent of the Rust code: standard library plus the Python package `cryptography` (tried with 48).
Everything is derived from fixed strings and signed with deterministic ECDSA (RFC 6979), so a second
run writes the same octets. All keys are throw-away: never use them.
"""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.x509.oid import NameOID, ObjectIdentifier

HERE = pathlib.Path(__file__).parent
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NOW = 1800000000
DAY = 86400
CALLER, CALLEE = "12025550143", "12025550199"
CPS_CALLER, CPS_CALLEE = "https://cps.example.net", "https://cps.example.com/oob"
DET = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


# ---------------------------------------------------------------- small helpers

def b64u(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def sha(octets):
    return hashlib.sha256(octets).digest()


def seed(label):
    return sha(b"RingTrue protocol vectors v1|" + label.encode())


def canon(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write(name, note, **members):
    text = json.dumps({"note": note, **members}, indent=1, ensure_ascii=False) + "\n"
    (HERE / name).write_text(text)
    print(name, len(text))


# ---------------------------------------------------------------- keys

class P256:
    suite = "S1"

    def __init__(self, label):
        self.label = label
        self.private = ec.derive_private_key(int.from_bytes(seed(label), "big") % (N - 1) + 1,
                                             ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.spki = self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def secret(self):
        return self.private.private_numbers().private_value.to_bytes(32, "big")

    def dh(self, peer):
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), peer)
        return self.private.exchange(ec.ECDH(), point)

    def sign_raw(self, message):
        r, s = utils.decode_dss_signature(self.private.sign(message, DET))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def record(self):
        return {"label": self.label, "curve": "P-256", "secret": self.secret().hex(),
                "public": self.public.hex(), "spki_sha256": sha(self.spki).hex()}


class X25519:
    suite = "S2"

    def __init__(self, label):
        self.label = label
        self.private = x25519.X25519PrivateKey.from_private_bytes(seed(label))
        self.public = self.private.public_key().public_bytes_raw()

    def secret(self):
        return self.private.private_bytes_raw()

    def dh(self, peer):
        return self.private.exchange(x25519.X25519PublicKey.from_public_bytes(peer))

    def record(self):
        return {"label": self.label, "curve": "X25519", "secret": self.secret().hex(),
                "public": self.public.hex()}


def kid(key):
    return b64u(sha(key.suite.encode() + key.public)[:8])


# ---------------------------------------------------------------- TNAuthList, certificates

def der(tag, body):
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else \
        bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + head + body


def tn_auth_list(entries):
    body = b""
    for entry in entries:
        if "spc" in entry:
            body += der(0xA0, der(0x16, entry["spc"].encode()))
        elif "one" in entry:
            body += der(0xA2, der(0x16, entry["one"].encode()))
        else:
            start, count = entry["range"]["start"], entry["range"]["count"]
            number = count.to_bytes((count.bit_length() // 8) + 1, "big")
            body += der(0xA1, der(0x30, der(0x16, start.encode()) + der(0x02, number)))
    return der(0x30, body)


TN_OID = ObjectIdentifier("1.3.6.1.5.5.7.1.26")


class Certificate:
    def __init__(self, label, key, issuer=None, entries=None, ca=False, before=NOW - DAY,
                 after=NOW + 30 * DAY):
        self.label, self.key, self.entries, self.ca = label, key, entries, ca
        self.before, self.after = before, after
        self.issuer = issuer or self
        name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                          x509.NameAttribute(NameOID.ORGANIZATION_NAME, "RingTrue vectors"),
                          x509.NameAttribute(NameOID.COMMON_NAME, label)])
        self.name = name
        public = key.private.public_key()
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(self.issuer.name)
                   .public_key(public)
                   .serial_number(int.from_bytes(seed("serial " + label)[:16], "big") >> 1)
                   .not_valid_before(datetime.datetime.fromtimestamp(before, datetime.UTC))
                   .not_valid_after(datetime.datetime.fromtimestamp(after, datetime.UTC))
                   .add_extension(x509.BasicConstraints(ca, None), True)
                   .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False,
                                                False), True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self.issuer.key.private.public_key()), False))
        if entries is not None:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(TN_OID, tn_auth_list(entries)), False)
        built = builder.sign(self.issuer.key.private, hashes.SHA256(), ecdsa_deterministic=True)
        self.der = built.public_bytes(serialization.Encoding.DER)

    def b64(self):
        return base64.b64encode(self.der).decode()

    def bag(self):
        """Leaf first, then upward, without the root."""
        bag, at = [], self
        while at.issuer is not at:
            bag.append(at.b64())
            at = at.issuer
        return bag or [self.b64()]

    def record(self):
        return {"label": self.label, "issuer": self.issuer.label, "der": self.b64(),
                "sha256": sha(self.der).hex(), "key": self.key.label,
                "spki_sha256": sha(self.key.spki).hex(), "not_before": self.before,
                "not_after": self.after, "ca": self.ca, "tn_auth_list": self.entries,
                "tn_auth_list_der": None if self.entries is None
                else tn_auth_list(self.entries).hex()}


block = [{"range": {"start": "12025550100", "count": 100}}]
root = Certificate("root", P256("root"), ca=True, before=NOW - 365 * DAY, after=NOW + 3650 * DAY)
other_root = Certificate("other-root", P256("other-root"), ca=True, before=NOW - 365 * DAY,
                         after=NOW + 3650 * DAY)
year = {"before": NOW - 30 * DAY, "after": NOW + 365 * DAY}
issuing = Certificate("issuing", P256("issuing"), root, block, True, **year)
issuing_open = Certificate("issuing-open", P256("issuing-open"), root, None, True, **year)
issuing_spc = Certificate("issuing-spc", P256("issuing-spc"), root, [{"spc": "9876"}], True, **year)
issuing_other = Certificate("issuing-other", P256("issuing-other"), other_root, block, True, **year)
caller_key, callee_key = P256("caller signing"), P256("callee signing")
spare_key = P256("spare signing")
caller = Certificate("caller", caller_key, issuing, [{"one": CALLER}])
callee = Certificate("callee", callee_key, issuing, [{"one": CALLEE}])
CERTS = [root, other_root, issuing, issuing_open, issuing_spc, issuing_other, caller, callee]


def defect(label, issuer=issuing, entries=({"one": CALLER},), **more):
    made = Certificate(label, spare_key, issuer, None if entries is None else list(entries), **more)
    CERTS.append(made)
    return made


leaf_other_number = defect("other-number", entries=[{"one": "12025550144"}])
leaf_outside = defect("outside-issuer", entries=[{"range": {"start": "12025550140", "count": 100}}])
leaf_expired = defect("expired", before=NOW - 10 * DAY, after=NOW - 60)
leaf_future = defect("not-yet-valid", before=NOW + 600, after=NOW + DAY)
leaf_young = defect("valid-since-20-s", before=NOW - 20)
leaf_foreign = defect("foreign", issuing_other)
leaf_spc = defect("spc", entries=[{"spc": "9876"}])
leaf_spc_parent = defect("under-spc", issuing_spc)
leaf_none = defect("no-list", entries=None)
leaf_open = defect("under-open", issuing_open)
leaf_range = defect("range", entries=[{"range": {"start": "12025550140", "count": 10}}])
leaf_self = Certificate("self-signed", spare_key, None, [{"one": CALLER}])
CERTS.append(leaf_self)


# ---------------------------------------------------------------- tokens

def jws(header_text, payload_text, key):
    signing_input = b64u(header_text.encode()) + "." + b64u(payload_text.encode())
    return signing_input + "." + b64u(key.sign_raw(signing_input.encode()))


def header(ppt=None, who="caller", **more):
    members = {"alg": "ES256", "typ": "passport", "x5u": f"https://cert.example.org/{who}.pem"}
    if ppt:
        members["ppt"] = ppt
    members.update(more)
    return {name: value for name, value in members.items() if value is not None}


def claims(**more):
    members = {"dest": {"tn": [CALLEE]}, "iat": NOW, "orig": {"tn": CALLER}}
    members.update(more)
    return {name: value for name, value in members.items() if value is not None}


PASSPORTS = []


def passport(name, reasons=(), head=None, body=None, head_text=None, body_text=None,
             by=caller, token=None, profile="delegate", note=None, bag=None, ppt="base"):
    head_text = head_text or canon(head if head is not None else header())
    body_text = body_text or canon(body if body is not None else claims())
    token = token or jws(head_text, body_text, by.key)
    record = {"id": name, "token": token, "header_text": head_text, "payload_text": body_text,
              "x5c": by.bag() if bag is None else bag, "anchor": "root", "profile": profile,
              "now": NOW, "from": CALLER, "to": CALLEE, "ppt": ppt,
              "accept": not reasons, "reasons": list(reasons)}
    if note:
        record["what"] = note
    PASSPORTS.append(record)
    return token


plain = passport("base")
shaken = passport("shaken", head=header("shaken"), ppt="shaken", body=claims(
    attest="A", origid="4437c7eb-8f7a-4f0e-a863-f53a0e60251a"))
rsp = passport("rsp", head=header("rsp", "callee"), body=claims(iat=NOW + 4), by=callee, ppt="rsp",
               note="signed by the called party, over the orig and dest of the call")
rsp_answered = passport("rsp-answered", head=header("rsp", "callee"), body=claims(iat=NOW + 9),
                        by=callee, ppt="rsp", note="each state report carries its own rsp")
passport("several-dest", body=claims(dest={"tn": ["12025550101", CALLEE]}))
passport("unknown-claim", body=claims(zzz={"b": [1, "x"], "a": None}),
         body_text=canon(claims(zzz={"a": None, "b": [1, "x"]})),
         note="a claim that is not known is ignored")
passport("iat-60-s-back", body=claims(iat=NOW - 60))
passport("iat-10-s-ahead", body=claims(iat=NOW + 10))
passport("covered-by-range", by=leaf_range)
passport("delegate-under-open-issuer-profile-stir", by=leaf_open, profile="stir")
head_part, body_part, sig_part = plain.split(".")
raw = base64.urlsafe_b64decode(sig_part + "==")
r, s = raw[:32], raw[32:]
twin = r + (N - int.from_bytes(s, "big")).to_bytes(32, "big")
passport("malleable-twin", token=f"{head_part}.{body_part}.{b64u(twin)}",
         note="r and n-s: also a good signature, and the same PASSporT to a replay cache")
# form
passport("two-parts", ["malformed_token"], token=f"{head_part}.{body_part}")
passport("compact-form", ["compact_form_not_allowed"], token=f"..{sig_part}",
         note="only the full form travels out of band")
passport("padded", ["malformed_token"], token=f"{head_part}.{body_part}.{sig_part}==")
passport("standard-alphabet", ["malformed_token"],
         token=f"{head_part}.{body_part[:-1]}+.{sig_part}")
spare_bits = sig_part[:-1] + chr(ord(sig_part[-1]) + 1)
passport("unused-bits-set", ["malformed_token"], token=f"{head_part}.{body_part}.{spare_bits}")
dss = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
passport("der-signature", ["malformed_signature"], token=f"{head_part}.{body_part}.{b64u(dss)}")
passport("r-is-zero", ["malformed_signature"],
         token=f"{head_part}.{body_part}.{b64u(bytes(32) + s)}")
passport("s-is-n", ["malformed_signature"],
         token=f"{head_part}.{body_part}.{b64u(r + N.to_bytes(32, 'big'))}")
passport("alg-none", ["algorithm_not_allowed"], head=header(alg="none"))
passport("alg-es384", ["algorithm_not_allowed"], head=header(alg="ES384"))
passport("typ-jwt", ["type_mismatch"], head=header(typ="JWT"))
passport("typ-of-a-key-statement", ["type_mismatch"], head=header(typ="stir-eks+jwt"))
passport("x5u-missing", ["x5u_missing"], head=header(x5u=None))
passport("x5u-not-https", ["malformed_url"], head=header(x5u="http://cert.example.org/caller.pem"))
passport("iat-as-string", ["iat_not_number"], body=claims(iat=str(NOW)))
passport("iat-with-fraction", ["iat_not_number"], body=claims(iat=NOW + 0.5))
passport("iat-missing", ["iat_missing"], body=claims(iat=None))
passport("orig-as-array", ["malformed_orig"], body=claims(orig=[{"tn": CALLER}]))
passport("orig-tn-as-array", ["malformed_orig"], body=claims(orig={"tn": [CALLER]}))
passport("orig-tn-and-uri", ["malformed_orig"],
         body=claims(orig={"tn": CALLER, "uri": "sip:a@example.org"}))
passport("dest-bare-string", ["malformed_dest"], body=claims(dest={"tn": CALLEE}))
passport("dest-empty", ["malformed_dest"], body=claims(dest={}))
passport("dest-missing", ["dest_missing"], body=claims(dest=None))
passport("plus-in-orig", ["malformed_number"],
         body=claims(orig={"tn": "+" + CALLER}))
passport("payload-is-array", ["malformed_json"], body_text="[]")
passport("payload-is-no-json", ["malformed_json"], body_text='{"dest":')
passport("duplicate-member", ["duplicate_member"],
         body_text=f'{{"dest":{{"tn":["{CALLEE}"]}},"iat":{NOW},"iat":{NOW},'
                   f'"orig":{{"tn":"{CALLER}"}}}}')
passport("members-out-of-order", ["not_canonical"],
         body_text=f'{{"orig":{{"tn":"{CALLER}"}},"dest":{{"tn":["{CALLEE}"]}},"iat":{NOW}}}',
         note="the signature holds")
passport("white-space", ["not_canonical"], body_text=canon(claims()).replace(":", ": "),
         note="the signature holds")
passport("line-feed-after-header", ["not_canonical"], head_text=canon(header()) + "\n",
         note="the signature holds")
passport("shaken-attest-d", ["attest_not_allowed"], head=header("shaken"), ppt="shaken",
         body=claims(attest="D", origid="4437c7eb-8f7a-4f0e-a863-f53a0e60251a"))
passport("shaken-origid-no-uuid", ["malformed_origid"], head=header("shaken"), ppt="shaken",
         body=claims(attest="A", origid="ref"))
passport("shaken-without-attest", ["attest_not_allowed"], head=header("shaken"), ppt="shaken",
         body=claims(origid="4437c7eb-8f7a-4f0e-a863-f53a0e60251a"))
passport("ppt-unsupported", ["ppt_unsupported"], head=header("example"), ppt="example")
# time
passport("iat-61-s-back", ["iat_stale"], body=claims(iat=NOW - 61))
passport("iat-11-s-ahead", ["iat_in_future"], body=claims(iat=NOW + 11))
passport("iat-before-certificate", ["iat_outside_certificate"], body=claims(iat=NOW - 30),
         by=leaf_young)
# number
passport("dest-is-another-number", ["dest_mismatch"], body=claims(dest={"tn": ["12025550101"]}))
passport("orig-is-another-number", ["orig_mismatch"], body=claims(orig={"tn": "12025550142"}),
         by=leaf_range, note="for a ringing call this token names another caller: no_record")
# signature and authority
flipped = bytes([raw[0] ^ 1]) + raw[1:]
passport("signature-bit-flipped", ["signature_invalid"],
         token=f"{head_part}.{body_part}.{b64u(flipped)}")
passport("payload-exchanged", ["signature_invalid"], token=f"{head_part}."
         f"{b64u(canon(claims(iat=NOW + 1)).encode())}.{sig_part}",
         body_text=canon(claims(iat=NOW + 1)))
passport("signed-by-another-key", ["signature_invalid"],
         token=jws(canon(header()), canon(claims()), spare_key))
passport("no-certificate", ["credential_unavailable"], bag=[])
passport("certificate-for-another-number", ["number_not_covered"], by=leaf_other_number)
passport("delegate-outside-its-issuer", ["scope_not_encompassed"], by=leaf_outside)
passport("certificate-expired", ["certificate_expired"], by=leaf_expired,
         body=claims(iat=NOW - 5))
passport("certificate-not-yet-valid", ["certificate_not_yet_valid"], by=leaf_future)
passport("another-anchor", ["chain_incomplete"], by=leaf_foreign)
passport("self-signed", ["no_path_to_anchor"], by=leaf_self)
passport("issuer-left-out-of-the-bag", ["chain_incomplete"], bag=[caller.b64()])
spc_shaken = defect("spc-under-open", issuing_open, entries=[{"spc": "9876"}])
passport("authority-by-spc", ["authority_by_spc"], by=spc_shaken, profile="shaken")
passport("number-under-spc-issuer", ["encompass_unknown"], by=leaf_spc_parent)
passport("delegate-under-open-issuer", ["encompass_unknown"], by=leaf_open)
passport("no-tn-auth-list", ["tn_auth_list_missing"], by=leaf_none)
passport("signed-by-a-ca", ["signer_is_ca", "credential_unavailable", "signature_invalid"],
         by=issuing)

# ---------------------------------------------------------------- key statements

caller_s1, callee_s1, callee_s2 = P256("caller S1"), P256("callee S1"), X25519("callee S2")


def key_entry(key):
    return {"suite": key.suite, "pub": b64u(key.public), "kid": kid(key)}


def statement_claims(number, keys, cps, **more):
    members = {"iat": NOW - 3600, "exp": NOW - 3600 + DAY, "seq": 1, "sub": {"tn": [number]},
               "cps": [cps], "keys": [key_entry(key) for key in keys]}
    members.update(more)
    return {name: value for name, value in members.items() if value is not None}


def statement(payload_text, cert, inline=False, typ="stir-eks+jwt", both=False, alg="ES256",
              key=None, **more):
    head = {"alg": alg, "typ": typ}
    if inline or both:
        head["x5u"] = f"https://cert.example.org/{cert.label}.pem"
    if not inline:
        head["x5c"] = cert.bag()
    head.update(more)
    return jws(canon(head), payload_text, key or cert.key)


def statement_record(name, number, cert, payload_text):
    payload = json.loads(payload_text)
    return {"id": name, "number": number, "now": NOW, "anchor": "root", "profile": "delegate",
            "payload_text": payload_text, "digest": b64u(sha(payload_text.encode())),
            "directory_form": statement(payload_text, cert),
            "inline_form": statement(payload_text, cert, inline=True),
            "x5c": cert.bag(), "signer_spki_sha256": sha(cert.key.spki).hex(),
            "kids": [entry["kid"] for entry in payload["keys"]]}


caller_text = canon(statement_claims(CALLER, [caller_s1], CPS_CALLER))
callee_text = canon(statement_claims(CALLEE, [callee_s1, callee_s2], CPS_CALLEE, seq=7))
next_text = canon(statement_claims(CALLEE, [callee_s1], CPS_CALLEE, seq=8, iat=NOW - 60,
                                   exp=NOW - 60 + DAY,
                                   prev=b64u(sha(callee_text.encode()))))
GOOD_STATEMENTS = [
    statement_record("caller", CALLER, caller, caller_text),
    statement_record("callee", CALLEE, callee, callee_text),
    statement_record("callee-next", CALLEE, callee, next_text),
    statement_record("not-canonical-json", CALLEE, callee, json.dumps(json.loads(callee_text))),
    statement_record("unknown-suite-beside-a-known-one", CALLEE, callee, canon(
        {**json.loads(callee_text), "keys": [{"suite": "S9", "pub": "AA", "kid": "AAAAAAAAAAA"},
                                             key_entry(callee_s1)]})),
    statement_record("seven-days", CALLEE, callee, canon(
        {**json.loads(callee_text), "exp": NOW - 3600 + 7 * DAY})),
    statement_record("iat-60-s-ahead", CALLEE, callee, canon(
        {**json.loads(callee_text), "iat": NOW + 60, "exp": NOW + DAY})),
]
BAD_STATEMENTS = []


def bad_statement(name, status, reasons, text=None, token=None, **change):
    payload = {**json.loads(callee_text), **change}
    payload = {member: value for member, value in payload.items() if value is not None}
    text = text or canon(payload)
    BAD_STATEMENTS.append({"id": name, "number": CALLEE, "now": NOW, "anchor": "root",
                           "profile": "delegate", "put_status": status, "reasons": reasons,
                           "token": token or statement(text, callee)})


MS = ["malformed_statement"]
bad_statement("typ-passport", 400, ["type_mismatch"], token=statement(callee_text, callee,
                                                                      typ="passport"))
bad_statement("alg-none", 400, ["algorithm_not_allowed"],
              token=statement(callee_text, callee, alg="none"))
good_form = statement(callee_text, callee)
h_, p_, s_ = good_form.split(".")
raw_ = base64.urlsafe_b64decode(s_ + "==")
bad_statement("der-signature", 400, ["malformed_signature"], token=f"{h_}.{p_}." + b64u(
    utils.encode_dss_signature(int.from_bytes(raw_[:32], "big"), int.from_bytes(raw_[32:], "big"))))
bad_statement("two-parts", 400, ["malformed_token", "malformed_statement"], token=f"{h_}.{p_}")
bad_statement("payload-is-no-json", 400, ["malformed_json", "malformed_statement"], text="{")
bad_statement("duplicate-member", 400, ["duplicate_member"],
              text=callee_text[:-1] + ',"seq":7}')
for member in ("iat", "exp", "seq", "sub", "cps", "keys"):
    bad_statement(f"{member}-missing", 400, MS + ["iat_not_number"] * (member == "iat"),
                  **{member: None})
bad_statement("seq-negative", 400, MS, seq=-1)
bad_statement("seq-with-fraction", 400, MS, seq=7.5)
bad_statement("sub-empty", 400, MS, sub={})
bad_statement("sub-with-plus", 400, MS + ["malformed_number"], sub={"tn": ["+" + CALLEE]})
bad_statement("no-cps", 400, MS, cps=[])
bad_statement("five-cps", 400, MS, cps=[f"https://cps{n}.example.com" for n in range(5)])
bad_statement("cps-not-https", 400, MS + ["malformed_url"], cps=["http://cps.example.com"])
bad_statement("no-keys", 400, MS, keys=[])
bad_statement("nine-keys", 400, MS, keys=[key_entry(P256(f"many {n}")) for n in range(9)])
bad_statement("duplicate-key", 400, MS + ["malformed_key"],
              keys=[key_entry(callee_s1), key_entry(callee_s1)])
off_curve = callee_s1.public[:-1] + bytes([callee_s1.public[-1] ^ 1])
bad_statement("p256-key-off-the-curve", 400, ["malformed_key"], keys=[
    {"suite": "S1", "pub": b64u(off_curve), "kid": "AAAAAAAAAAA"}])
compressed = bytes([2 + (callee_s1.public[-1] & 1)]) + callee_s1.public[1:33]
bad_statement("p256-key-compressed", 400, ["malformed_key"], keys=[
    {"suite": "S1", "pub": b64u(compressed), "kid": "AAAAAAAAAAA"}])
LOW_ORDER = [bytes(32), bytes([1]) + bytes(31),
             bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
             bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
             bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
for number, point in enumerate(LOW_ORDER):
    bad_statement(f"x25519-key-of-low-order-{number}", 400, ["malformed_key"], keys=[
        {"suite": "S2", "pub": b64u(point), "kid": "AAAAAAAAAAA"}])
bad_statement("lifetime-over-seven-days", 400, MS, exp=NOW - 3600 + 7 * DAY + 1)
bad_statement("x5u-alone-in-a-put", 400, ["credential_unavailable", "malformed_statement"],
              token=statement(callee_text, callee, inline=True))
bad_statement("signature-bit-flipped", 403, ["signature_invalid"],
              token=f"{h_}.{p_}.{b64u(bytes([raw_[0] ^ 1]) + raw_[1:])}")
bad_statement("signer-covers-another-number", 403, ["number_not_covered"],
              token=statement(callee_text, caller))
bad_statement("one-sub-not-covered", 403, ["number_not_covered"], sub={"tn": [CALLEE, CALLER]})
foreign_callee = Certificate("foreign-callee", spare_key, issuing_other, [{"one": CALLEE}])
expired_callee = Certificate("expired-callee", spare_key, issuing, [{"one": CALLEE}],
                             before=NOW - 10 * DAY, after=NOW - 60)
short_callee = Certificate("short-callee", spare_key, issuing, [{"one": CALLEE}],
                           after=NOW + 3600)
CERTS += [foreign_callee, expired_callee, short_callee]
bad_statement("another-anchor", 403, ["chain_incomplete"],
              token=statement(callee_text, foreign_callee))
bad_statement("certificate-expired", 403,
              ["certificate_expired", "statement_outlives_certificate"],
              token=statement(callee_text, expired_callee))
bad_statement("expired", 403, ["statement_expired"], iat=NOW - 7200, exp=NOW - 1)
bad_statement("iat-61-s-ahead", 403, ["statement_not_yet_valid"], iat=NOW + 61, exp=NOW + DAY)
bad_statement("exp-after-the-leaf", 403, ["statement_outlives_certificate"],
              token=statement(callee_text, short_callee))
bad_statement("path-number-not-in-sub", 403, ["statement_number_missing", "number_not_covered"],
              token=statement(caller_text, caller))
bad_statement("over-16-kib", 413, ["too_long"], pad="x" * 16384)

# ---------------------------------------------------------------- content objects

nonce = b64u(seed("call nonce")[:16])
announcement = {
    "v": 1, "ppts": [plain], "x5c": caller.bag(), "cps": "cps.example.com",
    "ksd": GOOD_STATEMENTS[1]["digest"], "n": nonce,
    "rsp": {"to": CPS_CALLER, "want": True, "eks": GOOD_STATEMENTS[0]["inline_form"]}}
answer = {"v": 1, "ppts": [rsp], "x5c": callee.bag(), "cps": "cps.example.net",
          "ksd": GOOD_STATEMENTS[0]["digest"], "n": nonce,
          "st": {"s": "alerting", "t": (NOW + 4) * 1000 + 250}}
answered = {**answer, "ppts": [rsp_answered], "st": {"s": "answered", "t": (NOW + 9) * 1000 + 12}}
gone = {"v": 1, "n": nonce, "st": {"s": "gone", "t": (NOW + 12) * 1000}}
plain_content = {"v": 1, "ppts": [plain], "x5c": caller.bag(), "n": nonce}
CONTENTS = [{"id": name, "accept": True, "length": len(compact(value).encode()), "text": compact(value)}
            for name, value in
            [("announcement", announcement), ("announcement-without-rsp", plain_content),
             ("answer-alerting", answer), ("answer-answered", answered),
             ("caller-answered", {"v": 1, "n": nonce, "st": {"s": "answered", "t": NOW * 1000}}),
             ("gone", gone), ("unknown-member", {**gone, "zzz": [1]}),
             ("eight-ppts", {**plain_content, "ppts": [plain] * 8})]]
CONTENTS.append({"id": "members-in-another-order", "accept": True,
                 "length": len(canon(announcement)), "text": canon(announcement)})
MC = ["malformed_content"]
for name, text, reasons in [
        ("no-json", "{", MC + ["malformed_json"]), ("array", "[]", MC + ["malformed_json"]),
        ("not-utf-8", None, MC + ["malformed_json"]),
        ("v-missing", canon({"n": nonce, "st": gone["st"]}), MC),
        ("v-2", canon({**gone, "v": 2}), MC), ("v-as-string", canon({**gone, "v": "1"}), MC),
        ("n-missing", canon({"v": 1, "ppts": [plain]}), MC),
        ("n-15-octets", canon({**gone, "n": b64u(bytes(15))}), MC),
        ("n-17-octets", canon({**gone, "n": b64u(bytes(17))}), MC),
        ("n-padded", canon({**gone, "n": nonce + "=="}), MC),
        ("ppts-empty", canon({**plain_content, "ppts": []}), MC),
        ("nine-ppts", canon({**plain_content, "ppts": [plain] * 9}), MC),
        ("ppts-as-string", canon({**plain_content, "ppts": plain}), MC),
        ("nine-certificates", canon({**plain_content, "x5c": [caller.b64()] * 9}),
         MC + ["too_many_certificates"]),
        ("neither-ppts-nor-st", canon({"v": 1, "n": nonce}), MC),
        ("st-of-unknown-state", canon({**gone, "st": {"s": "busy", "t": 1}}), MC),
        ("st-without-time", canon({**gone, "st": {"s": "gone"}}), MC),
        ("st-time-as-string", canon({**gone, "st": {"s": "gone", "t": "1"}}), MC),
        ("duplicate-member", canon(gone)[:-1] + ',"v":1}', MC + ["duplicate_member"])]:
    CONTENTS.append({"id": name, "accept": False, "reasons": reasons, "text": text}
                    if text is not None else
                    {"id": name, "accept": False, "reasons": reasons, "octets": "7b22ff223a317d"})

# ---------------------------------------------------------------- HPKE base mode and blobs

SUITES = {"S1": (0x0010, 1, 1), "S2": (0x0020, 1, 3), "S3": (0x647A, 1, 3), "S4": (0x0050, 1, 1)}
SIZES = {1: 4096, 2: 16384, 3: 8192}


def extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk, info, length):
    out, block_ = b"", b""
    for counter in range(1, 256):
        block_ = hmac.new(prk, block_ + info + bytes([counter]), hashlib.sha256).digest()
        out += block_
        if len(out) >= length:
            return out[:length]
    raise ValueError


def labeled_extract(suite_id, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite_id + label + ikm)


def labeled_expand(suite_id, prk, label, info, length):
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + info, length)


def key_schedule(suite, dh, enc, public, info):
    kem, kdf, aead = SUITES[suite]
    kem_id = b"KEM" + kem.to_bytes(2, "big")
    prk = labeled_extract(kem_id, b"", b"eae_prk", dh)
    shared = labeled_expand(kem_id, prk, b"shared_secret", enc + public, 32)
    suite_id = b"HPKE" + b"".join(x.to_bytes(2, "big") for x in (kem, kdf, aead))
    context = bytes([0]) + labeled_extract(suite_id, b"", b"psk_id_hash", b"") \
        + labeled_extract(suite_id, b"", b"info_hash", info)
    secret = labeled_extract(suite_id, shared, b"secret", b"")
    key = labeled_expand(suite_id, secret, b"key", context, 16 if aead == 1 else 32)
    return shared, key, labeled_expand(suite_id, secret, b"base_nonce", context, 12)


def blob_info(number):
    return b"STIR-OOB blob v1\0" + bytes([1]) + len(number).to_bytes(2, "big") + number.encode()


def blob_header(suite, size_class):
    return b"\x01" + b"".join(x.to_bytes(2, "big") for x in SUITES[suite]) + bytes([size_class])


def seal(recipient, number, content, label, size_class=1, plaintext=None, enc=None):
    suite = recipient.suite
    ephemeral = type(recipient)("ephemeral " + label)
    head = blob_header(suite, size_class)
    own_enc = ephemeral.public if enc is None else enc
    dh = ephemeral.dh(recipient.public)
    shared, key, base_nonce = key_schedule(suite, dh, own_enc, recipient.public, blob_info(number))
    room = SIZES[size_class] - 8 - len(own_enc) - 16
    if plaintext is None:
        plaintext = (len(content).to_bytes(2, "big") + content).ljust(room, b"\0")
    assert len(plaintext) == room, (len(plaintext), room)
    cipher = AESGCM(key) if suite == "S1" else ChaCha20Poly1305(key)
    blob = head + own_enc + cipher.encrypt(base_nonce, plaintext, head)
    assert len(blob) == SIZES[size_class]
    return blob, {"ephemeral_secret": ephemeral.secret().hex(), "dh": dh.hex(),
                  "shared_secret": shared.hex(), "key": key.hex(), "base_nonce": base_nonce.hex()}


BLOBS, BAD_BLOBS = [], []


def good_blob(name, recipient, number, content, size_class=1):
    blob, steps = seal(recipient, number, content, name, size_class)
    BLOBS.append({"id": name, "suite": recipient.suite, "class": size_class,
                  "recipient": recipient.label, "number": number,
                  "info": blob_info(number).hex(), "aad": blob[:8].hex(),
                  "enc": blob[8:8 + len(recipient.public)].hex(), **steps,
                  "content": content.decode(), "blob_sha256": sha(blob).hex(),
                  "blob": b64u(blob)})
    return blob


text_of = {record["id"]: record["text"].encode() for record in CONTENTS if record["accept"]}
announced_s1 = good_blob("announcement-S1", callee_s1, CALLEE, text_of["announcement"])
announced_s2 = good_blob("announcement-S2", callee_s2, CALLEE, text_of["announcement"])
answered_s1 = good_blob("answer-S1", caller_s1, CALLER, text_of["answer-alerting"])
gone_s2 = good_blob("gone-S2", callee_s2, CALLEE, text_of["gone"])


def filled(length):
    """A content of exactly `length` octets."""
    frame = len(compact({**gone, "zzz": ""}))
    return compact({**gone, "zzz": "x" * (length - frame)}).encode()


good_blob("longest-content-S1", callee_s1, CALLEE, filled(4005))
good_blob("longest-content-S2", callee_s2, CALLEE, filled(4038))
good_blob("class-2-S1", callee_s1, CALLEE, filled(4006), 2)


def bad_blob(name, reasons, blob, recipient=callee_s1, number=CALLEE):
    BAD_BLOBS.append({"id": name, "recipient": recipient.label, "number": number,
                      "reasons": reasons, "blob": b64u(blob)})


# CLOSED: of good form, but the key does not open it, which is normal.
CLOSED = ["blob_not_opened", "malformed_key"]
FORM, INSIDE = ["malformed_blob"], ["malformed_content", "malformed_blob"]
bad_blob("for-another-number", CLOSED, announced_s1, number="12025550198")
bad_blob("for-another-key", CLOSED, announced_s1, recipient=caller_s1)
bad_blob("bit-flipped-in-enc-x25519", CLOSED,
         announced_s2[:8] + bytes([announced_s2[8] ^ 1]) + announced_s2[9:], callee_s2)
bad_blob("bit-flipped-in-tag", CLOSED, announced_s1[:-1] + bytes([announced_s1[-1] ^ 1]))
bad_blob("enc-off-the-curve", CLOSED,
         announced_s1[:72] + bytes([announced_s1[72] ^ 1]) + announced_s1[73:])
bad_blob("enc-is-the-x25519-zero-point", CLOSED, announced_s2[:8] + bytes(32) + announced_s2[40:],
         callee_s2)
room = 4096 - 8 - 65 - 16
short = text_of["gone"]
body = (len(short).to_bytes(2, "big") + short).ljust(room, b"\0")
bad_blob("filler-not-zero", INSIDE,
         seal(callee_s1, CALLEE, None, "filler", plaintext=body[:-1] + b"\1")[0])
bad_blob("content-length-beyond-the-plaintext", INSIDE,
         seal(callee_s1, CALLEE, None, "beyond",
              plaintext=(room - 1).to_bytes(2, "big") + bytes(room - 2))[0])
bad_blob("content-length-zero", INSIDE,
         seal(callee_s1, CALLEE, None, "zero", plaintext=bytes(room))[0])
bad_blob("one-octet-short", FORM, announced_s1[:-1])
bad_blob("one-octet-long", FORM, announced_s1 + b"\0")
bad_blob("empty", FORM, b"")
bad_blob("version-2", FORM, b"\2" + announced_s1[1:])
bad_blob("class-octet-2-on-4096", FORM, announced_s1[:7] + b"\2" + announced_s1[8:])
bad_blob("class-octet-0", FORM, announced_s1[:7] + b"\0" + announced_s1[8:])
bad_blob("kdf-of-no-suite", FORM, announced_s1[:3] + b"\0\2" + announced_s1[5:])
bad_blob("aead-of-another-suite", FORM, announced_s1[:5] + b"\0\3" + announced_s1[7:])
bad_blob("kem-unknown", FORM, b"\1\0\x11" + announced_s1[3:])
FORMS = [{"header": blob_header(suite, size_class).hex(), "length": SIZES[size_class],
          "suite": suite, "accept": (size_class == 3) == (suite in ("S3", "S4"))}
         for suite in SUITES for size_class in SIZES]

# ---------------------------------------------------------------- key directory, placement


def directory_answer(statements):
    for size in (8192, 16384):
        empty = compact({"statements": statements, "pad": ""})
        if len(empty) <= size:
            return compact({"statements": statements, "pad": "0" * (size - len(empty))})
    return None


def directory_record(name, statements):
    kept = list(statements)
    while (text := directory_answer(kept)) is None:
        kept.pop()
    return {"id": name, "newest_first": statements, "listed": len(kept), "length": len(text),
            "sha256": sha(text.encode()).hex(), "body": text}


many = []
for number in range(8):
    cert = Certificate(f"holder-{number}", P256(f"holder {number}"), issuing, [{"one": CALLEE}])
    many.append(statement(canon(statement_claims(CALLEE, [callee_s1], CPS_CALLEE,
                                                 iat=NOW - 60 * number,
                                                 exp=NOW - 60 * number + DAY)), cert))
DIRECTORY = [directory_record("unknown-number", []),
             directory_record("one-statement", [GOOD_STATEMENTS[1]["directory_form"]]),
             directory_record("two-statements", many[:2]),
             directory_record("three-statements-need-16384", many[:3]),
             directory_record("eight-statements-oldest-left-out", many)]

PATHS = [{"path": path, "number": number} for path, number in [
    (CALLEE, CALLEE), ("+" + CALLEE, CALLEE), ("%2B" + CALLEE, CALLEE),
    ("1.202.555.0199", CALLEE), ("1-202-555-0199", CALLEE), ("+1-202.555.0199", CALLEE),
    ("112", "112"), ("*67", "*67"), ("%2367", "#67"), ("123456789012345", "123456789012345")]]
PATHS += [{"path": path, "number": None} for path in (
    "", "+", "-", "1234567890123456", "1202555O199", "1%20202", "(202)5550199", "++1202", "12+02",
    "1202%2F55", "%", "%zz", "sip:a@example.org", "%D9%A1%D9%A2")]
line = b64u(announced_s1)
line2 = b64u(announced_s2)
BODIES = [{"id": name, "body": text, "problem": problem, "blobs": count}
          for name, text, problem, count in [
    ("one-line", line, None, 1), ("one-line-with-lf", line + "\n", None, 1),
    ("two-lines", f"{line}\n{line2}\n", None, 2),
    ("empty", "", "malformed-blob", 0), ("lf-only", "\n", "malformed-blob", 0),
    ("empty-line", f"{line}\n\n{line2}", "malformed-blob", 0),
    ("two-final-lfs", f"{line}\n\n", "malformed-blob", 0),
    ("cr-lf", f"{line}\r\n", "malformed-blob", 0),
    ("padded", line + "==", "malformed-blob", 0),
    ("unused-bits", line[:-1] + chr(ord(line[-1]) + 1), "malformed-blob", 0),
    ("blank-after", line + " ", "malformed-blob", 0),
    ("one-good-one-bad", f"{line}\n{line2[:-4]}", "malformed-blob", 0)]]
NINE = {"id": "nine-lines", "line": line, "times": 9, "problem": "too-many-blobs"}

# ---------------------------------------------------------------- the generator checks itself


def check_token(token, key):
    signing_input, _, signature = token.rpartition(".")
    octets = base64.urlsafe_b64decode(signature + "==")
    assert len(octets) == 64
    dss = utils.encode_dss_signature(int.from_bytes(octets[:32], "big"),
                                     int.from_bytes(octets[32:], "big"))
    key.private.public_key().verify(dss, signing_input.encode(), ec.ECDSA(hashes.SHA256()))


def check():
    for record in PASSPORTS:
        if record["accept"]:
            leaf = x509.load_der_x509_certificate(base64.b64decode(record["x5c"][0]))
            key = next(c.key for c in CERTS if c.der == leaf.public_bytes(
                serialization.Encoding.DER))
            check_token(record["token"], key)
    for record in GOOD_STATEMENTS:
        key = caller_key if record["id"] == "caller" else callee_key
        check_token(record["directory_form"], key)
        check_token(record["inline_form"], key)
    keys = {key.label: key for key in (caller_s1, callee_s1, callee_s2)}
    for record in BLOBS:
        key = keys[record["recipient"]]
        enc, info = bytes.fromhex(record["enc"]), bytes.fromhex(record["info"])
        octets = base64.urlsafe_b64decode(record["blob"] + "==")
        _, aead_key, base_nonce = key_schedule(record["suite"], key.dh(enc), enc, key.public, info)
        cipher = AESGCM(aead_key) if record["suite"] == "S1" else ChaCha20Poly1305(aead_key)
        plaintext = cipher.decrypt(base_nonce, octets[8 + len(enc):], octets[:8])
        length = int.from_bytes(plaintext[:2], "big")
        assert plaintext[2:2 + length].decode() == record["content"]
        assert not any(plaintext[2 + length:])
    for cert in CERTS:
        x509.load_der_x509_certificate(cert.der).verify_directly_issued_by(
            x509.load_der_x509_certificate(cert.issuer.der))


check()

# ---------------------------------------------------------------- files

ENC = [caller_s1, callee_s1, callee_s2]
TEST_ONLY = "throw-away material of the RingTrue protocol description; test only"
write("keys.json", TEST_ONLY, signing=[k.record() for k in (
    root.key, other_root.key, issuing.key, issuing_open.key, issuing_spc.key, issuing_other.key,
    caller_key, callee_key, spare_key)],
    encryption=[{**k.record(), "suite": k.suite, "kid": kid(k)} for k in ENC])
write("certificates.json", TEST_ONLY, certificates=[c.record() for c in CERTS])
write("tn-auth-lists.json", TEST_ONLY, lists=[
    {"entries": e, "der": tn_auth_list(e).hex(), "covers": y, "covers_not": n} for e, y, n in [
        ([{"one": CALLER}], [CALLER], ["12025550144", "2025550143", "112025550143"]),
        (block, ["12025550100", "12025550143", "12025550199"],
         ["12025550099", "12025550200", "2025550143"]),
        ([{"spc": "9876"}], [], [CALLER]),
        ([{"spc": "9876"}, {"one": "112"}, {"range": {"start": "4532120000", "count": 10000}}],
         ["112", "4532120000", "4532129999"], ["4532130000", "1120"])]])
write("passports.json", TEST_ONLY, passports=PASSPORTS)
write("statements.json", TEST_ONLY, good=GOOD_STATEMENTS, bad=BAD_STATEMENTS)
write("contents.json", TEST_ONLY, contents=CONTENTS)
write("blobs.json", TEST_ONLY, good=BLOBS, bad=BAD_BLOBS, forms=FORMS)
write("directory.json", TEST_ONLY, answers=DIRECTORY)
write("placement.json", TEST_ONLY, paths=PATHS, bodies=BODIES, repeated=NINE)

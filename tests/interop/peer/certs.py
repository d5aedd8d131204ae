"""STIR certificates: the bag a token travels with, the path to an anchor, number authority."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from . import tnauthlist
from .errors import Refusal
from .jws import Jws

MAX_BAG = 8  # W-1
MAX_CERTIFICATE_LEN = 16 * 1024
_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS.dotted_string,
    ExtensionOID.KEY_USAGE.dotted_string,
    ExtensionOID.CERTIFICATE_POLICIES.dotted_string,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string,
    tnauthlist.OID,
}


def from_x5c(values: object) -> list[x509.Certificate]:
    """Decodes an `x5c` member: base64 (not base64url) of DER, at most eight."""
    if not isinstance(values, list) or not values:
        raise Refusal("malformed_certificate", "x5c is not a list")
    if len(values) > MAX_BAG:
        raise Refusal("too_many_certificates")
    bag = []
    for value in values:
        try:
            der = base64.b64decode(value.encode("ascii"), validate=True)
            if len(der) > MAX_CERTIFICATE_LEN:
                raise Refusal("too_long")
            bag.append(x509.load_der_x509_certificate(der))
        except (AttributeError, ValueError, UnicodeError):
            raise Refusal("malformed_certificate") from None
    return bag


def to_x5c(bag: list[x509.Certificate]) -> list[str]:
    """The inverse of `from_x5c`."""
    return [base64.b64encode(c.public_bytes(Encoding.DER)).decode("ascii") for c in bag]


def spki_digest(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the public key: who "the same signer" is (W-11)."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def _extension(certificate: x509.Certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except ValueError:
        raise Refusal("malformed_certificate") from None


def is_ca(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def numbers_of(certificate: x509.Certificate) -> list[tnauthlist.Entry] | None:
    """The inline TNAuthList, or None. A malformed one makes the certificate unusable (CRT-10)."""
    for extension in certificate.extensions:
        if extension.oid.dotted_string == tnauthlist.OID:
            return tnauthlist.decode(extension.value.value)
    return None


def find_signer(jws: Jws, bag: list[x509.Certificate]) -> x509.Certificate:
    """W-1: the end-entity certificate of the bag whose key verifies the token."""
    if not bag:
        raise Refusal("credential_unavailable")
    for certificate in bag:
        if not is_ca(certificate) and jws.verifies_with(certificate.public_key()):
            return certificate
    if any(jws.verifies_with(c.public_key()) for c in bag if is_ca(c)):
        raise Refusal("signer_is_ca")
    raise Refusal("signature_invalid")


@dataclass(frozen=True)
class Path:
    """A checked path, signer first, anchor last."""

    certificates: list[x509.Certificate] = field(repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    def valid_at(self, when: int) -> bool:
        return _valid_at(self.leaf, when) == "valid"

    def not_after(self) -> int:
        return int(self.leaf.not_valid_after_utc.timestamp())

    def check_covers(self, number: str) -> None:
        """TN-level authority over one number."""
        entries = numbers_of(self.leaf)
        if entries is None:
            raise Refusal("tn_auth_list_missing")
        if tnauthlist.covers(entries, number):
            return
        if any(entry.kind == "spc" for entry in entries):
            raise Refusal("authority_by_spc")
        raise Refusal("number_not_covered")


def _valid_at(certificate: x509.Certificate, when: int) -> str:
    moment = datetime.fromtimestamp(when, timezone.utc)
    if moment < certificate.not_valid_before_utc:
        return "certificate_not_yet_valid"
    if moment > certificate.not_valid_after_utc:
        return "certificate_expired"
    return "valid"


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def _candidates(path, bag, anchors):
    """Every complete chain from the last certificate of `path` to an anchor."""
    last = path[-1]
    for anchor in anchors:
        if _issued(anchor, last):
            yield [*path, anchor]
    if len(path) < MAX_BAG:
        for issuer in bag:
            if issuer not in path and issuer not in anchors and _issued(issuer, last):
                yield from _candidates([*path, issuer], bag, anchors)


def _check(path: list[x509.Certificate], when: int) -> None:
    for certificate in path[:-1]:
        state = _valid_at(certificate, when)
        if state != "valid":
            raise Refusal(state)
        for extension in certificate.extensions:
            if extension.critical and extension.oid.dotted_string not in _UNDERSTOOD:
                raise Refusal("unsupported_critical_extension")
    for below, issuer in enumerate(path[1:]):
        constraints = _extension(issuer, x509.BasicConstraints)
        if constraints is None or not constraints.ca:
            raise Refusal("issuer_not_ca")
        if constraints.path_length is not None and below > constraints.path_length:
            raise Refusal("path_too_long")
        usage = _extension(issuer, x509.KeyUsage)
        if usage is not None and not usage.key_cert_sign:
            raise Refusal("key_usage_missing")
    leaf = path[0]
    if is_ca(leaf):
        raise Refusal("signer_is_ca")
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Refusal("unsupported_certificate_key")
    usage = _extension(leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise Refusal("key_usage_missing")
    # CRT-31 and W-25: every list present limits, the anchor's own does not count.
    scopes = [s for s in map(numbers_of, path[:-1]) if s is not None]
    for child, parent in zip(scopes, scopes[1:]):
        if not tnauthlist.encompasses(parent, child):
            raise Refusal("scope_not_encompassed")


def _without_path(path, bag, anchors) -> str:
    """Why `path` leads no further: only for want of an issuer, or for a reason of its own."""
    last = path[-1]
    if last.subject == last.issuer or not anchors or len(path) > MAX_BAG:
        return "no_path_to_anchor"
    named = [c for c in [*anchors, *bag] if c.subject == last.issuer]
    above = [c for c in named if c not in path and _issued(c, last)]
    reasons = {_without_path([*path, c], bag, anchors) for c in above}
    is_incomplete = len(above) == len(named) and reasons <= {"chain_incomplete"}
    return "chain_incomplete" if is_incomplete else "no_path_to_anchor"


def verify_path(leaf, bag, anchors, when: int) -> Path:
    """Builds and checks a path from the bag to a configured anchor (CRT-30 to CRT-37)."""
    refusal = None
    try:
        for path in _candidates([leaf], bag, anchors):
            try:
                _check(path, when)
            except Refusal as error:
                refusal = error
            else:
                return Path(path)
        raise refusal or Refusal(_without_path([leaf], bag, anchors))
    except ValueError:
        raise Refusal("malformed_certificate") from None

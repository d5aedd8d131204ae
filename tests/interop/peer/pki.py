"""A small test CA: lab folders, and the certificates that a good CA would never issue."""

import os
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from . import tnauthlist
from .lab import Credential

DAY = timedelta(days=1)


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def one(number: str) -> list[tnauthlist.Entry]:
    return [tnauthlist.Entry("one", number)]


class Authority:
    """A certificate with its key, able to issue others."""

    def __init__(self, certificate: x509.Certificate, key):
        self.certificate, self.key = certificate, key

    @classmethod
    def root(cls, name: str) -> "Authority":
        key = new_key()
        return cls(_build(name, key.public_key(), name, key, None, ca=True), key)

    @classmethod
    def load(cls, certificate: Path, key: Path) -> "Authority":
        return cls(
            x509.load_pem_x509_certificates(certificate.read_bytes())[0],
            load_pem_private_key(key.read_bytes(), None),
        )

    def issue(self, name: str, key, **options) -> x509.Certificate:
        """Options: those of `_build`; `critical` adds an unknown critical extension."""
        issuer = self.certificate.subject
        return _build(name, key.public_key(), issuer, self.key, self._key_identifier(), **options)

    def _key_identifier(self) -> x509.SubjectKeyIdentifier:
        """What the certificate says it is: there are several ways to make one from a key."""
        try:
            return self.certificate.extensions.get_extension_for_class(
                x509.SubjectKeyIdentifier
            ).value
        except x509.ExtensionNotFound:
            return x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())

    def sub_authority(self, name: str, numbers=None) -> "Authority":
        key = new_key()
        return Authority(self.issue(name, key, ca=True, numbers=numbers), key)

    def credential(self, number: str, **options) -> Credential:
        """A leaf for a number, its chain being leaf then this authority."""
        key = new_key()
        options = {"numbers": one(number)} | options
        leaf = self.issue(f"Delegate {number}", key, **options)
        return Credential(
            [leaf, self.certificate], key, f"https://certificates.example/{number}.pem"
        )


def _name(name) -> x509.Name:
    if isinstance(name, x509.Name):
        return name
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _build(
    name, public, issuer, issuer_key, issuer_key_id,
    ca=False, numbers=None, start=None, end=None, names=(), critical=False,
):  # fmt: skip
    now = datetime.now(timezone.utc).replace(microsecond=0)
    own_key_id = x509.SubjectKeyIdentifier.from_public_key(public)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or now - DAY)
        .not_valid_after(end or now + 30 * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(own_key_id, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer_key_id or own_key_id
            ),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca, key_cert_sign=ca, crl_sign=ca,
                content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if numbers is not None:
        octets = numbers if isinstance(numbers, bytes) else tnauthlist.encode(numbers)
        oid = x509.ObjectIdentifier(tnauthlist.OID)
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, octets), critical=False)
    if names:
        alternative = [
            x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    if critical:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")  # the documentation arc
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _write(path: Path, *certificates: x509.Certificate) -> None:
    path.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))


def _write_key(path: Path, key) -> None:
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(octets)


def create_lab(folder: str, numbers: list[str]) -> None:
    """Writes a lab folder in the layout of `ringtrue lab init`."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    root = Authority.root("Test STI root")
    blocks = {number[:-2] + "00" for number in numbers}
    scope = [tnauthlist.Entry("range", block, 100) for block in sorted(blocks)]
    authority = root.sub_authority("Test STI CA", scope)
    for name, issuer in (("root", root), ("ca", authority)):
        _write(target / f"{name}.pem", issuer.certificate)
        _write_key(target / f"{name}.key", issuer.key)
    for number in numbers:
        credential = authority.credential(number)
        (target / number).mkdir(exist_ok=True)
        _write(target / number / "chain.pem", *credential.chain)
        _write_key(target / number / "key.pem", credential.key)
    tls_root, tls_key = Authority.root("Test TLS root"), new_key()
    tls = tls_root.issue("localhost", tls_key, names=("localhost", "127.0.0.1"))
    _write(target / "tls-root.pem", tls_root.certificate)
    _write(target / "tls.pem", tls)
    _write_key(target / "tls.key", tls_key)
    (target / "lab.toml").write_text('base_url = "https://localhost:8443"\nallow_loopback = true\n')

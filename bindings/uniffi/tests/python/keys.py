"""Keys that the application implements: good ones, and ones that fail in every way."""

import hashlib
import threading

import p256
import ringtrue


class Signer(ringtrue.Signer):
    """Signs as a key store does that takes a digest; `form` is how it writes signatures."""

    def __init__(self, scalar, form="der"):
        self._scalar = scalar
        self._form = form
        self.threads = set()

    def public_key(self):
        return p256.public_key(self._scalar)

    def sign(self, message, digest):
        self.threads.add(threading.current_thread().ident)
        assert hashlib.sha256(message).digest() == digest
        signature = p256.sign(self._scalar, digest)
        if self._form == "der":
            return ringtrue.DeviceSignature.DER(octets=p256.der(signature))
        return ringtrue.DeviceSignature.RAW(octets=p256.raw(signature))


class TwiceHashing(Signer):
    """The classic mistake: hands the digest to an interface that hashes what it is given."""

    def sign(self, message, digest):
        signature = p256.sign(self._scalar, hashlib.sha256(digest).digest())
        return ringtrue.DeviceSignature.RAW(octets=p256.raw(signature))


class Failing(Signer):
    """Raises, from its methods named in `where`, an exception made by `error`."""

    def __init__(self, scalar, error, where=("sign",)):
        super().__init__(scalar)
        self._error = error
        self._where = where

    def public_key(self):
        if "public_key" in self._where:
            raise self._error()
        return super().public_key()

    def sign(self, message, digest):
        if "sign" in self._where:
            raise self._error()
        return super().sign(message, digest)


class Garbling(Signer):
    """Returns something that is no signature."""

    def sign(self, message, digest):
        return ringtrue.DeviceSignature.DER(octets=b"\x30\x00")


class Agreement(ringtrue.KeyAgreement):
    """As a key-agreement key in hardware."""

    def __init__(self):
        self._scalar = p256.generate()
        self.threads = []

    def public_key(self):
        return p256.public_key(self._scalar)

    def agree(self, peer):
        self.threads.append(threading.current_thread().ident)
        return p256.agree(self._scalar, peer)


class LockedAgreement(Agreement):
    """A key that says who it is and then fails."""

    def agree(self, peer):
        raise ringtrue.HostError.Failed()

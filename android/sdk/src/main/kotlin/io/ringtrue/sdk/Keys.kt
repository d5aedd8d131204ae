package io.ringtrue.sdk

import io.ringtrue.DeviceSignature as GeneratedSignature
import io.ringtrue.HostException
import io.ringtrue.KeyAgreement as GeneratedAgreement
import io.ringtrue.Signer as GeneratedSigner
import io.ringtrue.softwareKeyAgreement
import io.ringtrue.softwareSigner

/** How well a private key is kept, weakest first. */
public enum class KeyProtection {
    /** In the memory of the application while it is used; sealed in a file otherwise. */
    SOFTWARE,

    /** In the trusted execution environment of the main processor. */
    TEE,

    /** In a security chip of its own. */
    STRONGBOX,
}

/** A signature in the form the key store gives it. The library converts and checks it. */
public sealed class DeviceSignature {
    /** The octets. */
    public abstract val octets: ByteArray

    /** A DER `ECDSA-Sig-Value`, as `java.security.Signature` gives it. */
    public class Der(override val octets: ByteArray) : DeviceSignature()

    /** r then s, 32 octets each. */
    public class Raw(override val octets: ByteArray) : DeviceSignature()

    override fun toString(): String = "DeviceSignature(..)"
}

/**
 * The private key of the STIR credential, wherever it lives.
 *
 * Called on a thread of the library that may block. Every signature is checked against the public key
 * before it is used. Whatever is thrown becomes the reason `signer_failed`.
 */
public interface SigningKey {
    /** How well the key is kept. */
    public val protection: KeyProtection

    /** The public half: an uncompressed P-256 point, 65 octets beginning with 4. Asked for once. */
    public fun publicKey(): ByteArray

    /**
     * Signs. [message] is what the signature is over and [digest] its SHA-256: use whichever the key store's
     * interface takes, and hash no further in the second case.
     */
    public fun sign(message: ByteArray, digest: ByteArray): DeviceSignature
}

/**
 * A P-256 key-agreement key that stays where it is, for suite S1.
 *
 * Called on a thread of the library that may block. Whatever is thrown becomes the reason
 * `key_agreement_failed`.
 */
public interface AgreementKey {
    /** How well the key is kept. */
    public val protection: KeyProtection

    /** The public half: an uncompressed P-256 point, 65 octets beginning with 4. Asked for once. */
    public fun publicKey(): ByteArray

    /**
     * Plain ECDH with [peer] (an uncompressed point, already checked to be on the curve): the X coordinate,
     * 32 octets, without any key derivation.
     */
    public fun agree(peer: ByteArray): ByteArray
}

/** The keys of a client. */
public interface DeviceKeys {
    /** The key of the credential. */
    public val signing: SigningKey

    /** The encryption key in hardware. Without one the library keeps encryption keys in the state file. */
    public val agreement: AgreementKey?

    /** How well the weakest of the keys is kept. */
    public val protection: KeyProtection
        get() = minOf(signing.protection, agreement?.protection ?: KeyProtection.SOFTWARE)
}

/**
 * Keys in memory, for tests and desktops: unencrypted PKCS#8 `PRIVATE KEY` blocks with P-256 keys.
 *
 * @param pkcs8Pem the credential's key.
 * @param agreementPem another key, for agreement; without it the library makes encryption keys of its own.
 */
public class SoftwareKeys(
    private val pkcs8Pem: String,
    private val agreementPem: String? = null,
) : DeviceKeys {
    /** @throws RingTrueException `malformed_pem` or `malformed_key` for text that is no such key. */
    override val signing: SigningKey by lazy {
        val signer = translated { softwareSigner(pkcs8Pem) }
        object : SigningKey {
            override val protection: KeyProtection get() = KeyProtection.SOFTWARE

            override fun publicKey(): ByteArray = signer.publicKey()

            override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature =
                when (val signature = signer.sign(message, digest)) {
                    is GeneratedSignature.Der -> DeviceSignature.Der(signature.octets)
                    is GeneratedSignature.Raw -> DeviceSignature.Raw(signature.octets)
                }
        }
    }

    /** @throws RingTrueException `malformed_pem` or `malformed_key` for text that is no such key. */
    override val agreement: AgreementKey? by lazy {
        agreementPem?.let { pem -> translated { softwareKeyAgreement(pem) } }?.let { key ->
            object : AgreementKey {
                override val protection: KeyProtection get() = KeyProtection.SOFTWARE

                override fun publicKey(): ByteArray = key.publicKey()

                override fun agree(peer: ByteArray): ByteArray = key.agree(peer)
            }
        }
    }
}

internal class HostSigner(private val key: SigningKey) : GeneratedSigner {
    override fun publicKey(): ByteArray = guarded { key.publicKey() }

    override fun sign(message: ByteArray, digest: ByteArray): GeneratedSignature = guarded {
        when (val signature = key.sign(message, digest)) {
            is DeviceSignature.Der -> GeneratedSignature.Der(signature.octets)
            is DeviceSignature.Raw -> GeneratedSignature.Raw(signature.octets)
        }
    }
}

internal class HostAgreement(private val key: AgreementKey) : GeneratedAgreement {
    override fun publicKey(): ByteArray = guarded { key.publicKey() }

    override fun agree(peer: ByteArray): ByteArray = guarded { key.agree(peer) }
}

/** Also an error of the application's must not pass: the generated code lets only exceptions through. */
internal inline fun <T> guarded(call: () -> T): T = try {
    call()
} catch (_: Throwable) {
    throw HostException.Failed()
}

package io.ringtrue.sdk

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.math.BigInteger
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.cert.X509Certificate
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.security.spec.ECParameterSpec
import java.security.spec.ECPoint
import java.security.spec.ECPublicKeySpec
import javax.crypto.KeyAgreement

internal const val ANDROID_KEYSTORE = "AndroidKeyStore"

/** Finds or makes P-256 keys of the Keystore, in the best place that takes them. */
internal class KeystoreKeyPairs(private val support: KeystoreSupport) {
    private val store = KeyStore.getInstance(ANDROID_KEYSTORE).apply { load(null) }

    /** The signing key, or nothing if it can only be kept in software. */
    fun signing(alias: String, attestationChallenge: ByteArray?): SigningKey? {
        if (!store.containsAlias(alias)) {
            val strongBox = support.strongBox && support.sdk >= Build.VERSION_CODES.P
            val made = make(alias, KeyProperties.PURPOSE_SIGN, strongBox, hardware = true) {
                setDigests(KeyProperties.DIGEST_SHA256)
                if (attestationChallenge != null) setAttestationChallenge(attestationChallenge)
            }
            if (!made) return null
        }
        val (private, public) = pair(alias) ?: return null
        return KeystoreSigningKey(private, public, protection(private), store, alias)
    }

    /**
     * The agreement key, or nothing if it can only be kept in software: the system cannot agree before
     * API 31, and a device that declares no support would do it in software of its own.
     */
    fun agreement(alias: String): AgreementKey? {
        if (!store.containsAlias(alias)) {
            val made = make(alias, KeyProperties.PURPOSE_AGREE_KEY, support.strongBoxAgrees, support.hardwareAgrees) {}
            if (!made) return null
        }
        val (private, public) = pair(alias) ?: return null
        return KeystoreAgreementKey(private, public, protection(private))
    }

    /** StrongBox may declare itself and still refuse: full, busy, without this curve or purpose. */
    private fun make(
        alias: String,
        purpose: Int,
        strongBox: Boolean,
        hardware: Boolean,
        more: KeyGenParameterSpec.Builder.() -> Unit,
    ): Boolean {
        if (strongBox) {
            try {
                generate(alias, purpose) { more(); setIsStrongBoxBacked(true) }
                return true
            } catch (_: StrongBoxUnavailableException) {
                // The trusted execution environment is next.
            } catch (_: ProviderException) {
                // Some devices say so in this way.
            }
        }
        if (!hardware) return false
        return try {
            generate(alias, purpose, more)
            true
        } catch (_: ProviderException) {
            false
        } catch (_: GeneralSecurityException) {
            false
        }
    }

    private fun generate(alias: String, purpose: Int, more: KeyGenParameterSpec.Builder.() -> Unit) {
        // No requirement on the user or the lock screen: calls come in while a telephone is locked.
        val spec = KeyGenParameterSpec.Builder(alias, purpose)
            .setAlgorithmParameterSpec(ECGenParameterSpec(CURVE))
            .apply(more)
            .build()
        val generator = KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, ANDROID_KEYSTORE)
        generator.initialize(spec)
        generator.generateKeyPair()
    }

    private fun pair(alias: String): Pair<PrivateKey, ECPublicKey>? {
        val private = store.getKey(alias, null) as? PrivateKey ?: return null
        val public = store.getCertificate(alias)?.publicKey as? ECPublicKey ?: return null
        return private to public
    }

    private fun protection(key: PrivateKey): KeyProtection {
        val factory = KeyFactory.getInstance(key.algorithm, ANDROID_KEYSTORE)
        val info = factory.getKeySpec(key, KeyInfo::class.java)
        if (support.sdk >= Build.VERSION_CODES.S) {
            return when (info.securityLevel) {
                KeyProperties.SECURITY_LEVEL_STRONGBOX -> KeyProtection.STRONGBOX
                KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT,
                KeyProperties.SECURITY_LEVEL_UNKNOWN_SECURE,
                -> KeyProtection.TEE
                else -> KeyProtection.SOFTWARE
            }
        }
        // Before API 31 the system does not tell the two kinds of hardware apart: the weaker one.
        @Suppress("DEPRECATION")
        return if (info.isInsideSecureHardware) KeyProtection.TEE else KeyProtection.SOFTWARE
    }
}

internal class KeystoreSigningKey(
    private val private: PrivateKey,
    private val public: ECPublicKey,
    override val protection: KeyProtection,
    private val store: KeyStore,
    private val alias: String,
) : SigningKey {
    override fun publicKey(): ByteArray = uncompressed(public)

    override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature {
        val signature = Signature.getInstance(SIGNATURE)
        signature.initSign(private)
        signature.update(message)
        return DeviceSignature.Der(signature.sign())
    }

    fun attestation(): List<X509Certificate> =
        store.getCertificateChain(alias).orEmpty().filterIsInstance<X509Certificate>()
}

private class KeystoreAgreementKey(
    private val private: PrivateKey,
    private val public: ECPublicKey,
    override val protection: KeyProtection,
) : AgreementKey {
    override fun publicKey(): ByteArray = uncompressed(public)

    override fun agree(peer: ByteArray): ByteArray {
        val agreement = KeyAgreement.getInstance(AGREEMENT, ANDROID_KEYSTORE)
        agreement.init(private)
        agreement.doPhase(keyOf(peer, public.params), true)
        return agreement.generateSecret()
    }
}

internal const val CURVE = "secp256r1"
internal const val SIGNATURE = "SHA256withECDSA"
internal const val AGREEMENT = "ECDH"
private const val COORDINATE_OCTETS = 32

/** The point of a P-256 key: 4, X, Y. */
internal fun uncompressed(key: ECPublicKey): ByteArray =
    byteArrayOf(4) + coordinate(key.w.affineX) + coordinate(key.w.affineY)

/** The key of an uncompressed point. */
internal fun keyOf(point: ByteArray, curve: ECParameterSpec): ECPublicKey {
    require(point.size == 1 + 2 * COORDINATE_OCTETS) { "no uncompressed point" }
    val x = BigInteger(1, point.copyOfRange(1, 1 + COORDINATE_OCTETS))
    val y = BigInteger(1, point.copyOfRange(1 + COORDINATE_OCTETS, point.size))
    val spec = ECPublicKeySpec(ECPoint(x, y), curve)
    return KeyFactory.getInstance(KeyProperties.KEY_ALGORITHM_EC).generatePublic(spec) as ECPublicKey
}

private fun coordinate(value: BigInteger): ByteArray {
    val octets = value.toByteArray().takeLast(COORDINATE_OCTETS).toByteArray()
    return ByteArray(COORDINATE_OCTETS - octets.size) + octets
}

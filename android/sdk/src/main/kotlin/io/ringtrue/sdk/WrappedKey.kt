package io.ringtrue.sdk

import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.security.spec.PKCS8EncodedKeySpec
import javax.crypto.KeyAgreement

/** A P-256 key in software, for devices whose Keystore cannot keep it: sealed in a file between uses. */
internal class WrappedKey private constructor(
    private val sealed: SealedFiles,
    private val name: String,
    private val public: ECPublicKey,
) : SigningKey, AgreementKey {
    override val protection: KeyProtection get() = KeyProtection.SOFTWARE

    override fun publicKey(): ByteArray = uncompressed(public)

    override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature {
        val signature = Signature.getInstance(SIGNATURE)
        signature.initSign(private())
        signature.update(message)
        return DeviceSignature.Der(signature.sign())
    }

    override fun agree(peer: ByteArray): ByteArray {
        val agreement = KeyAgreement.getInstance(AGREEMENT)
        agreement.init(private())
        agreement.doPhase(keyOf(peer, public.params), true)
        return agreement.generateSecret()
    }

    /** Unsealed for each use, so that it is in memory no longer than needed. */
    private fun private(): PrivateKey {
        val secret = checkNotNull(sealed.read(name)) { "the key is gone" }
        try {
            val encoded = PKCS8EncodedKeySpec(secret.copyOfRange(POINT_OCTETS, secret.size))
            return KeyFactory.getInstance("EC").generatePrivate(encoded)
        } finally {
            secret.fill(0)
        }
    }

    companion object {
        private const val POINT_OCTETS = 65

        fun open(sealed: SealedFiles, name: String): WrappedKey {
            val generator = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec(CURVE)) }
            sealed.read(name)?.takeIf { it.size > POINT_OCTETS }?.let { secret ->
                val curve = (generator.generateKeyPair().public as ECPublicKey).params
                val point = secret.copyOf(POINT_OCTETS)
                secret.fill(0)
                return WrappedKey(sealed, name, keyOf(point, curve))
            }
            val pair = generator.generateKeyPair()
            val secret = uncompressed(pair.public as ECPublicKey) + pair.private.encoded
            sealed.write(name, secret)
            secret.fill(0)
            return WrappedKey(sealed, name, pair.public as ECPublicKey)
        }
    }
}

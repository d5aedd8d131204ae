package io.ringtrue.test

import io.ringtrue.DeviceSignature
import io.ringtrue.KeyAgreement
import io.ringtrue.Signer
import java.math.BigInteger
import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.Signature
import java.security.cert.CertificateFactory
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.security.spec.ECPoint
import java.security.spec.ECPublicKeySpec
import java.security.spec.PKCS8EncodedKeySpec
import java.util.Base64
import java.util.Collections

/** Signs with `java.security`, as an application does with the Android key store. */
open class JavaSigner(lab: Lab, number: String) : Signer {
    private val private: PrivateKey = privateKey(lab.read(number, "key.pem"))
    private val public: ECPublicKey = certificateKey(lab.read(number, "chain.pem"))

    /** The threads that it was called on. */
    val threads: MutableSet<Thread> = Collections.synchronizedSet(mutableSetOf())

    override fun publicKey(): ByteArray = uncompressed(public)

    override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature {
        threads += Thread.currentThread()
        return DeviceSignature.Der(signature("SHA256withECDSA", message))
    }

    protected fun signature(algorithm: String, octets: ByteArray): ByteArray {
        val signature = Signature.getInstance(algorithm)
        signature.initSign(private)
        signature.update(octets)
        return signature.sign()
    }
}

/** Signs what is hashed already. */
class DigestSigner(lab: Lab, number: String) : JavaSigner(lab, number) {
    override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature =
        DeviceSignature.Der(signature("NONEwithECDSA", digest))
}

/** The classic mistake: hands the digest to an interface that hashes what it is given. */
class TwiceHashingSigner(lab: Lab, number: String) : JavaSigner(lab, number) {
    override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature =
        DeviceSignature.Der(signature("SHA256withECDSA", digest))
}

/** A key store that throws. */
class ThrowingSigner(lab: Lab, number: String, private val fault: () -> Exception) : JavaSigner(lab, number) {
    override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature = throw fault()
}

/** A key-agreement key that stays where it is. */
open class JavaKeyAgreement : KeyAgreement {
    private val pair = KeyPairGenerator.getInstance("EC").run {
        initialize(ECGenParameterSpec("secp256r1"))
        generateKeyPair()
    }

    /** The threads that it was called on. */
    val threads: MutableSet<Thread> = Collections.synchronizedSet(mutableSetOf())

    override fun publicKey(): ByteArray = uncompressed(pair.public as ECPublicKey)

    override fun agree(peer: ByteArray): ByteArray {
        threads += Thread.currentThread()
        val point = ECPoint(BigInteger(1, peer.copyOfRange(1, 33)), BigInteger(1, peer.copyOfRange(33, 65)))
        val curve = (pair.public as ECPublicKey).params
        val agreement = javax.crypto.KeyAgreement.getInstance("ECDH")
        agreement.init(pair.private)
        agreement.doPhase(KeyFactory.getInstance("EC").generatePublic(ECPublicKeySpec(point, curve)), true)
        return agreement.generateSecret()
    }
}

/** The public half of an EC key as a PEM block, from its PKCS#8: the point stands at the end of it. */
fun publicPem(pkcs8Pem: String): String {
    val text = pkcs8Pem.lines().filterNot { it.startsWith("-----") }.joinToString("")
    val point = Base64.getDecoder().decode(text).takeLast(65).toByteArray()
    check(point.first() == 4.toByte()) { "no point" }
    val prefix = java.util.HexFormat.of().parseHex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    val body = Base64.getMimeEncoder(64, "\n".toByteArray()).encodeToString(prefix + point)
    return "-----BEGIN PUBLIC KEY-----\n$body\n-----END PUBLIC KEY-----\n"
}

private fun privateKey(pem: String): PrivateKey {
    val text = pem.lines().filterNot { it.startsWith("-----") }.joinToString("")
    return KeyFactory.getInstance("EC").generatePrivate(PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)))
}

private fun certificateKey(pem: String): ECPublicKey =
    CertificateFactory.getInstance("X.509").generateCertificate(pem.byteInputStream()).publicKey as ECPublicKey

private fun uncompressed(key: ECPublicKey): ByteArray =
    byteArrayOf(4) + coordinate(key.w.affineX) + coordinate(key.w.affineY)

private fun coordinate(value: BigInteger): ByteArray {
    val octets = value.toByteArray().takeLast(32).toByteArray()
    return ByteArray(32 - octets.size) + octets
}

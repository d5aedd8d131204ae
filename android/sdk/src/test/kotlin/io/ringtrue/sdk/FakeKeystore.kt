package io.ringtrue.sdk

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.io.InputStream
import java.io.OutputStream
import java.security.InvalidKeyException
import java.security.Key
import java.security.KeyFactorySpi
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyPairGeneratorSpi
import java.security.KeyStoreSpi
import java.security.PrivateKey
import java.security.Provider
import java.security.ProviderException
import java.security.PublicKey
import java.security.SecureRandom
import java.security.Security
import java.security.Signature
import java.security.SignatureSpi
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.security.spec.ECGenParameterSpec
import java.security.spec.KeySpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import java.util.concurrent.ConcurrentHashMap
import javax.crypto.KeyAgreement
import javax.crypto.KeyAgreementSpi
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/**
 * A stand-in for the Android Keystore: the same names and rules, with keys in memory. Keys do not come out,
 * and are used for their one purpose only.
 */
internal object FakeKeystore {
    /** What was asked for, newest last. */
    val specs: MutableList<KeyGenParameterSpec> = Collections.synchronizedList(mutableListOf())

    /** Whether StrongBox takes keys although it is declared. */
    var strongBoxTakes = true

    /** Whether any hardware takes EC keys. */
    var hardwareTakes = true

    val entries = ConcurrentHashMap<String, Any>()

    fun install() {
        if (Security.getProvider(ANDROID_KEYSTORE) == null) Security.addProvider(FakeProvider())
    }

    fun reset() {
        entries.clear()
        specs.clear()
        strongBoxTakes = true
        hardwareTakes = true
    }
}

private class FakeProvider : Provider(ANDROID_KEYSTORE, "1", "for tests") {
    init {
        put("KeyStore.$ANDROID_KEYSTORE", FakeStore::class.java.name)
        put("KeyPairGenerator.EC", FakePairs::class.java.name)
        put("KeyGenerator.AES", FakeAes::class.java.name)
        put("KeyFactory.EC", FakeInfo::class.java.name)
        put("Signature.SHA256withECDSA", FakeSignature::class.java.name)
        put("Signature.SHA256withECDSA SupportedKeyClasses", HeldKey::class.java.name)
        put("KeyAgreement.ECDH", FakeAgreement::class.java.name)
        put("KeyAgreement.ECDH SupportedKeyClasses", HeldKey::class.java.name)
    }
}

internal class HeldKey(val spec: KeyGenParameterSpec, val pair: KeyPair) : PrivateKey {
    override fun getAlgorithm() = "EC"

    override fun getFormat(): String? = null

    override fun getEncoded(): ByteArray? = null

    fun forPurpose(purpose: Int): PrivateKey {
        if (spec.purposes != purpose) throw InvalidKeyException("made for another purpose")
        return pair.private
    }
}

internal class FakePairs : KeyPairGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun initialize(keysize: Int, random: SecureRandom?) = throw ProviderException("needs a specification")

    override fun initialize(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun generateKeyPair(): KeyPair {
        FakeKeystore.specs += spec
        if (spec.isStrongBoxBacked && !FakeKeystore.strongBoxTakes) throw StrongBoxUnavailableException("full")
        if (!FakeKeystore.hardwareTakes) throw ProviderException("no hardware")
        val generator = KeyPairGenerator.getInstance("EC", "SunEC")
        generator.initialize(spec.algorithmParameterSpec as ECGenParameterSpec)
        val held = HeldKey(spec, generator.generateKeyPair())
        FakeKeystore.entries[spec.keystoreAlias] = held
        return KeyPair(held.pair.public, held)
    }
}

internal class FakeAes : KeyGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun engineInit(random: SecureRandom?) = throw ProviderException("needs a specification")

    override fun engineInit(keysize: Int, random: SecureRandom?) = throw ProviderException("needs a specification")

    override fun engineInit(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun engineGenerateKey(): SecretKey {
        FakeKeystore.specs += spec
        val key = SecretKeySpec(ByteArray(spec.keySize / 8).also(SecureRandom()::nextBytes), "AES")
        FakeKeystore.entries[spec.keystoreAlias] = key
        return key
    }
}

internal class FakeInfo : KeyFactorySpi() {
    override fun <T : KeySpec> engineGetKeySpec(key: Key, keySpec: Class<T>): T {
        val spec = (key as HeldKey).spec
        val level = when {
            spec.isStrongBoxBacked -> KeyProperties.SECURITY_LEVEL_STRONGBOX
            else -> KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT
        }
        val none = arrayOf<String>()
        val info = KeyInfo(
            spec.keystoreAlias, true, KeyProperties.ORIGIN_GENERATED, 256, null, null, null, spec.purposes,
            none, none, none, none, false, 0, 0, false, false, false, false, false, false, level, -1,
        )
        return keySpec.cast(info)
    }

    override fun engineGeneratePublic(keySpec: KeySpec): PublicKey = throw ProviderException("not here")

    override fun engineGeneratePrivate(keySpec: KeySpec): PrivateKey = throw ProviderException("not here")

    override fun engineTranslateKey(key: Key): Key = throw ProviderException("not here")
}

internal class FakeSignature : SignatureSpi() {
    private val real = Signature.getInstance("SHA256withECDSA", "SunEC")

    override fun engineInitSign(key: PrivateKey) {
        if (key !is HeldKey) throw InvalidKeyException("not from here")
        real.initSign(key.forPurpose(KeyProperties.PURPOSE_SIGN))
    }

    override fun engineUpdate(b: Byte) = real.update(b)

    override fun engineUpdate(b: ByteArray, off: Int, len: Int) = real.update(b, off, len)

    override fun engineSign(): ByteArray = real.sign()

    override fun engineInitVerify(key: PublicKey) = throw InvalidKeyException("not here")

    override fun engineVerify(sigBytes: ByteArray) = throw ProviderException("not here")

    @Deprecated("of the base class")
    override fun engineSetParameter(param: String, value: Any) = throw ProviderException("not here")

    @Deprecated("of the base class")
    override fun engineGetParameter(param: String): Any = throw ProviderException("not here")
}

internal class FakeAgreement : KeyAgreementSpi() {
    private val real = KeyAgreement.getInstance("ECDH", "SunEC")

    override fun engineInit(key: Key, random: SecureRandom?) {
        if (key !is HeldKey) throw InvalidKeyException("not from here")
        real.init(key.forPurpose(KeyProperties.PURPOSE_AGREE_KEY))
    }

    override fun engineInit(key: Key, params: AlgorithmParameterSpec?, random: SecureRandom?) = engineInit(key, random)

    override fun engineDoPhase(key: Key, lastPhase: Boolean): Key? = real.doPhase(key, lastPhase)

    override fun engineGenerateSecret(): ByteArray = real.generateSecret()

    override fun engineGenerateSecret(sharedSecret: ByteArray, offset: Int) = throw ProviderException("not here")

    override fun engineGenerateSecret(algorithm: String): SecretKey = throw ProviderException("not here")
}

internal class FakeStore : KeyStoreSpi() {
    override fun engineGetKey(alias: String, password: CharArray?): Key? = FakeKeystore.entries[alias] as Key?

    override fun engineGetCertificate(alias: String): Certificate? =
        (FakeKeystore.entries[alias] as? HeldKey)?.let { FakeCertificate(it.pair.public) }

    override fun engineGetCertificateChain(alias: String): Array<Certificate>? =
        engineGetCertificate(alias)?.let { arrayOf(it) }

    override fun engineContainsAlias(alias: String): Boolean = FakeKeystore.entries.containsKey(alias)

    override fun engineDeleteEntry(alias: String) {
        FakeKeystore.entries.remove(alias)
    }

    override fun engineAliases(): Enumeration<String> = Collections.enumeration(FakeKeystore.entries.keys)

    override fun engineSize(): Int = FakeKeystore.entries.size

    override fun engineIsKeyEntry(alias: String): Boolean = engineContainsAlias(alias)

    override fun engineIsCertificateEntry(alias: String): Boolean = false

    override fun engineGetCertificateAlias(cert: Certificate): String? = null

    override fun engineGetCreationDate(alias: String): Date = Date(0)

    override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

    override fun engineStore(stream: OutputStream?, password: CharArray?) = throw ProviderException("not here")

    override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) =
        throw ProviderException("not here")

    override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) =
        throw ProviderException("not here")

    override fun engineSetCertificateEntry(alias: String, cert: Certificate) = throw ProviderException("not here")
}

private class FakeCertificate(private val key: PublicKey) : Certificate("fake") {
    override fun getEncoded(): ByteArray = key.encoded

    override fun verify(key: PublicKey) = Unit

    override fun verify(key: PublicKey, sigProvider: String) = Unit

    override fun toString(): String = "FakeCertificate"

    override fun getPublicKey(): PublicKey = key
}

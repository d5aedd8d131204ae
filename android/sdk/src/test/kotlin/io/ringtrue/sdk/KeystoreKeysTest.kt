package io.ringtrue.sdk

import android.security.keystore.KeyProperties
import io.ringtrue.framework.Lab
import io.ringtrue.testing.config
import io.ringtrue.testing.keys
import java.io.File
import java.nio.file.Path
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import javax.crypto.KeyAgreement
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Where keys are made and what they refuse, against a stand-in for the Keystore. */
class KeystoreKeysTest {
    @TempDir
    lateinit var folder: Path

    @BeforeEach
    fun freshKeystore() {
        FakeKeystore.install()
        FakeKeystore.reset()
    }

    private fun support(
        sdk: Int = 35,
        strongBox: Boolean = true,
        strongBoxAgrees: Boolean = true,
        hardwareAgrees: Boolean = true,
    ) = KeystoreSupport(sdk, strongBox, strongBoxAgrees, hardwareAgrees)

    private fun open(support: KeystoreSupport = support(), challenge: ByteArray? = null): KeystoreKeys =
        KeystoreKeys.open(File(folder.toFile(), "keys"), "phone", support, challenge)

    private fun protections(keys: KeystoreKeys) = keys.signing.protection to keys.agreement.protection

    private fun assertWorks(keys: KeystoreKeys) {
        val peer = KeyPairGenerator.getInstance("EC", "SunEC").run {
            initialize(ECGenParameterSpec(CURVE))
            generateKeyPair()
        }
        val curve = (peer.public as ECPublicKey).params
        val message = "a call".toByteArray()
        val signature = keys.signing.sign(message, ByteArray(32))
        assertTrue(signature is DeviceSignature.Der)
        val verifier = Signature.getInstance(SIGNATURE, "SunEC")
        verifier.initVerify(keyOf(keys.signing.publicKey(), curve))
        verifier.update(message)
        assertTrue(verifier.verify(signature.octets))
        val theirs = KeyAgreement.getInstance(AGREEMENT, "SunEC")
        theirs.init(peer.private)
        theirs.doPhase(keyOf(keys.agreement.publicKey(), curve), true)
        assertArrayEquals(theirs.generateSecret(), keys.agreement.agree(uncompressed(peer.public as ECPublicKey)))
    }

    @Test
    fun `both keys are in StrongBox where it takes them`() {
        val keys = open()
        assertEquals(KeyProtection.STRONGBOX to KeyProtection.STRONGBOX, protections(keys))
        assertEquals(KeyProtection.STRONGBOX, keys.protection)
        assertWorks(keys)
    }

    @Test
    fun `a StrongBox that refuses leaves the trusted execution environment`() {
        FakeKeystore.strongBoxTakes = false
        val keys = open()
        assertEquals(KeyProtection.TEE to KeyProtection.TEE, protections(keys))
        assertWorks(keys)
    }

    @Test
    fun `a StrongBox without agreement takes the signing key alone`() {
        val keys = open(support(strongBoxAgrees = false))
        assertEquals(KeyProtection.STRONGBOX to KeyProtection.TEE, protections(keys))
        assertEquals(KeyProtection.TEE, keys.protection)
    }

    @Test
    fun `before the system can agree the agreement key is in software and says so`() {
        val keys = open(support(sdk = 30, strongBoxAgrees = false, hardwareAgrees = false))
        // API 30 does not tell StrongBox from the trusted execution environment: the weaker one.
        assertEquals(KeyProtection.TEE to KeyProtection.SOFTWARE, protections(keys))
        assertEquals(KeyProtection.SOFTWARE, keys.protection)
        assertWorks(keys)
    }

    @Test
    fun `without hardware both keys are in software`() {
        FakeKeystore.hardwareTakes = false
        val keys = open()
        assertEquals(KeyProtection.SOFTWARE to KeyProtection.SOFTWARE, protections(keys))
        assertWorks(keys)
    }

    @Test
    fun `keys have one purpose each and need neither user nor unlocked device`() {
        open(support(), challenge = byteArrayOf(7))
        val (sign, agree) = FakeKeystore.specs.take(2)
        assertEquals(KeyProperties.PURPOSE_SIGN, sign.purposes)
        assertEquals(KeyProperties.PURPOSE_AGREE_KEY, agree.purposes)
        assertArrayEquals(byteArrayOf(7), sign.attestationChallenge)
        for (spec in FakeKeystore.specs) {
            assertFalse(spec.isUserAuthenticationRequired || spec.isUnlockedDeviceRequired)
            assertFalse(spec.isUserConfirmationRequired || spec.isUserPresenceRequired)
        }
    }

    @Test
    fun `the next start finds the same keys`() {
        for (support in listOf(support(), support(sdk = 30, hardwareAgrees = false, strongBoxAgrees = false))) {
            FakeKeystore.reset()
            folder.toFile().walk().filter { it.isFile }.forEach { it.delete() }
            val first = open(support)
            val state = first.stateKey()
            val again = open(support)
            assertArrayEquals(first.signing.publicKey(), again.signing.publicKey())
            assertArrayEquals(first.agreement.publicKey(), again.agreement.publicKey())
            assertArrayEquals(state, again.stateKey())
            assertEquals(32, state.size)
            assertWorks(again)
        }
    }

    @Test
    fun `what is sealed is not readable and does not survive its key or a change`() {
        val keys = open()
        val state = keys.stateKey()
        val file = File(folder.toFile(), "keys/state.sealed")
        val octets = file.readBytes()
        assertFalse(octets.toList().windowed(32).any { it == state.toList() })
        for (at in octets.indices step 7) {
            file.writeBytes(octets.clone().also { it[at] = (it[at].toInt() xor 1).toByte() })
            assertFalse(open().stateKey().contentEquals(state))
        }
        file.writeBytes(octets)
        assertArrayEquals(state, open().stateKey())
        FakeKeystore.entries.remove("phone.seal")
        assertFalse(open().stateKey().contentEquals(state))
        for (length in listOf(0, 1, 28, 5000)) {
            file.writeBytes(ByteArray(length))
            assertEquals(32, open().stateKey().size)
        }
    }

    @Test
    fun `a sealed key that is gone fails instead of signing with another`() {
        FakeKeystore.hardwareTakes = false
        val keys = open()
        File(folder.toFile(), "keys/phone.sign.sealed").delete()
        assertThrows(IllegalStateException::class.java) { keys.signing.sign(byteArrayOf(1), ByteArray(32)) }
    }

    @Test
    fun `a call is verified with keys of the Keystore on both sides`() = runBlocking {
        Lab().use { lab ->
            val number = lab.number()
            val keys = open()
            val config = lab.config(number).copy(credential = null, stateKey = keys.stateKey())
            val phone = RingTrue.open(config, keys)
            assertEquals(KeyProtection.STRONGBOX, phone.protection)
            val request = lab.newFile(".csr").apply { writeText(phone.certificateRequest()) }
            val folder = File(request.parent).path
            val chain = lab.run("lab", "issue", folder, "--csr", request.path)
            phone.installCertificate(chain, lab.x5u(number))
            phone.publishKeys()
            val there = lab.number()
            val other = RingTrue.open(lab.config(there), lab.keys(there)).also { it.publishKeys() }
            assertEquals(Placement.STORED, phone.place(number, there).placement)
            other.ring(number).use { assertTrue(it.verdict is Verdict.Good) }
            assertEquals(Placement.STORED, other.place(there, number).placement)
            phone.ring(there).use { assertTrue(it.verdict is Verdict.Good) }
            phone.shutDown()
            other.shutDown()
        }
    }
}

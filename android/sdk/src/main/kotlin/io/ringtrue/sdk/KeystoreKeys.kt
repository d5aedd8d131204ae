package io.ringtrue.sdk

import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import java.io.File
import java.security.GeneralSecurityException
import java.security.ProviderException
import java.security.SecureRandom
import java.security.cert.X509Certificate
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Keys in the Android Keystore, one for signing and one for agreement.
 *
 * Each is made where it is kept best: in StrongBox, else in the trusted execution environment, else in
 * software, sealed in a file by a key of the Keystore. [protection] and the keys themselves say which it
 * became. None asks for an unlocked device or for the user: calls come in while a telephone is locked.
 *
 * Use the same [open] arguments at every start: the keys are made once and then found again.
 */
public class KeystoreKeys internal constructor(
    override val signing: SigningKey,
    override val agreement: AgreementKey,
    private val sealed: SealedFiles,
) : DeviceKeys {
    public companion object {
        /**
         * Finds the keys named [alias] or makes them, on a worker thread.
         *
         * With [attestationChallenge], which the certification authority gives, the signing key is made so
         * that [attestation] proves to that authority where it is kept. It has no effect on keys that are
         * there already.
         *
         * @throws RingTrueException `signer_failed` if the Keystore can make no key at all.
         */
        public suspend fun open(
            context: Context,
            alias: String = "ringtrue",
            attestationChallenge: ByteArray? = null,
        ): KeystoreKeys = withContext(Dispatchers.IO) {
            open(File(context.noBackupFilesDir, "keys"), alias, KeystoreSupport.of(context), attestationChallenge)
        }

        internal fun open(
            folder: File,
            alias: String,
            support: KeystoreSupport,
            attestationChallenge: ByteArray? = null,
        ): KeystoreKeys = try {
            val sealed = SealedFiles(folder, "$alias.seal")
            val keystore = KeystoreKeyPairs(support)
            val signing = keystore.signing("$alias.sign", attestationChallenge)
                ?: WrappedKey.open(sealed, "$alias.sign")
            val agreement = keystore.agreement("$alias.agree") ?: WrappedKey.open(sealed, "$alias.agree")
            KeystoreKeys(signing, agreement, sealed)
        } catch (e: GeneralSecurityException) {
            throw RingTrueException(Reason.SIGNER_FAILED, e)
        } catch (e: ProviderException) {
            throw RingTrueException(Reason.SIGNER_FAILED, e)
        }
    }

    /**
     * 32 octets for [RingTrueConfig.stateKey], made once and kept in a file that a key of the Keystore
     * seals. If that key is lost they are made anew, and the client begins anew. Blocks: not on the main
     * thread.
     */
    public fun stateKey(): ByteArray {
        sealed.read(STATE)?.takeIf { it.size == STATE_KEY_OCTETS }?.let { return it }
        val made = ByteArray(STATE_KEY_OCTETS).also(SecureRandom()::nextBytes)
        sealed.write(STATE, made)
        return made
    }

    /**
     * The Keystore's certificates for the signing key, leaf first, for the certification authority to check:
     * challenge, security level, revocation list and root. Empty for a key in software.
     */
    public fun attestation(): List<X509Certificate> = (signing as? KeystoreSigningKey)?.attestation() ?: listOf()

    override fun toString(): String = "KeystoreKeys(${protection.name.lowercase()})"
}

private const val STATE = "state"
private const val STATE_KEY_OCTETS = 32

/** What a device can do, as it declares it. */
internal class KeystoreSupport(
    val sdk: Int,
    /** Whether there is a StrongBox. */
    val strongBox: Boolean,
    /** Whether StrongBox agrees on keys. */
    val strongBoxAgrees: Boolean,
    /** Whether the trusted execution environment agrees on keys. */
    val hardwareAgrees: Boolean,
) {
    companion object {
        /** The version of the Keystore features from which on `PURPOSE_AGREE_KEY` is in hardware. */
        private const val AGREES = 100

        fun of(context: Context): KeystoreSupport {
            val features = context.packageManager
            val agreement = Build.VERSION.SDK_INT >= Build.VERSION_CODES.S
            return KeystoreSupport(
                sdk = Build.VERSION.SDK_INT,
                strongBox = features.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE),
                strongBoxAgrees = agreement &&
                    features.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, AGREES),
                hardwareAgrees = agreement &&
                    features.hasSystemFeature(PackageManager.FEATURE_HARDWARE_KEYSTORE, AGREES),
            )
        }
    }
}

package io.ringtrue.sdk

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Small secrets in files, sealed by an AES key that does not leave the Keystore.
 *
 * A file holds one octet of version, 12 octets of nonce, then ciphertext and tag of AES-256-GCM with the
 * secret's name as associated data.
 */
internal class SealedFiles(private val folder: File, private val alias: String) {
    /** The secret, or nothing if there is none or it no longer opens. */
    @Synchronized
    fun read(name: String): ByteArray? {
        val file = file(name)
        if (file.length() !in MIN_OCTETS..MAX_OCTETS) return null
        return try {
            val octets = file.readBytes()
            if (octets[0] != VERSION) return null
            val cipher = Cipher.getInstance(TRANSFORMATION)
            cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(TAG_BITS, octets, 1, NONCE_OCTETS))
            cipher.updateAAD(name.toByteArray())
            cipher.doFinal(octets, 1 + NONCE_OCTETS, octets.size - 1 - NONCE_OCTETS)
        } catch (_: GeneralSecurityException) {
            null
        } catch (_: IOException) {
            null
        }
    }

    /** Keeps a secret. The file is replaced as a whole. */
    @Synchronized
    fun write(name: String, secret: ByteArray) {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        // The Keystore chooses the nonce: it accepts none from outside.
        cipher.init(Cipher.ENCRYPT_MODE, key())
        cipher.updateAAD(name.toByteArray())
        val octets = byteArrayOf(VERSION) + cipher.iv + cipher.doFinal(secret)
        folder.mkdirs()
        val written = File(folder, "$name.new")
        written.writeBytes(octets)
        if (!written.renameTo(file(name))) throw GeneralSecurityException("not kept")
    }

    private fun file(name: String) = File(folder, "$name.sealed")

    private fun key(): SecretKey {
        val store = KeyStore.getInstance(ANDROID_KEYSTORE).apply { load(null) }
        (store.getKey(alias, null) as? SecretKey)?.let { return it }
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(KEY_BITS)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, ANDROID_KEYSTORE).run {
            init(spec)
            generateKey()
        }
    }

    private companion object {
        const val VERSION: Byte = 1
        const val NONCE_OCTETS = 12
        const val TAG_BITS = 128
        const val KEY_BITS = 256
        const val TRANSFORMATION = "AES/GCM/NoPadding"

        /** Version, nonce and tag. */
        const val MIN_OCTETS = 1L + NONCE_OCTETS + TAG_BITS / 8

        /** A PKCS#8 key is some 140 octets. */
        const val MAX_OCTETS = 4096L
    }
}

package io.ringtrue.sample

import android.content.Context
import io.ringtrue.sdk.CredentialStatus
import io.ringtrue.sdk.KeystoreKeys
import io.ringtrue.sdk.RingTrueConfig
import java.io.File

/** What the operator gave to this telephone, as the set-up screen stored it. */
internal class SampleSettings(private val context: Context) {
    private val stored = context.getSharedPreferences("operator", Context.MODE_PRIVATE)

    val isComplete: Boolean get() = number != null && service != null && anchorsPem != null

    var number: String? by text("number")
    var service: String? by text("service")
    var relay: String? by text("relay")
    var anchorsPem: String? by text("anchors")

    fun config(keys: KeystoreKeys): RingTrueConfig = RingTrueConfig(
        numbers = listOfNotNull(number),
        services = listOfNotNull(service),
        anchorsPem = listOfNotNull(anchorsPem),
        stateFile = File(context.noBackupFilesDir, "ringtrue.state"),
        stateKey = keys.stateKey(),
        // The certificate is asked for with the key in hardware and installed later; the client keeps it.
        credential = null,
        relay = relay,
        allowDirect = relay == null,
    )

    private fun text(name: String) = object : kotlin.properties.ReadWriteProperty<Any?, String?> {
        override fun getValue(thisRef: Any?, property: kotlin.reflect.KProperty<*>): String? =
            stored.getString(name, null)?.takeIf { it.isNotBlank() }

        override fun setValue(thisRef: Any?, property: kotlin.reflect.KProperty<*>, value: String?) {
            stored.edit().putString(name, value).apply()
        }
    }

    companion object {
        /** One line about the credential, for the set-up screen. */
        fun describe(status: CredentialStatus): String = when (val until = status.expires) {
            null -> "Credential: ${status.state.name.lowercase()}"
            else -> "Credential: ${status.state.name.lowercase()}, until $until"
        }
    }
}

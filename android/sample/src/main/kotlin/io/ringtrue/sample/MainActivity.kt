package io.ringtrue.sample

import android.Manifest
import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.telecom.TelecomManager
import android.text.InputType
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import io.ringtrue.sdk.OutgoingCall
import io.ringtrue.sdk.RingTrueException
import io.ringtrue.telecom.Role
import io.ringtrue.telecom.Roles
import io.ringtrue.telecom.placeAnnounced
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Set-up and a dial pad: what the operator gave, roles and permissions, certificate, calls. */
public class MainActivity : Activity() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val settings by lazy { SampleSettings(this) }
    private val roles by lazy { Roles(this) }
    private lateinit var status: TextView
    private var outgoing: OutgoingCall? = null

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        status = TextView(this)
        val column = LinearLayout(this).apply { orientation = LinearLayout.VERTICAL }
        column.addView(status)
        val number = column.field("Own number", settings.number, InputType.TYPE_CLASS_PHONE)
        val service = column.field("Service", settings.service)
        val relay = column.field("Relay", settings.relay)
        val anchors = column.field("Trust anchors (PEM)", settings.anchorsPem, InputType.TYPE_TEXT_FLAG_MULTI_LINE)
        column.button("Save") {
            settings.number = number.text.toString()
            settings.service = service.text.toString()
            settings.relay = relay.text.toString()
            settings.anchorsPem = anchors.text.toString()
        }
        column.button("Be the telephone") { ask() }
        val request = column.field("Certificate request (for the authority)", null, InputType.TYPE_TEXT_FLAG_MULTI_LINE)
        column.button("Make a request") { work { show(request, application().client().certificateRequest()) } }
        val chain = column.field("Certificate chain (from the authority)", null, InputType.TYPE_TEXT_FLAG_MULTI_LINE)
        val url = column.field("Where it is found", null)
        column.button("Install it") {
            val (pem, where) = chain.text.toString() to url.text.toString()
            work {
                application().client().installCertificate(pem, where)
                application().client().publishKeys()
            }
        }
        val callee = column.field("Call", null, InputType.TYPE_CLASS_PHONE)
        column.button("Call") { call(callee.text.toString()) }
        setContentView(ScrollView(this).apply { addView(column) })
    }

    override fun onResume() {
        super.onResume()
        // Nobody tells when a role is lost.
        val held = Role.entries.filter(roles::isHeld).joinToString { it.name.lowercase() }
        status.text = "Roles: $held"
        if (settings.isComplete) {
            work {
                val client = application().client()
                val line = "${SampleSettings.describe(client.credentialStatus())}\nKeys: ${client.protection.name.lowercase()}"
                runOnUiThread { status.text = "Roles: $held\n$line\n${application().calls.notice.orEmpty()}" }
            }
        }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Contacts, so that callers who pretend to be one are screened too; notifications, so that verdicts are seen. */
    private fun ask() {
        val permissions = mutableListOf(Manifest.permission.CALL_PHONE, Manifest.permission.READ_CONTACTS)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) permissions += Manifest.permission.POST_NOTIFICATIONS
        requestPermissions(permissions.toTypedArray(), 1)
        roles.request(Role.DIALER)?.let { startActivityForResult(it, 2) }
    }

    private fun call(to: String) {
        val from = settings.number ?: return
        val telecom = getSystemService(TelecomManager::class.java) ?: return
        work {
            outgoing?.close()
            outgoing = application().client().placeAnnounced(telecom, from, to)
        }
    }

    private fun application() = application as SampleApplication

    private fun show(field: EditText, text: String) = runOnUiThread { field.setText(text) }

    private fun work(what: suspend () -> Unit) {
        scope.launch {
            try {
                what()
            } catch (e: RingTrueException) {
                runOnUiThread { status.text = e.reason.name }
            } catch (e: SecurityException) {
                runOnUiThread { status.text = "not allowed" }
            }
        }
    }

    private fun LinearLayout.field(hint: String, value: String?, type: Int = InputType.TYPE_CLASS_TEXT): EditText {
        val field = EditText(context)
        field.hint = hint
        field.inputType = InputType.TYPE_CLASS_TEXT or type
        field.setText(value)
        addView(field)
        return field
    }

    private fun LinearLayout.button(label: String, act: () -> Unit) {
        val button = Button(context)
        button.text = label
        button.setOnClickListener { act() }
        addView(button)
    }
}

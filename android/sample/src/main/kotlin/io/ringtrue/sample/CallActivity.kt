package io.ringtrue.sample

import android.app.Activity
import android.graphics.Color
import android.os.Bundle
import android.telecom.Call
import android.view.Gravity
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import io.ringtrue.sdk.Verdict
import io.ringtrue.telecom.Wording

/** Who calls, and whether that is known; answer, or not. */
public class CallActivity : Activity() {
    private val calls get() = (application as SampleApplication).calls
    private lateinit var caller: TextView
    private lateinit var known: TextView
    private lateinit var answer: Button

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setShowWhenLocked(true)
        setTurnScreenOn(true)
        caller = TextView(this).apply { textSize = 30f }
        known = TextView(this).apply { textSize = 20f }
        answer = Button(this).apply {
            text = "Answer"
            setOnClickListener { calls.call?.let(SampleInCallService::answer) }
        }
        val end = Button(this).apply {
            text = "Hang up"
            setOnClickListener { hangUp() }
        }
        setContentView(LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            gravity = Gravity.CENTER
            listOf(caller, known, answer, end).forEach(::addView)
        })
    }

    override fun onResume() {
        super.onResume()
        calls.listen(::show)
        show()
    }

    override fun onPause() {
        calls.listen(null)
        super.onPause()
    }

    private fun show() {
        val call = calls.call
        if (call == null) {
            finish()
            return
        }
        caller.text = calls.number ?: "Unknown"
        val verdict = calls.verdict
        known.text = verdict?.let(Wording.English::title) ?: "Checking who calls"
        known.setTextColor(
            when (verdict) {
                is Verdict.Good -> Color.rgb(0, 120, 0)
                is Verdict.Conflicting -> Color.rgb(180, 80, 0)
                // No proof is no accusation: most calls have none.
                else -> Color.GRAY
            },
        )
        @Suppress("DEPRECATION")
        answer.visibility = if (call.state == Call.STATE_RINGING) View.VISIBLE else View.GONE
    }

    private fun hangUp() {
        val call = calls.call ?: return
        @Suppress("DEPRECATION")
        if (call.state == Call.STATE_RINGING) call.reject(false, null) else call.disconnect()
    }
}

package io.ringtrue.telecom

import android.util.Log
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

/**
 * Work that outlives a service: the system unbinds a screening service as soon as it has answered, while the
 * verdict is still to be shown. It ends with the process.
 */
internal val work = CoroutineScope(SupervisorJob() + Dispatchers.IO)

/** Tells developers of a fault without its text, which may hold anything. */
internal fun report(where: String, fault: Throwable) {
    Log.w("RingTrue", "$where: ${fault.javaClass.name}")
}

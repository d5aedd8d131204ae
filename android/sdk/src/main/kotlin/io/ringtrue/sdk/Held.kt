package io.ringtrue.sdk

import io.ringtrue.Disposable
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/**
 * An object of the generated code that is handed to others of its functions. Those do not look whether it was
 * closed, and would use memory that is free: here it stays until nobody uses it any more, and then is nobody's.
 */
internal class Held<T : Disposable>(private val value: T) {
    /** Who uses it, and one more until it is closed. */
    private val users = AtomicInteger(1)
    private val isClosed = AtomicBoolean()

    /**
     * Uses it. The block may suspend.
     *
     * @throws RingTrueException `cancelled` once it was closed.
     */
    inline fun <R> use(block: (T) -> R): R {
        enter()
        try {
            return block(value)
        } finally {
            leave()
        }
    }

    private fun enter() {
        val before = users.getAndUpdate { if (it == 0) 0 else it + 1 }
        if (before > 0) {
            if (!isClosed.get()) return
            leave()
        }
        throw RingTrueException(Reason.CANCELLED)
    }

    /** Lets it go as soon as nobody uses it. Repeating it does nothing. */
    fun close() {
        if (isClosed.compareAndSet(false, true)) leave()
    }

    private fun leave() {
        if (users.decrementAndGet() == 0) value.destroy()
    }
}

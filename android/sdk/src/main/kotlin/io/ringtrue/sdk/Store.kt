package io.ringtrue.sdk

import io.ringtrue.StateStore as GeneratedStore
import java.time.Instant

/**
 * A small key-value store with two transactions, in the place of [RingTrueConfig.stateFile].
 *
 * Called on a thread of the library that may block. Several processes may use one store at once. What a
 * method has returned survives the death of the process at any moment. Names and values are sealed with
 * [RingTrueConfig.stateKey]: they show neither numbers nor keys. Whatever is thrown becomes the reason
 * `state_unavailable`.
 *
 * A store that forgets a mark lets one announcement count twice; one that forgets a record makes the client
 * begin anew, as on a new device.
 */
public interface StateStore {
    /** Reads a record; nothing if there is none. */
    public fun load(name: String): ByteArray?

    /**
     * Writes a record if it still holds [expected] (nothing: if there is none), in one transaction. False if
     * it holds something else, and then nothing is written.
     */
    public fun save(name: String, expected: ByteArray?, value: ByteArray): Boolean

    /**
     * Inserts the mark [name] unless it is there, in one transaction; true if it was not. Marks that expire
     * before [now] may be forgotten.
     */
    public fun claim(name: String, expires: Instant, now: Instant): Boolean
}

internal class HostStore(private val store: StateStore) : GeneratedStore {
    override fun load(name: String): ByteArray? = guarded { store.load(name) }

    override fun save(name: String, expected: ByteArray?, value: ByteArray): Boolean =
        guarded { store.save(name, expected, value) }

    override fun claim(name: String, expiresUnixS: ULong, nowUnixS: ULong): Boolean =
        guarded { store.claim(name, expiresUnixS.instant(), nowUnixS.instant()) }
}

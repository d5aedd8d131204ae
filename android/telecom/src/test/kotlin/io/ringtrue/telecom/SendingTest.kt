package io.ringtrue.telecom

import android.content.ComponentName
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.UserHandle
import android.telecom.PhoneAccountHandle
import android.telecom.TelecomManager
import com.android.internal.telecom.ICallRedirectionAdapter
import com.android.internal.telecom.ICallRedirectionService
import com.android.internal.telecom.ITelecomService
import io.ringtrue.framework.Silence
import io.ringtrue.sdk.Placed
import io.ringtrue.sdk.Placement
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.Verdict
import io.ringtrue.testing.PATIENCE
import io.ringtrue.testing.config
import java.lang.reflect.Proxy
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The sending side: the redirection service through its real base class, and calls that are placed here. */
internal class SendingTest : WithMainThread() {
    /** A redirection service as an application writes it, and the system's side of it. */
    private class Redirecting(
        override val deadline: Duration = PATIENCE,
        private val opens: suspend () -> RingTrue,
    ) : RingTrueRedirectionService() {
        val went = LinkedBlockingQueue<String>()
        val placed = LinkedBlockingQueue<Placed>()
        private val binder: ICallRedirectionService

        init {
            attachBaseContext(TestContext())
            binder = ICallRedirectionService.Stub.asInterface(onBind(Intent()))
        }

        override suspend fun client(): RingTrue = opens()

        override suspend fun onPlaced(client: RingTrue, placed: Placed) {
            this.placed += placed
        }

        fun dials(handle: Uri) {
            val adapter = object : ICallRedirectionAdapter.Stub() {
                override fun cancelCall() {
                    went += "cancelled"
                }

                override fun placeCallUnmodified() {
                    went += "unmodified"
                }

                override fun redirectCall(handle: Uri, account: PhoneAccountHandle, confirm: Boolean) {
                    went += "redirected"
                }
            }
            binder.placeCall(adapter, handle, ACCOUNT, true)
        }

        fun assertGoesOutOnce() {
            assertEquals("unmodified", went.next())
            assertNull(went.poll(300, TimeUnit.MILLISECONDS))
        }
    }

    @Test
    fun `a call that another application dials is announced and goes out as it is`() = runBlocking {
        val caller = phone()
        val callee = reachable()
        val redirecting = Redirecting { caller }
        redirecting.dials(tel(callee.numbers.single()))
        redirecting.assertGoesOutOnce()
        val placed = redirecting.placed.next()
        assertEquals(Placement.STORED, placed.placement)
        callee.ring(caller.numbers.single()).use { assertTrue(it.verdict is Verdict.Good) }
    }

    @Test
    fun `whatever fails the call goes out once`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val silent = phone(number, lab.config(number, listOf(silence.baseUrl())))
            val never = CountDownLatch(1)
            val clients = listOf<suspend () -> RingTrue>(
                { silent }, { error("a defect") }, { throw UnsatisfiedLinkError() }, { never.await(); silent },
            )
            for (opens in clients) {
                Redirecting(deadline = 300.milliseconds, opens = opens).run {
                    dials(tel(lab.number()))
                    assertGoesOutOnce()
                }
            }
            never.countDown()
            Redirecting { silent }.run {
                dials(Uri.fromParts("sip", "bob@example.com", null))
                assertGoesOutOnce()
                dials(Uri.fromParts("tel", "911;phone-context=x", null))
                assertGoesOutOnce()
            }
        }
    }

    /** A telephony service that only places calls, and remembers them. */
    private class Telephony(private val fault: Exception? = null) {
        val placed = LinkedBlockingQueue<Uri>()
        val manager = TelecomManager(
            TestContext(),
            Proxy.newProxyInstance(javaClass.classLoader, arrayOf(ITelecomService::class.java)) { _, method, arguments ->
                if (method.name == "placeCall") {
                    fault?.let { throw it }
                    placed += arguments.first() as Uri
                }
                null
            } as ITelecomService,
        )
    }

    @Test
    fun `a call that is placed here is announced first`() = runBlocking {
        val caller = phone()
        val callee = reachable()
        val telephony = Telephony()
        val dest = callee.numbers.single()
        val call = caller.placeAnnounced(telephony.manager, caller.numbers.single(), dest, Bundle(), PATIENCE)
        assertEquals(dest, telephony.placed.single().schemeSpecificPart)
        callee.ring(caller.numbers.single()).use { assertTrue(it.verdict is Verdict.Good) }
        checkNotNull(call).close()
    }

    @Test
    fun `a call that cannot be announced is placed all the same`() = runBlocking {
        val caller = phone()
        val telephony = Telephony()
        assertNull(caller.placeAnnounced(telephony.manager, caller.numbers.single(), "bob", Bundle()))
        val unknown = caller.placeAnnounced(telephony.manager, caller.numbers.single(), lab.number(), Bundle())
        assertNotNull(unknown)
        assertEquals(2, telephony.placed.size)
        // Closed meanwhile.
        val closed = phone().also { it.shutDown() }
        assertNull(closed.placeAnnounced(telephony.manager, closed.numbers.single(), lab.number(), Bundle()))
        assertEquals(3, telephony.placed.size)
        val refused = Telephony(SecurityException("not allowed"))
        assertThrows(SecurityException::class.java) {
            runBlocking { caller.placeAnnounced(refused.manager, caller.numbers.single(), lab.number(), Bundle()) }
        }
        Unit
    }

    private companion object {
        val ACCOUNT = PhoneAccountHandle(ComponentName("io.ringtrue.test", "Sim"), "1", UserHandle.of(0))

        fun tel(number: String): Uri = Uri.fromParts("tel", "+$number", null)
    }
}

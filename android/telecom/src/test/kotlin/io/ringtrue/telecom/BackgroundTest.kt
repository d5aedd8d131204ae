package io.ringtrue.telecom

import android.app.Notification
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.app.job.JobWorkItem
import android.app.role.IRoleManager
import android.app.role.RoleManager
import android.content.pm.ApplicationInfo
import android.content.res.Resources
import io.ringtrue.sdk.RefreshStep
import io.ringtrue.sdk.Verdict
import io.ringtrue.testing.config
import java.lang.reflect.Proxy
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What happens besides calls: the schedule, roles, words. */
internal class BackgroundTest : WithMainThread() {
    private class Schedule : JobScheduler() {
        val jobs = mutableListOf<JobInfo>()

        override fun schedule(job: JobInfo): Int = RESULT_SUCCESS.also { jobs += job }

        override fun enqueue(job: JobInfo, work: JobWorkItem): Int = RESULT_FAILURE

        override fun scheduleAsPackage(job: JobInfo, name: String, user: Int, tag: String): Int = RESULT_FAILURE

        override fun cancel(jobId: Int) = Unit

        override fun cancelAll() = Unit

        override fun getAllPendingJobs(): List<JobInfo> = jobs

        override fun getPendingJob(jobId: Int): JobInfo? = jobs.lastOrNull { it.id == jobId }
    }

    private class WithServices(private val services: Map<Class<*>, Any>) : TestContext() {
        override fun getSystemServiceName(type: Class<*>): String = type.name

        override fun getSystemService(name: String): Any? = services.entries.firstOrNull { it.key.name == name }?.value
    }

    private abstract class Refreshing : RefreshJobService()

    @Test
    fun `a refresh is scheduled once for each period and asks for a network`() {
        val schedule = Schedule()
        val context = WithServices(mapOf(JobScheduler::class.java to schedule))
        repeat(2) { RefreshJobService.schedule(context, Refreshing::class.java, 7) }
        val job = schedule.jobs.single()
        assertEquals(7 to 8.hours.inWholeMilliseconds, job.id to job.intervalMillis)
        assertTrue(job.isPersisted && job.isPeriodic)
        assertTrue(job.requiredNetwork != null)
        RefreshJobService.schedule(context, Refreshing::class.java, 7, 24.hours)
        assertEquals(2, schedule.jobs.size)
        RefreshJobService.schedule(WithServices(mapOf()), Refreshing::class.java, 7)
    }

    @Test
    fun `a refresh is tried again when the network fails and not when it cannot help`() = runBlocking {
        val phone = phone()
        val steps = mutableListOf<RefreshStep>()
        assertEquals(RefreshOutcome.DONE, phone.refreshInBackground { steps += it })
        assertTrue(steps.any { it is RefreshStep.KeysArePublished })
        val number = lab.number()
        val offline = phone(number, lab.config(number, listOf("https://127.0.0.1:1")))
        assertEquals(RefreshOutcome.RETRY, offline.refreshInBackground())
        val without = lab.number()
        val bare = phone(without, lab.config(without).copy(credential = null), keys = null)
        assertEquals(RefreshOutcome.DONE, bare.refreshInBackground())
    }

    @Test
    fun `a role is not asked for where it is held or does not exist`() {
        val available = setOf(Role.SCREENING, Role.DIALER)
        val held = setOf(Role.DIALER)
        val system = Proxy.newProxyInstance(javaClass.classLoader, arrayOf(IRoleManager::class.java)) { _, method, arguments ->
            val name = arguments?.firstOrNull()
            when (method.name) {
                "isRoleAvailable", "isRoleAvailableAsUser" -> available.any { it.system == name }
                "isRoleHeld", "isRoleHeldAsUser" -> held.any { it.system == name }
                else -> null
            }
        } as IRoleManager
        val roles = Roles(WithServices(mapOf(RoleManager::class.java to RoleManager(TestContext(), system))))
        assertEquals(listOf(Role.DIALER), Role.entries.filter(roles::isHeld))
        assertEquals(listOf(Role.DIALER, Role.SCREENING), Role.entries.filter(roles::isAvailable))
        // Held already, and unknown to the device: there is nothing to ask.
        assertNull(roles.request(Role.DIALER))
        assertNull(roles.request(Role.REDIRECTION))
        assertNull(Roles(WithServices(mapOf())).request(Role.SCREENING))
    }

    @Test
    fun `words promise proof for good verdicts only and show no number in the title`() = runBlocking {
        val phone = phone()
        val verdict = phone.ring(lab.number()).use { it.verdict }
        val none = listOf(verdict, Verdict.unavailable("12025550143"))
        for (bad in none) {
            assertFalse(Wording.English.title(bad).startsWith("Verified"))
            assertFalse("12025550143" in Wording.English.title(bad))
        }
        assertEquals("12025550143", Wording.English.text(ScreenedCall("12025550143", NetworkVerdict.NONE), verdict))
    }

    /** A context in which notifications can be built. */
    private class Displaying : TestContext() {
        override fun getApplicationInfo() = ApplicationInfo().also {
            it.packageName = packageName
            it.targetSdkVersion = 35
        }

        override fun getUserId(): Int = 0

        override fun getResources(): Resources = object : Resources(javaClass.classLoader) {
            override fun getBoolean(id: Int): Boolean = false
        }
    }

    @Test
    fun `a notification on a locked screen shows what is known and not of whom`() {
        val verdict = Verdict.unavailable("12025550143")
        val call = ScreenedCall("12025550143", NetworkVerdict.NONE)
        val notification = VerdictNotification(Displaying(), 1).build(call, verdict)
        assertEquals(VerdictNotification.CHANNEL, notification.channelId)
        assertEquals(Notification.VISIBILITY_PRIVATE, notification.visibility)
        assertEquals("12025550143", notification.extras.getCharSequence(Notification.EXTRA_TEXT))
        val locked = checkNotNull(notification.publicVersion)
        assertEquals(Wording.English.title(verdict), locked.extras.getCharSequence(Notification.EXTRA_TITLE))
        assertNull(locked.extras.getCharSequence(Notification.EXTRA_TEXT))
    }
}

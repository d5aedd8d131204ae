package io.ringtrue.sdk

import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Rules that name classes which are no longer there keep nothing, and only a minified build would break. */
class ConsumerRulesTest {
    @Test
    fun `every class that the rules name exists`() {
        val rules = File(System.getProperty("ringtrue.root"), "android/sdk/consumer-rules.pro").readLines()
        val named = rules.mapNotNull { NAMED.find(it)?.groupValues?.get(1) }.filterNot { '*' in it }
        assertTrue("io.ringtrue.UniffiLib" in named)
        for (name in named) assertEquals(name, Class.forName(name, false, javaClass.classLoader).name)
        // What is kept by its base class: structures and callbacks of the generated code.
        val structure = Class.forName("io.ringtrue.RustBuffer", false, javaClass.classLoader)
        assertTrue(Class.forName("com.sun.jna.Structure").isAssignableFrom(structure))
        assertTrue(rules.any { it.startsWith("-keep class io.ringtrue.** extends com.sun.jna.Structure") })
        assertTrue(rules.any { it.startsWith("-keep class com.sun.jna.** ") })
    }

    private companion object {
        val NAMED = Regex("(?:extends|implements|-keep class) ([\\w.*]+)")
    }
}

package io.ringtrue.sdk

import java.io.File
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.ClassWriter
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes

/** A native library that is missing, or of another version than the code in front of it: each in a process. */
class LibraryTest {
    @TempDir
    lateinit var changed: Path

    /** What an application does first, and again. */
    object Probe {
        @JvmStatic
        fun main(arguments: Array<String>): Unit = runBlocking {
            val config = RingTrueConfig(numbers = listOf("12025550143"), services = listOf(), anchorsPem = listOf())
            val firsts = listOf<suspend () -> Unit>(
                { RingTrue.open(config) },
                { RingTrue.open(config, SoftwareKeys("no key")) },
                { SoftwareKeys("no key").signing },
                { MediaKeys.fromSdp("v=0") },
                { RingTrue.setLogSink({ _, _, _ -> }) },
                { RingTrue.setLogSink(null) },
            )
            for (first in firsts) {
                try {
                    first()
                    println("nothing")
                } catch (e: RingTrueException) {
                    println("${e.javaClass.simpleName} ${e.reason.name}")
                }
            }
        }
    }

    private fun probed(vararg options: String): List<String> {
        val path = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val command = listOf(File(System.getProperty("java.home"), "bin/java").path, "-XX:TieredStopAtLevel=1") +
            "-Djna.library.path=${System.getProperty("jna.library.path")}" + options +
            listOf("-cp", "$changed${File.pathSeparator}$path", Probe::class.java.name)
        val builder = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT)
        // Where the build put the library, which is looked at as well.
        builder.environment().remove("LD_LIBRARY_PATH")
        val process = builder.start()
        val lines = process.inputReader().readLines()
        assertEquals(0, process.waitFor())
        return lines
    }

    /** The first constant of a function of the generated code becomes another one. */
    private fun change(function: String) {
        var changes = 0
        val name = "io/ringtrue/RingtrueKt"
        val writer = ClassWriter(0)
        val change = object : ClassVisitor(Opcodes.ASM9, writer) {
            override fun visitMethod(
                access: Int, method: String, descriptor: String, signature: String?, exceptions: Array<String>?,
            ): MethodVisitor {
                val next = super.visitMethod(access, method, descriptor, signature, exceptions)
                if (method != function) return next
                return object : MethodVisitor(Opcodes.ASM9, next) {
                    override fun visitIntInsn(opcode: Int, operand: Int) =
                        super.visitIntInsn(opcode, if (changes++ == 0) operand xor 1 else operand)
                }
            }
        }
        checkNotNull(javaClass.classLoader.getResourceAsStream("$name.class")).use { ClassReader(it).accept(change, 0) }
        assertTrue(changes > 0, "no constant in $function")
        changed.resolve(name).parent.toFile().mkdirs()
        changed.resolve("$name.class").toFile().writeBytes(writer.toByteArray())
    }

    private val refused = List(6) { "LibraryException library_mismatch" }

    @Test
    fun `the right library is taken`() {
        val said = probed()
        assertEquals(List(3) { "nothing" }, said.takeLast(3))
        assertTrue(said.none { "LibraryException" in it }, "$said")
    }

    @Test
    fun `a missing library is a typed error each time`() = assertEquals(refused, probed("-Djna.library.path=/nowhere"))

    @Test
    fun `a library that is another one altogether is a typed error each time`() {
        // Of C; it has none of our functions.
        assertEquals(refused, probed("-Duniffi.component.ringtrue.libraryOverride=m"))
    }

    @Test
    fun `a library with another contract is a typed error each time`() {
        change("uniffiCheckContractApiVersion")
        assertEquals(refused, probed())
    }

    @Test
    fun `a library with another function is a typed error each time`() {
        change("uniffiCheckApiChecksums")
        assertEquals(refused, probed())
    }

    @Test
    fun `checksums are read so that every processor gives the same`() {
        // A 16-bit result is extended as the processor likes: it is taken as 32 bits and cut.
        val library = Class.forName("io.ringtrue.IntegrityCheckingUniffiLib", false, javaClass.classLoader)
        val checksums = library.declaredMethods.filter { "_checksum_" in it.name }
        assertTrue(checksums.size > 50)
        assertEquals(setOf<Class<*>>(Int::class.javaPrimitiveType!!), checksums.map { it.returnType }.toSet())
    }
}

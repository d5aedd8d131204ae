package io.ringtrue.sdk

import java.util.concurrent.Callable
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.ClassWriter
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes

/** A native library that is missing, or of another version than the code in front of it. */
class LibraryTest {
    /** What an application does first, and again; run with classes of its own. */
    class Probe : Callable<List<String>> {
        override fun call(): List<String> {
            val config = RingTrueConfig(numbers = listOf("12025550143"), services = listOf(), anchorsPem = listOf())
            val firsts = listOf<suspend () -> Unit>(
                { RingTrue.open(config) },
                { RingTrue.open(config, SoftwareKeys("no key")) },
                { SoftwareKeys("no key").signing },
                { MediaKeys.fromSdp("v=0") },
                { RingTrue.setLogSink({ _, _, _ -> }) },
            )
            return runBlocking {
                firsts.map { first ->
                    try {
                        first()
                        "nothing"
                    } catch (e: RingTrueException) {
                        "${e.javaClass.simpleName} ${e.reason.code} ${e.cause is LinkageError}"
                    }
                }
            }
        }
    }

    /** The layer and the generated code anew, which are loaded with the library once for each loader. */
    private class Anew(private val change: (String, ByteArray) -> ByteArray) :
        ClassLoader(LibraryTest::class.java.classLoader) {
        override fun loadClass(name: String, resolve: Boolean): Class<*> = synchronized(getClassLoadingLock(name)) {
            if (!name.startsWith("io.ringtrue.")) return super.loadClass(name, resolve)
            findLoadedClass(name) ?: run {
                val stream = getResourceAsStream(name.replace('.', '/') + ".class") ?: throw ClassNotFoundException(name)
                val octets = change(name, stream.use { it.readBytes() })
                defineClass(name, octets, 0, octets.size)
            }
        }
    }

    private fun probed(
        library: String? = null,
        change: (String, ByteArray) -> ByteArray = { _, octets -> octets },
    ): List<String> {
        library?.let { System.setProperty(OVERRIDE, it) }
        try {
            val probe = Anew(change).loadClass(Probe::class.java.name).getDeclaredConstructor().newInstance()
            @Suppress("UNCHECKED_CAST")
            return (probe as Callable<List<String>>).call()
        } finally {
            System.clearProperty(OVERRIDE)
        }
    }

    /** The generated code with one constant of one function changed. */
    private fun withConstant(function: String, from: Int?, to: Int): (String, ByteArray) -> ByteArray {
        var changed = 0
        return { name, octets ->
            if (name != "io.ringtrue.RingtrueKt") octets else {
                val writer = ClassWriter(0)
                ClassReader(octets).accept(object : ClassVisitor(Opcodes.ASM9, writer) {
                    override fun visitMethod(
                        access: Int, method: String, descriptor: String, signature: String?, exceptions: Array<String>?,
                    ): MethodVisitor {
                        val next = super.visitMethod(access, method, descriptor, signature, exceptions)
                        if (method != function) return next
                        return object : MethodVisitor(Opcodes.ASM9, next) {
                            override fun visitIntInsn(opcode: Int, operand: Int) {
                                val meant = opcode != Opcodes.NEWARRAY && (from == null || operand == from)
                                super.visitIntInsn(opcode, if (meant && changed++ == 0) to else operand)
                            }
                        }
                    }
                }, 0)
                assertEquals(true, changed > 0, "no constant in $function")
                writer.toByteArray()
            }
        }
    }

    private val refused = List(5) { "LibraryException 7001 true" }

    @Test
    fun `the same classes load with the right library`() {
        assertTrue(probed().none { it.startsWith("LibraryException") })
    }

    @Test
    fun `a missing library is a typed error each time`() = assertEquals(refused, probed("/nowhere/libringtrue_ffi.so"))

    @Test
    fun `a library that is another one altogether is a typed error each time`() {
        // Of C; it has none of our functions.
        assertEquals(refused, probed("m"))
    }

    @Test
    fun `a library with another contract or another function is a typed error each time`() {
        assertEquals(refused, probed(change = withConstant("uniffiCheckContractApiVersion", null, 99)))
        assertEquals(refused, probed(change = withConstant("uniffiCheckApiChecksums", 375, 376)))
    }

    @Test
    fun `checksums are read so that every processor gives the same`() {
        // A 16-bit result is extended as the processor likes: it is taken as 32 bits and cut.
        val library = Class.forName("io.ringtrue.IntegrityCheckingUniffiLib", false, javaClass.classLoader)
        val checksums = library.declaredMethods.filter { "_checksum_" in it.name }
        assertTrue(checksums.size > 50)
        assertEquals(setOf<Class<*>>(Int::class.javaPrimitiveType!!), checksums.map { it.returnType }.toSet())
    }

    private companion object {
        const val OVERRIDE = "uniffi.component.ringtrue.libraryOverride"
    }
}

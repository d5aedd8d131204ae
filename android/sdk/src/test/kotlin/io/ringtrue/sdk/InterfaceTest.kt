package io.ringtrue.sdk

import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes

/**
 * What the library can do, applications can reach: every function with all its parameters, every member of a
 * record and every value that bindings/uniffi/interface.txt lists is used by the compiled layer.
 */
class InterfaceTest {
    /** What the layer's code refers to in the generated code, in lower case and without underscores. */
    private class Uses : ClassVisitor(Opcodes.ASM9) {
        val methods = mutableSetOf<String>()
        val constructed = mutableMapOf<String, Int>()
        val values = mutableSetOf<String>()
        private var implements = listOf<String>()

        override fun visit(
            version: Int, access: Int, name: String, signature: String?, superName: String?, interfaces: Array<String>?,
        ) {
            implements = interfaces.orEmpty().filter { it.startsWith(GENERATED) }.map { it.plain() }
        }

        override fun visitMethod(
            access: Int, name: String, descriptor: String, signature: String?, exceptions: Array<String>?,
        ): MethodVisitor {
            // An interface of the application's is reached by whoever implements it.
            implements.forEach { methods += "$it.${name.plain()}" }
            return object : MethodVisitor(Opcodes.ASM9) {
                override fun visitMethodInsn(
                    opcode: Int, owner: String, called: String, descriptor: String, isInterface: Boolean,
                ) {
                    if (!owner.startsWith(GENERATED) || owner.startsWith(LAYER)) return
                    if (called == "<init>") {
                        val given = org.objectweb.asm.Type.getArgumentTypes(descriptor).size
                        // A constructor that puts defaults in has a mask of what is left out.
                        constructed.merge(owner.plain(), if ("I$MARKER" in descriptor) 0 else given, ::maxOf)
                    }
                    methods += "${owner.plain()}.${called.plain()}"
                }

                override fun visitFieldInsn(opcode: Int, owner: String, field: String, descriptor: String) {
                    if (owner.startsWith(GENERATED)) values += "${owner.plain()}.$field"
                }
            }
        }
    }

    private val uses = Uses().also { uses ->
        File(RingTrue::class.java.protectionDomain.codeSource.location.toURI()).walk()
            .filter { it.extension == "class" && LAYER in it.path }
            .forEach { ClassReader(it.readBytes()).accept(uses, ClassReader.SKIP_DEBUG) }
    }
    private val lines = File(System.getProperty("ringtrue.root"), "bindings/uniffi/interface.txt").readLines()

    @Test
    fun `every function is reached`() {
        val functions = lines.filter { it.startsWith("function ") }.map { it.split(" ")[1] }
        val missing = functions.filterNot { function ->
            val (kind, rest) = function.split("_", limit = 2)
            when (kind) {
                "func" -> "ringtruekt.${rest.plain()}" in uses.methods
                "method" -> uses.methods.any { it == "${rest.substringBefore('_')}.${rest.substringAfter('_').plain()}" }
                // An asynchronous one is a function of the companion.
                else -> rest.substringBefore('_') in uses.constructed ||
                    "${rest.substringBefore('_')}companion.${rest.substringAfter('_').plain()}" in uses.methods
            }
        }
        // Coroutines are cancelled by themselves: the two last are called, without a `Cancellation`.
        val needless = listOf(
            "constructor_cancellation_new", "method_cancellation_cancel", "method_endpoint_cancelled_by",
            "method_outgoingcall_changed", "method_ringingcall_changed",
        )
        assertEquals(needless, missing)
        assertTrue(functions.size > 50)
    }

    @Test
    fun `every member of every record is handed on`() {
        val missing = mutableListOf<String>()
        val records = lines.filter { it.startsWith("record ") }.map { it.removePrefix("record ").split(" ", limit = 2) }
        for ((record, members) in records) {
            val names = Regex("(\\w+):").findAll(members).map { it.groupValues[1].plain() }.toList()
            // Whole: with every member, and Kotlin's marker where one is an unsigned number.
            val given = uses.constructed[record.plain()] ?: 0
            if (given == names.size || given == names.size + 1) continue
            for (name in names) {
                val getters = listOf("get$name", name)
                if (getters.none { "${record.plain()}.$it" in uses.methods }) missing += "$record.$name"
            }
        }
        assertEquals(listOf<String>(), missing)
        assertTrue(records.size > 25)
    }

    @Test
    fun `every value has a counterpart`() {
        val named = lines.filter { it.startsWith("value ") }.map { it.split(" ")[1] }
        val missing = named.filterNot { "${it.substringBefore('.').plain()}.${it.substringAfter('.')}" in uses.values }
        assertEquals(listOf<String>(), missing)
        assertTrue(named.size > 60)
    }

    private companion object {
        const val GENERATED = "io/ringtrue/"
        const val LAYER = "io/ringtrue/sdk/"
        const val MARKER = "Lkotlin/jvm/internal/DefaultConstructorMarker;"

        /** Names as both sides write them: without folder, case, underscores and what Kotlin appends to some. */
        fun String.plain(): String =
            substringAfterLast('/').substringBefore('-').replace("_", "").replace("$", "").lowercase()
    }
}

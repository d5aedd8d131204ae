package io.ringtrue.sdk

import java.io.File
import java.nio.file.Path
import java.util.stream.Stream
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** The scenario files that every language plays unchanged. */
class ScenarioFilesTest {
    @TempDir
    lateinit var states: Path

    @TestFactory
    fun `every scenario file holds`(): Stream<DynamicTest> {
        val files = File(System.getProperty("ringtrue.root"), "tests/scenarios/files")
            .listFiles { file -> file.extension == "json" }.orEmpty().sortedBy { it.name }
        assertTrue(files.size > 3, "no files")
        return files.stream().map { file ->
            dynamicTest(file.nameWithoutExtension) {
                runBlocking {
                    ScenarioFile(file, File(states.toFile(), file.nameWithoutExtension)).use { it.play() }
                }
            }
        }
    }
}

// Versions in one place; those of Kotlin, coroutines and JNA are the ones of pom.xml. For Gradle 8.13 and JDK 17,
// which the Android plugin asks for.
plugins {
    id("com.android.application") version "8.13.0" apply false
    id("com.android.library") version "8.13.0" apply false
    id("org.jetbrains.kotlin.android") version "2.4.21" apply false
}

// `gradle publish`: the modules that are shipped, into a repository in a folder. Not into the local Maven
// repository: there the modules for the JVM have the same names.
subprojects {
    group = "io.ringtrue"
    version = "0.1.0"
    plugins.withId("maven-publish") {
        extensions.configure<PublishingExtension> {
            repositories.maven {
                name = "folder"
                url = uri(rootDir.resolve(property("ringtrue.maven") as String))
            }
        }
    }
}

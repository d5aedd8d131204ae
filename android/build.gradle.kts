// Versions in one place; those of Kotlin, coroutines and JNA are the ones of pom.xml.
plugins {
    id("com.android.application") version "8.13.0" apply false
    id("com.android.library") version "8.13.0" apply false
    id("org.jetbrains.kotlin.android") version "2.4.21" apply false
}

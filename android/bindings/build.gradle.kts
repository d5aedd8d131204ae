plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
    `maven-publish`
}

android {
    namespace = "io.ringtrue.bindings"
    compileSdk = 35
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("../sdk/consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    sourceSets["main"].kotlin.srcDir(rootDir.resolve(property("ringtrue.bindings") as String))
    sourceSets["main"].jniLibs.srcDir(rootDir.resolve(property("ringtrue.jniLibs") as String))
    publishing.singleVariant("release")
}

kotlin {
    // Generated: not held to the rules for what people write.
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_17
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "ringtrue-bindings"
        // The Android plugin makes the component late.
        afterEvaluate { from(components["release"]) }
    }
}

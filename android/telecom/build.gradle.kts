plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
    `maven-publish`
}

android {
    namespace = "io.ringtrue.telecom"
    compileSdk = 35
    defaultConfig {
        minSdk = 29
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    // The worker needs a support library of Google's repository; everything else does without.
    sourceSets["main"].kotlin.srcDir("src/workmanager/kotlin")
    publishing.singleVariant("release")
}

kotlin {
    explicitApi()
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_17
    }
}

dependencies {
    api(project(":sdk"))
    api("androidx.work:work-runtime:2.10.5")
}

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "ringtrue-telecom"
        // The Android plugin makes the component late.
        afterEvaluate { from(components["release"]) }
    }
}

// The build for people with the Android SDK and NDK: makes the AARs and the sample application.
// README.md says what of it was run.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "ringtrue-android"

include(":bindings", ":sdk", ":telecom", ":sample")

#!/bin/sh
# Builds the native library for the four ABIs of Android, into target/android/jniLibs, with 16 KB pages.
#
# Needs the Android NDK r28 or newer (ANDROID_NDK_HOME), cargo-ndk and the four Rust targets:
#   rustup target add aarch64-linux-android armv7-linux-androideabi i686-linux-android x86_64-linux-android
#   cargo install cargo-ndk
set -eu
cd "$(dirname "$0")/../.."
: "${ANDROID_NDK_HOME:?where is the NDK?}"
out=target/android/jniLibs
# r28 aligns to 16 KB by itself for 64 bits; said for all, so that an older linker does it too.
export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,max-page-size=16384"
cargo ndk --platform 26 \
    --target arm64-v8a --target armeabi-v7a --target x86 --target x86_64 \
    --output-dir "$out" \
    build --locked --release --package ringtrue-uniffi --lib
find "$out" -name '*.so' -exec android/scripts/check-page-size.py {} +

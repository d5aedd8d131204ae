#!/bin/sh
# Builds the native library for the four ABIs of Android, into target/android/jniLibs, with 16 KB pages.
#
# Needs the Android NDK r28 or newer (ANDROID_NDK_HOME), cargo-ndk and the four Rust targets:
#   rustup target add aarch64-linux-android armv7-linux-androideabi i686-linux-android x86_64-linux-android
#   cargo install cargo-ndk
#
# RINGTRUE_FEATURES holds further arguments of cargo: `--no-default-features` leaves the hybrid suites out. With
# RUSTC_BOOTSTRAP=1 and the component rust-src of rustup,
#   -Z build-std=std,panic_abort,panic_unwind -Z build-std-features=panic-unwind,optimize_for_size
# compiles the standard library for size as well, which is not stable (docs/adr/0024-size.md has the figures).
set -eu
cd "$(dirname "$0")/../.."
: "${ANDROID_NDK_HOME:?where is the NDK?}"
out=target/android/jniLibs
# r28 aligns to 16 KB by itself for 64 bits; said for all, so that an older linker does it too.
export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,max-page-size=16384"
# `rustc` for one kind of library: with two, cargo leaves the optimisation across crates out without a word.
# Packed relocations, which Android reads from API 23 on; identical functions once, where nobody takes their
# addresses; nothing of what only the bindings' generator reads.
# shellcheck disable=SC2086  # several arguments
cargo ndk --platform 26 \
    --target arm64-v8a --target armeabi-v7a --target x86 --target x86_64 \
    --output-dir "$out" \
    rustc --config packaging/shipped.toml --locked --profile release-mobile --package ringtrue-uniffi --lib --crate-type cdylib \
    ${RINGTRUE_FEATURES:-} -- \
    -C link-arg=-Wl,--pack-dyn-relocs=android -C link-arg=-Wl,--icf=safe \
    -C link-arg=-Wl,-T,"$PWD/packaging/without-metadata.ld"
find "$out" -name '*.so' -exec android/scripts/check-page-size.py {} +

#!/bin/sh
# Builds what the Swift package needs on Apple's systems: the native library as an XCFramework, and the
# generated Swift file. On a Mac with Xcode, and Rust by rustup:
#
#     ios/scripts/build-xcframework.sh
#
# Result: ios/Generated/CRingTrueFFI.xcframework (device, simulator, macOS) and
# ios/Generated/RingTrueFFI/RingTrueFFI.swift. Debug symbols are inside the XCFramework.
set -eu

name=CRingTrueFFI
library=libringtrue_ffi.dylib
profile=${RINGTRUE_PROFILE:-release-mobile}
min_ios=16.0
min_macos=13.0

here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
work=$target/xcframework
out=$here/Generated

for tool in cargo rustup xcrun xcodebuild lipo install_name_tool dsymutil strip codesign; do
    command -v "$tool" > /dev/null || { echo "$tool is missing: this needs a Mac with Xcode and rustup" >&2; exit 1; }
done

export IPHONEOS_DEPLOYMENT_TARGET=$min_ios
export MACOSX_DEPLOYMENT_TARGET=$min_macos

# build TRIPLE: the library for one kind of processor and system, with its debug information.
build() {
    rustup target add "$1"
    # One kind of library: with two, cargo leaves the optimisation across crates out without a word. From the
    # root, where cargo finds its configuration.
    (cd "$root" && cargo rustc --locked --package ringtrue-uniffi --lib --crate-type cdylib \
        --target "$1" --profile "$profile" --config "profile.$profile.debug=\"line-tables-only\"" \
        --config "profile.$profile.strip=false" --config "profile.$profile.split-debuginfo=\"packed\"")
}

# properties PLATFORM MINIMUM: the property list of a framework.
properties() {
    case $1 in
        MacOSX) minimum_key=LSMinimumSystemVersion ;;
        *) minimum_key=MinimumOSVersion ;;
    esac
    cat << PLIST
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>CFBundleDevelopmentRegion</key><string>en</string>
    <key>CFBundleExecutable</key><string>$name</string>
    <key>CFBundleIdentifier</key><string>io.ringtrue.$name</string>
    <key>CFBundleInfoDictionaryVersion</key><string>6.0</string>
    <key>CFBundleName</key><string>$name</string>
    <key>CFBundlePackageType</key><string>FMWK</string>
    <key>CFBundleShortVersionString</key><string>0.1.0</string>
    <key>CFBundleSupportedPlatforms</key><array><string>$1</string></array>
    <key>CFBundleVersion</key><string>1</string>
    <key>$minimum_key</key><string>$2</string>
</dict>
</plist>
PLIST
}

# slice NAME PLATFORM MINIMUM LAYOUT TRIPLE...: one framework of the XCFramework. LAYOUT is `flat`, or `versions` as macOS has it.
slice() {
    slice_name=$1 platform=$2 minimum=$3 layout=$4
    shift 4
    folder=$work/$slice_name
    bundle=$folder/$name.framework
    rm -rf "$folder"
    if [ "$layout" = versions ]; then
        inside=$bundle/Versions/A
        resources=$inside/Resources
        install_name=@rpath/$name.framework/Versions/A/$name
    else
        inside=$bundle
        resources=$bundle
        install_name=@rpath/$name.framework/$name
    fi
    mkdir -p "$inside/Headers" "$inside/Modules" "$resources"
    cp "$work/binding/$name.h" "$inside/Headers/"
    cp "$here/Native/framework.modulemap" "$inside/Modules/module.modulemap"
    properties "$platform" "$minimum" > "$resources/Info.plist"
    # The files of each kind of processor, as the arguments from now on.
    for triple; do
        shift
        set -- "$@" "$target/$triple/$folder_of_profile/$library"
    done
    lipo -create "$@" -output "$inside/$name"
    install_name_tool -id "$install_name" "$inside/$name"
    dsymutil "$inside/$name" -o "$folder/$name.framework.dSYM"
    strip -x "$inside/$name"
    if [ "$layout" = versions ]; then
        ln -s A "$bundle/Versions/Current"
        for link in Headers Modules Resources "$name"; do
            ln -s "Versions/Current/$link" "$bundle/$link"
        done
    fi
    # The tools above have broken the linker's signature, and the simulator on Apple's processors wants one. The application
    # signs anew.
    codesign --force --sign - "$bundle"
}

# Cargo's folder of the profile `dev` is `debug`, of the others their name.
case $profile in
    dev) folder_of_profile=debug ;;
    *) folder_of_profile=$profile ;;
esac

cargo run --manifest-path "$root/Cargo.toml" --quiet --package xtask -- \
    bindings --language swift --out "$work/binding"

for triple in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
    build "$triple"
done

slice ios iPhoneOS "$min_ios" flat aarch64-apple-ios
slice ios-simulator iPhoneSimulator "$min_ios" flat aarch64-apple-ios-sim x86_64-apple-ios
slice macos MacOSX "$min_macos" versions aarch64-apple-darwin x86_64-apple-darwin

mkdir -p "$out/RingTrueFFI"
rm -rf "$out/$name.xcframework"
set --
for made in ios ios-simulator macos; do
    set -- "$@" -framework "$work/$made/$name.framework" \
        -debug-symbols "$work/$made/$name.framework.dSYM"
done
xcodebuild -create-xcframework "$@" -output "$out/$name.xcframework"
cp "$work/binding/RingTrueFFI.swift" "$out/RingTrueFFI/"
echo "$out/$name.xcframework is ready"

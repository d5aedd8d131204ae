// swift-tools-version: 6.0
//
// The generated sources and the native library are not part of the repository. They lie in `Generated/`,
// where `scripts/build-xcframework.sh` (for Apple's systems) or `cargo xtask test --swift` (for Linux)
// puts them.

import PackageDescription

// The compiler of Swift 6.0 does not take the generated file in language mode 6.
let generated: [SwiftSetting] = [.swiftLanguageMode(.v5)]
let handWritten: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

#if os(Linux)
let native: Target = .systemLibrary(name: "CRingTrueFFI", path: "Generated/CRingTrueFFI")
// The tests run on Linux: they need a service beside them, and ask the allocator of glibc.
let tests: [Target] = [
    .systemLibrary(name: "CAllocator", path: "Tests/CAllocator"),
    .testTarget(
        name: "RingTrueTests",
        dependencies: ["CAllocator", "RingTrue", "RingTrueFFI", "RingTrueNotification"],
        swiftSettings: handWritten
    ),
]
#else
let native: Target = .binaryTarget(name: "CRingTrueFFI", path: "Generated/CRingTrueFFI.xcframework")
let tests: [Target] = []
#endif

let package = Package(
    name: "RingTrue",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "RingTrue", targets: ["RingTrue"]),
        .library(name: "RingTrueNotification", targets: ["RingTrueNotification"]),
    ],
    targets: [
        native,
        .target(
            name: "RingTrueFFI",
            dependencies: ["CRingTrueFFI"],
            path: "Generated/RingTrueFFI",
            swiftSettings: generated
        ),
        .target(name: "RingTrue", dependencies: ["RingTrueFFI"], swiftSettings: handWritten),
        .target(
            name: "RingTrueNotification",
            dependencies: ["RingTrue"],
            swiftSettings: handWritten
        ),
    ] + tests
)

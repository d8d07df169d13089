// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let nio = ["NIOCore", "NIOPosix", "NIOHTTP1"].map { Target.Dependency.product(name: $0, package: "swift-nio") }
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "jhub",
    products: [
        .executable(name: "jhub-install", targets: ["JHubInstall"]),
        .executable(name: "jhub-agent", targets: ["JHubAgent"]),
        // For the tests, which open it as if it were NVIDIA's.
        .library(name: "fake-nvml", type: .dynamic, targets: ["FakeNVML"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CNVML"),
        .systemLibrary(name: "CTimex"),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        .target(
            name: "Hosts",
            dependencies: ["CSSH2", .product(name: "Subprocess", package: "swift-subprocess"), system],
            resources: [.embedInCode("SSH/far-end.pl")], swiftSettings: settings),
        .target(name: "Containerd", dependencies: ["CNghttp2", system], swiftSettings: settings),
        .target(
            name: "Images", dependencies: ["CArchive", "Containerd", crypto, system], swiftSettings: settings),
        .target(name: "HTTP", dependencies: ["CCurl"], swiftSettings: settings),
        .target(
            name: "Bundles", dependencies: ["CCrypto", "Containerd", "Images", "HTTP", "Hosts", crypto, system],
            swiftSettings: settings),
        .target(name: "GPUs", dependencies: ["CNVML", system], swiftSettings: settings),
        .target(name: "Kube", dependencies: ["HTTP", "Yams"], swiftSettings: settings),
        .target(
            name: "Install", dependencies: ["Bundles", "Hosts", "Images", "HTTP", "Kube", "Yams", crypto, system],
            swiftSettings: settings),
        .target(
            name: "Agent",
            dependencies: ["CTimex", "GPUs", system, .product(name: "NIOSSL", package: "swift-nio-ssl")] + nio,
            swiftSettings: settings),
        .executableTarget(
            name: "JHubAgent",
            dependencies: [
                "Agent", "GPUs", .product(name: "ArgumentParser", package: "swift-argument-parser"), system,
            ] + nio,
            swiftSettings: settings,
            // What scripts/release asks of the linker, only this one can do.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"], .when(configuration: .release))]),
        .executableTarget(
            name: "JHubInstall",
            dependencies: [
                "Bundles", "Hosts", "Images", "Install",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), system,
            ],
            swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["Hosts", system], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "HostsTests", dependencies: ["Hosts", "TestSupport", system], exclude: ["Fixtures", "SSH/serve"],
            swiftSettings: settings),
        .testTarget(name: "ContainerdTests", dependencies: ["Containerd", system], swiftSettings: settings),
        .testTarget(
            name: "ImagesTests", dependencies: ["Images", "Containerd", "Hosts", "TestSupport", system],
            exclude: ["Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "BundlesTests",
            dependencies: ["Bundles", "Containerd", "Images", "HTTP", "Hosts", "TestSupport", crypto, system],
            swiftSettings: settings),
        .testTarget(
            name: "HTTPTests", dependencies: ["HTTP", "Hosts", "TestSupport"], swiftSettings: settings),
        .target(name: "FakeNVML", path: "Tests/FakeNVML"),
        .testTarget(name: "GPUsTests", dependencies: ["GPUs", system], swiftSettings: settings),
        .testTarget(
            name: "KubeTests", dependencies: ["Kube", "HTTP", "TestSupport"], exclude: ["Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "InstallTests",
            dependencies: ["Bundles", "Install", "Hosts", "Images", "HTTP", "Kube", "TestSupport", system],
            exclude: ["Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "AgentTests", dependencies: ["Agent", "GPUs", system] + nio, swiftSettings: settings),
        // The programs themselves, which `swift build --build-tests` puts beside the tests.
        .testTarget(
            name: "EndToEndTests", dependencies: ["Bundles", "Hosts", "Images", "Kube", "TestSupport", system],
            swiftSettings: settings),
    ]
)

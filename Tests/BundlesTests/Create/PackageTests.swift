import Hosts
import Images
import SystemPackage
import Testing

@testable import Bundles

@Suite struct PackageTests {
    private func package(_ control: String, in scratch: Scratch, _ compression: String = "xz") async throws
        -> DebianPackage
    {
        let name = "p\(UInt64.random(in: 0 ... .max))"
        let fields = "Version: 1.0\nArchitecture: all\nMaintainer: me <me@example.org>\nDescription: test\n"
        let own = control.contains("Version:") ? fields.replacing("Version: 1.0\n", with: "") : fields
        try scratch.write("\(name)/DEBIAN/control", "\(control)\n\(own)")
        let file = scratch.path.appending("\(name).deb")
        let outcome = try await LocalTransport().run([
            "dpkg-deb", "--root-owner-group", "-Z\(compression)", "--build", scratch.path.appending(name).string,
            file.string,
        ])
        try #require(outcome.status == 0, "\(outcome)")
        return try DebianPackage(reading: file)
    }

    @Test(arguments: ["gzip", "xz", "zstd", "none"]) func aPackageSaysWhatItIs(compression: String) async throws {
        try await Scratch.during { scratch in
            let package = try await package(
                "Package: a\nVersion: 1:2.0-3\nDepends: b,\n c | d", in: scratch, compression)
            #expect(package.name == "a" && package.version == "1:2.0-3" && package.architecture == "all")
            #expect(package.fields["Depends"] == "b, c | d")
        }
    }

    @Test(arguments: [
        "", "!<arch>\n", "hello", "!<arch>\ncontrol.tar.gz  0           0     0     100644  99        `\nxx",
    ])
    func whatIsNoPackageIsRefusedInOneLine(text: String) throws {
        try Scratch.with { scratch in
            let file = try scratch.write("a.deb", text)
            let error = #expect(throws: ImageError.self) { try DebianPackage(reading: file) }
            #expect(error?.description.contains("\n") == false && error?.description.contains("\(file)") == true)
        }
    }

    @Test func aClosedSetNeedsNothing() async throws {
        try await Scratch.during { scratch in
            let packages = [
                try await package("Package: a\nDepends: b (>= 1.0), mail-agent, x | c:any", in: scratch),
                try await package("Package: b\nPre-Depends: c", in: scratch),
                try await package("Package: c\nProvides: mail-agent", in: scratch),
            ]
            #expect(try PackageSet(packages, on: []).assumptions() == [])
        }
    }

    @Test func whatIsMissingIsAssumedOrRefused() async throws {
        try await Scratch.during { scratch in
            let packages = [try await package("Package: a\nDepends: libc6 (>= 2.36), adduser", in: scratch)]
            #expect(try PackageSet(packages, on: nil).assumptions() == ["adduser", "libc6 (>= 2.36)"])
            let target = [
                Inventory.Package(name: "libc6", version: "2.36-9+deb12u4", architecture: "amd64"),
                Inventory.Package(name: "adduser", version: "3.134", architecture: "all"),
            ]
            #expect(try PackageSet(packages, on: target).assumptions() == [])
            let old = [Inventory.Package(name: "libc6", version: "2.31-13", architecture: "amd64"), target[1]]
            let fault = #expect(throws: BundleFault.self) { try PackageSet(packages, on: old).assumptions() }
            #expect(fault?.description.contains("depends on libc6 (>= 2.36)") == true)
        }
    }

    @Test func packagesOfTwoReleasesAreRefused() async throws {
        try await Scratch.during { scratch in
            let packages = [
                try await package("Package: nginx\nDepends: nginx-common (= 1.22.1-9)", in: scratch),
                try await package("Package: nginx-common\nVersion: 1.18.0-6", in: scratch),
            ]
            let fault = #expect(throws: BundleFault.self) { try PackageSet(packages, on: nil).assumptions() }
            #expect(fault?.description.contains("nginx-common (= 1.22.1-9)") == true)
            #expect(fault?.description.contains("1.18.0-6") == true)
        }
    }

    @Test func aForeignArchitectureOrOnePackageTwiceIsRefused() async throws {
        try await Scratch.during { scratch in
            let one = try await package("Package: a", in: scratch)
            let two = try await package("Package: a\nVersion: 2.0", in: scratch)
            #expect(throws: BundleFault.self) { try PackageSet([one, two], on: nil).check() }
            try PackageSet([one], on: nil).check()
            let outcome = try await LocalTransport().run([
                "sed", "-i", "s/^Architecture: .*/Architecture: arm64/",
                one.path.string.dropLast(4) + "/DEBIAN/control",
            ])
            try #require(outcome.status == 0)
            let build: Command = ["dpkg-deb", "--build", String(one.path.string.dropLast(4)), one.path.string]
            try #require(try await LocalTransport().run(build).status == 0)
            let foreign = try DebianPackage(reading: one.path)
            #expect(throws: BundleFault.self) { try PackageSet([foreign], on: nil).check() }
        }
    }

    /// As dpkg itself orders them.
    @Test(arguments: [
        ("1.0", "1.0"), ("1.0", "1.1"), ("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.0", "1.0-1"), ("1:0.1", "2.0"),
        ("2.36-9+deb12u4", "2.36-9+deb12u10"), ("1.0a", "1.0"), ("1.0+", "1.0a"), ("0001.0", "1.0"), ("1.0-~", "1.0"),
        ("1.22.1-9", "1.22.1-9ubuntu1"), ("1.0.", "1.0"), ("a", "1"), ("1.0-1-2", "1.0-1-1"), ("1~~", "1~"),
    ])
    func versionsAreOrderedAsDpkgOrdersThem(one: String, other: String) async throws {
        for relation in ["<<", "<=", "=", ">=", ">>"] {
            let sign = ["<<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">>": "gt"][relation] ?? ""
            let outcome = try await LocalTransport().run(["dpkg", "--compare-versions", one, sign, other])
            #expect(
                PackageVersion(one).stands(relation, to: PackageVersion(other)) == (outcome.status == 0),
                "\(one) \(relation) \(other)")
        }
    }
}

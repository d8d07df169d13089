import Bundles
import Glibc
import Images
import SystemPackage
import Testing

@Suite struct SignatureTests {
    private func finding(_ path: FilePath, _ keys: PublicKey...) throws -> SignatureFinding {
        try BundleFolder(opening: path).signature(trusting: TrustedKeys(keys))
    }

    @Test func saysWhoSigned() throws {
        try Scratch.with { scratch in
            let path = try SampleBundle(in: scratch).path
            let (ours, theirs) = (SecretKey(comment: "release 2026"), SecretKey(comment: ""))
            #expect(try finding(path, ours.publicKey) == .unsigned)
            try BundleFolder(opening: path).sign(with: ours)
            #expect(try finding(path, ours.publicKey) == .trusted([ours.publicKey]))
            #expect(try finding(path, theirs.publicKey) == .unknown([ours.publicKey.id]))
            #expect(try finding(path) == .unknown([ours.publicKey.id]))
            try BundleFolder(opening: path).sign(with: theirs)
            #expect(try finding(path, theirs.publicKey) == .trusted([theirs.publicKey]))
            let both = try scratch.read("bundle/bundle.json.sig")
            // Ed25519 has no dice: signing again changes nothing.
            try BundleFolder(opening: path).sign(with: ours)
            #expect(try scratch.read("bundle/bundle.json.sig") == both)
            #expect(both.count(where: { $0 == 10 }) == 2)
        }
    }

    @Test func aChangedBundleOrSignatureIsWrong() throws {
        try Scratch.with { scratch in
            let path = try SampleBundle(in: scratch).path
            let key = SecretKey(comment: "us")
            try BundleFolder(opening: path).sign(with: key)
            let text = String(decoding: try scratch.read("bundle/bundle.json"), as: UTF8.self)
            try scratch.write("bundle/bundle.json", text.replacing("SINGLEUSER_IMAGE", with: "SINGLEUSER_IMAGO"))
            #expect(try finding(path, key.publicKey) == .wrong(key.publicKey))
            #expect(SignatureFinding.wrong(key.publicKey).fault(allowingUnsigned: true) != nil)
            try scratch.write("bundle/bundle.json", text)
            #expect(try finding(path, key.publicKey) == .trusted([key.publicKey]))
            // The first letter of the signature itself.
            let line = String(decoding: try scratch.read("bundle/bundle.json.sig"), as: UTF8.self).split(separator: " ")
            let other = (line[2].hasPrefix("A") ? "B" : "A") + line[2].dropFirst()
            try scratch.write("bundle/bundle.json.sig", "\(line[0]) \(line[1]) \(other)")
            #expect(try finding(path, key.publicKey) == .wrong(key.publicKey))
        }
    }

    @Test(arguments: ["nonsense\n", "jhub-signature-1 abc AAAA\n", "jhub-signature-1 0123456789abcdef AAAA\n"])
    func aFileThatHoldsNoSignaturesIsRefused(_ text: String) throws {
        try Scratch.with { scratch in
            let path = try SampleBundle(in: scratch).path
            try scratch.write("bundle/bundle.json.sig", text)
            let fault = #expect(throws: BundleFault.self) { try finding(path) }
            #expect(fault?.description.contains("bundle.json.sig has a line that is no signature") == true)
            #expect(fault?.blame == .bundle)
        }
    }

    @Test func onlyWhatIsAllowedIsAllowed() {
        let key = SecretKey(comment: "").publicKey
        #expect(SignatureFinding.unsigned.fault(allowingUnsigned: true) == nil)
        #expect(SignatureFinding.unknown(["a"]).fault(allowingUnsigned: true) == nil)
        #expect(SignatureFinding.trusted([key]).fault(allowingUnsigned: false) == nil)
        for finding in [SignatureFinding.unsigned, .unknown(["0123456789abcdef"]), .wrong(key)] {
            #expect(finding.fault(allowingUnsigned: false)?.blame == .bundle)
        }
        let unknown = SignatureFinding.unknown(["0123456789abcdef"]).fault(allowingUnsigned: false)
        #expect(unknown?.description.contains("0123456789abcdef") == true)
    }
}

@Suite struct KeyTests {
    @Test func keysAreReadAsTheyWereWritten() throws {
        try Scratch.with { scratch in
            let key = SecretKey(comment: "release key of site A")
            try key.write(to: scratch.path.appending("site"))
            let secret = scratch.path.appending("site.key")
            #expect(try Stat(secret).rawValue.st_mode & 0o777 == 0o600)
            #expect(try SecretKey(reading: secret).publicKey == key.publicKey)
            let open = try PublicKey(reading: scratch.path.appending("site.pub"))
            #expect(open == key.publicKey)
            #expect(open.comment == "release key of site A")
            #expect(open.id.count == 16 && open.fingerprint.hex.hasPrefix(open.id))
            #expect(String(decoding: try scratch.read("site.pub"), as: UTF8.self).hasPrefix("jhub-public-key-1 "))
            #expect("\(key)" == "***" && String(reflecting: key) == "***")
        }
    }

    @Test(arguments: ["site.key", "site.pub"]) func noKeyIsOverwritten(_ name: String) throws {
        try Scratch.with { scratch in
            try scratch.write(name, "mine")
            let fault = #expect(throws: BundleFault.self) {
                try SecretKey(comment: "").write(to: scratch.path.appending("site"))
            }
            #expect(fault?.description.hasPrefix("\(scratch.path)/\(name) is there already") == true)
            #expect(try scratch.read(name) == Array("mine".utf8))
        }
    }

    @Test func aSecretThatOthersCanReadIsNone() throws {
        try Scratch.with { scratch in
            try SecretKey(comment: "").write(to: scratch.path.appending("site"))
            let secret = scratch.path.appending("site.key")
            #expect(chmod(secret.string, 0o640) == 0)
            let fault = #expect(throws: BundleFault.self) { try SecretKey(reading: secret) }
            #expect(fault?.description.hasPrefix("others can read \(secret)") == true)
        }
    }

    private static let zeros = String(repeating: "A", count: 43) + "="
    private static let noKeys: [String] = [
        "", "jhub-public-key-1\n", "jhub-public-key-1 AAAA x\n", "jhub-public-key-2 \(zeros) x\n",
        "jhub-public-key-1 \(zeros) \u{1B}[2J\n", "jhub-public-key-1 \(zeros) x\njhub-public-key-1 \(zeros) y\n",
    ]

    @Test(arguments: noKeys)
    func whatIsNoKeyIsRefused(_ text: String) throws {
        try Scratch.with { scratch in
            let path = try scratch.write("a.pub", text)
            let fault = #expect(throws: BundleFault.self) { try PublicKey(reading: path) }
            #expect(fault?.description.hasPrefix("\(path) is no public key") == true)
        }
    }

    @Test func aFolderOfTrustedKeysIsRead() throws {
        try Scratch.with { scratch in
            let folder = scratch.path.appending("trusted")
            #expect(try TrustedKeys(in: folder).keys == [])
            let keys = [SecretKey(comment: "a"), SecretKey(comment: "b")].map(\.publicKey)
            for key in keys { try TrustedKeys.add(key, in: folder) }
            try scratch.write("trusted/README", "not a key")
            #expect(try Set(TrustedKeys(in: folder).keys) == Set(keys))
            for path in [folder, folder.appending("\(keys[0].id).pub")] {
                let mode = try Stat(path).rawValue.st_mode & 0o777
                #expect(chmod(path.string, mode | 0o020) == 0)
                let fault = #expect(throws: BundleFault.self) { try TrustedKeys(in: folder) }
                #expect(fault?.description.hasPrefix("others can write \(path)") == true)
                #expect(chmod(path.string, mode) == 0)
            }
        }
    }
}

import Bundles
import FoundationEssentials
import SystemPackage
import Testing

@testable import Install

/// What is asked of a bundle before anything of it is used.
@Suite struct GateTests {
    let bundle: TestBundle
    init() throws { bundle = try TestBundle() }

    private func gate(allowingUnsigned: Bool = false) -> Gate {
        Gate(
            allowsUnsigned: allowingUnsigned, keys: bundle.keys,
            memory: bundle.folder.path.pushing("cache/proved.json"))
    }

    /// What the gate says against it.
    private func refusal(allowingUnsigned: Bool = false, now: Date = .now) throws -> String {
        let bundle = try bundle.opened()
        let error = #expect(throws: (any Error).self) {
            try gate(allowingUnsigned: allowingUnsigned).pass(bundle, now: now)
        }
        return error.map { "\($0)" } ?? ""
    }

    @Test func aBundleOfAKnownKeyPasses() throws {
        let key = try bundle.sign(trusted: true)
        #expect(try gate().pass(bundle.opened()) == .signed(by: ["\(key.id) (site)"]))
    }

    @Test func whatNobodySignedHasToBeAllowed() throws {
        #expect(try refusal().contains("the bundle is not signed"))
        #expect(try refusal().hasSuffix("or say --allow-unsigned"))
        #expect(try gate(allowingUnsigned: true).pass(bundle.opened()) == .unsigned)
    }

    @Test func anUnknownKeyIsNamed() throws {
        let key = try bundle.sign(trusted: false)
        let words = try refusal()
        #expect(words.contains(key.id) && words.contains("'jhub-install bundle trust FILE.pub'"))
        #expect(try gate(allowingUnsigned: true).pass(bundle.opened()) == .unsigned)
    }

    @Test func aWrongSignatureIsNeverAllowed() throws {
        try bundle.sign(trusted: true)
        let text = try bundle.folder.text("bundle/bundle.json")
        try bundle.folder.put("bundle/bundle.json", text.replacing("SINGLEUSER_IMAGE", with: "SOMEBODY"))
        #expect(try refusal(allowingUnsigned: true).contains("(site) does not fit bundle.json"))
    }

    @Test func aPlainFolderIsUnsigned() throws {
        let plain = try TestFolder()
        try plain.put("images.tar")
        let opened = try Bundle(opening: plain.path)
        #expect(opened.folder == nil)
        let error = #expect(throws: BundleError.self) { try gate().pass(opened) }
        #expect(error?.description.hasPrefix("\(plain.path) is a plain folder") == true)
        #expect(try gate(allowingUnsigned: true).pass(opened) == .unsigned)
    }

    @Test func anArchiveBesideTheSignedBundleIsUnsigned() throws {
        try bundle.sign(trusted: true)
        let opened = try Bundle(opening: bundle.path, extraArchives: ["/media/usb/own.tar"])
        let error = #expect(throws: BundleError.self) { try gate().pass(opened) }
        #expect(error?.description.hasPrefix("/media/usb/own.tar, which the config names, is not in the") == true)
        #expect(try gate(allowingUnsigned: true).pass(opened) == .unsigned)
    }

    @Test func aFileThatIsNotInTheListIsRefused() throws {
        try bundle.folder.put("bundle/snaps/more.snap")
        #expect(try refusal(allowingUnsigned: true).contains("\(bundle.path)/snaps/more.snap is in no list"))
    }

    @Test func aClockBeforeTheBundleIsWrong() throws {
        let before = try Date(TestBundle.date, strategy: .iso8601) - 1
        #expect(try refusal(allowingUnsigned: true, now: before).contains("set the clock"))
    }

    @Test func oneBitOfASnapIsFound() throws {
        try bundle.flip(keepingTime: false)
        let words = try refusal(allowingUnsigned: true)
        #expect(words.contains("chunk 0 of snaps/microk8s_8142.snap (bytes 0 to 34) is damaged"))
        #expect(words.contains("'jhub-install bundle repair \(bundle.path) --from COPY'"))
    }

    /// Of a file that is as it was nothing is read again: else a change that leaves its time would be seen.
    @Test func whatWasProvedIsNotReadAgain() throws {
        _ = try gate(allowingUnsigned: true).pass(bundle.opened())
        try bundle.flip(keepingTime: true)
        #expect(try gate(allowingUnsigned: true).pass(bundle.opened()) == .unsigned)
        try bundle.folder.remove("cache/proved.json")
        #expect(try refusal(allowingUnsigned: true).contains("microk8s_8142.snap"))
    }

    @Test func whatIsRememberedOfAnotherBundleDoesNotCount() throws {
        _ = try gate(allowingUnsigned: true).pass(bundle.opened())
        try bundle.describe(as: "2026-01-03T00:00:00Z")
        try bundle.flip(keepingTime: true)
        #expect(try refusal(allowingUnsigned: true).contains("microk8s_8142.snap"))
    }
}

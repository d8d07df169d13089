import Bundles
import FoundationEssentials
import Images
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

    /// As a bundle of `--have` does, which says so.
    @Test func aBundleMayLeaveOutWhatTheSiteHas() throws {
        let layer = try #require(try bundle.opened().shelf().images().first?.layers.first).blob
        try bundle.leaveOut(layer)
        #expect(try gate(allowingUnsigned: true).pass(bundle.opened()) == .unsigned)
        #expect(try bundle.opened().omitted == [layer.digest])
    }

    @Test func volumesOnSeveralSticksAreOneBundle() throws {
        let sticks = try bundle.sticks()
        let opened = try Bundle(opening: sticks)
        guard case .signed = try gate().pass(opened) else { return #expect(Bool(false)) }
        #expect(try opened.snaps().map(\.name) == ["core20", "microk8s", "snapd"])
        #expect(try opened.chart("jupyterhub", version: "4.2.0") != nil)
        #expect(try opened.shelf().images().map { $0.names.map(\.description) } == [[TestBundle.image]])
    }

    /// None of what it has is named, and no advice is given that would not help.
    @Test(arguments: 1...2) func aMissingVolumeIsNamed(number: Int) throws {
        let sticks = try bundle.sticks()
        try bundle.folder.remove("together/volume-\(number)")
        let error = #expect(throws: BundleError.self) { try gate().pass(Bundle(opening: sticks)) }
        #expect(
            error?.description
                == "the bundle is not as it was made: volume \(number) of 2 is missing: put the directory "
                + "volume-\(number) beside the others")
    }

    @Test func aBundleForAnotherPlatformIsRefused() throws {
        try bundle.describe(as: TestBundle.date, for: Platform(os: "linux", architecture: "arm64"))
        try bundle.sign(trusted: true)
        #expect(try refusal() == "the bundle is for linux/arm64, and this machine is linux/amd64")
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

import Hosts
import Testing

@testable import Install

@Suite struct InstalledSnapsTests {
    private let head = "Name      Version   Rev    Tracking  Publisher    Notes\n"

    private func snaps(_ lines: String) throws -> [InstalledSnaps.Snap] {
        try InstalledSnaps().value(of: Outcome(output: head + lines))
    }

    @Test func noneAreInstalled() throws {
        let outcome = Outcome(errors: "No snaps are installed yet. Try 'snap install hello-world'.\n")
        #expect(try InstalledSnaps().value(of: outcome).isEmpty)
    }

    @Test(arguments: ["canonical✓", "canonical**"])
    func whoPublishedThemDoesNotMatter(_ publisher: String) throws {
        let found = try snaps(
            """
            core20    20240416  2318   -         \(publisher)  base
            microk8s  v1.30.14  8142   -         \(publisher)  classic,held
            snapd     2.63      21759  -         \(publisher)  snapd
            """)
        #expect(found.map(\.name) == ["core20", "microk8s", "snapd"])
        #expect(found.map(\.revision) == ["2318", "8142", "21759"])
        #expect(found.map(\.version) == ["20240416", "v1.30.14", "2.63"])
        #expect(found.map(\.isHeld) == [false, true, false])
    }

    @Test(arguments: [("held", true), ("classic", false), ("disabled,held", true), ("-", false), ("upheld", false)])
    func theNotesSayWhetherItIsHeld(_ notes: String, isHeld: Bool) throws {
        #expect(try snaps("microk8s  v1.30.14  8142  -  canonical✓  \(notes)\n").map(\.isHeld) == [isHeld])
    }

    @Test func oneWithoutAnAssertionHasNoPublisher() throws {
        let found = try snaps("microk8s  v1.30.14  x1     -         -            classic\n")
        #expect(found == [.init(name: "microk8s", version: "v1.30.14", revision: "x1", isHeld: false)])
    }

    @Test func whatItCannotReadIsAnError() {
        #expect(throws: FactError.self) { try snaps("microk8s v1.30.14\n") }
        let failed = Outcome(status: 1, errors: "error: cannot communicate with server: no\n")
        let error = #expect(throws: FactError.self) { try InstalledSnaps().value(of: failed) }
        #expect(error?.description == "snap list ended with status 1: error: cannot communicate with server: no")
    }
}

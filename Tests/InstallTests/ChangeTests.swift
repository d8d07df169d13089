import Hosts
import Kube
import SystemPackage
import Testing

@testable import Install

@Suite struct ChangeTests {
    static let actions: [(Change.Action, String)] = [
        (.write(File("/etc/a", "geheim", permissions: .ownerReadWrite)), "write /etc/a (6 bytes, 0600)"),
        (.write(File("/etc/a", "geheim"), test: ["nginx", "-t"]), "write /etc/a (6 bytes, 0644)"),
        (.make(Directory("/srv/a", permissions: FilePermissions(rawValue: 0o2770))), "make the folder /srv/a (02770)"),
        (.remove("/etc/a"), "remove /etc/a"), (.unload(["a:1", "a:2"]), "unload a:1, a:2"),
        (.run(Command(["helm", "a b"], input: Array("geheim".utf8)), undo: ["true"]), "run helm 'a b'"),
        (.apply(Manifest(secret)), "apply jhub Secret/s"), (.delete(Manifest(secret)), "delete jhub Secret/s"),
    ]

    private static let secret: JSON = [
        "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "namespace": "jhub"],
        "stringData": ["password": "geheim"],
    ]

    @Test(arguments: actions.indices) func itSaysWhatAndWhyAndNoContents(_ index: Int) {
        let (action, words) = Self.actions[index]
        #expect("\(Change(action, because: "so"))" == words + " (so)")
    }

    @Test func noChangesArePlannedAsSettled() {
        let change = Change(.remove("/a"), because: "so")
        #expect(Plan.of([]) == .settled)
        #expect(Plan.of([change]) == .changes([change]))
    }

    @Test func permissionsAreWrittenInOctal() {
        #expect(FilePermissions(rawValue: 0o644).octal == "0644")
        #expect(FilePermissions(rawValue: 0).octal == "00")
        #expect(FilePermissions(rawValue: 0o1777).octal == "01777")
    }
}

@Suite struct SequencesTests {
    @Test func anInstallationGoesInThisOrder() {
        #expect(
            Sequences.install.map(\.name) == [
                "host", "cluster", "images", "network", "dns", "storage", "hub", "access", "agent",
            ])
    }

    @Test func everyStageSaysWhatItDoes() {
        for stage in Sequences.install {
            #expect(stage.title.contains(" ") && stage.title.first?.isUppercase == true, "\(stage.name)")
            #expect(!stage.title.hasSuffix("."))
        }
        #expect(Set(Sequences.install.map(\.name)).count == Sequences.install.count)
    }
}

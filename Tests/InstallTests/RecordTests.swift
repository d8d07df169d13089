import FoundationEssentials
import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct RecordTests {
    let machine: TestMachine
    init() throws { machine = try TestMachine() }

    private func record(_ change: Change, _ result: String = "done") async throws {
        let entry = try await machine.record.begin(change, stage: "host", on: machine.site)
        try machine.record.end(entry, result)
    }

    private func lines() throws -> [JSON] {
        try machine.folder.text("record/changes.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    private func mode(_ name: String) throws -> Int? {
        let path = machine.folder.path.pushing(FilePath(name)).string
        return try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func aChangeIsALineBeforeAndALineAfter() async throws {
        try await record(Change(.write(File("/etc/a", "new")), because: "it is not there"))
        try await record(Change(.run(["false"], undo: ["true", "it"]), because: "so"), "failed: no")
        let lines = try lines()
        #expect(lines.map { $0["result"]?.string } == ["began", "done", "began", "failed: no"])
        for line in lines {
            #expect(line["run"] == "today" && line["host"] == "head" && line["stage"] == "host")
            let time = line["time"]?.string ?? ""
            #expect((try? Date(time, strategy: .iso8601)) != nil, "\(time)")
        }
        #expect(lines[0]["change"] == "write /etc/a (3 bytes, 0644)")
        #expect(lines[0]["reason"] == "it is not there")
        #expect(lines[0]["before"] == .null)
        #expect(lines[2]["undo"] == ["true", "it"])
        #expect(lines[2]["before"] == nil && lines[3]["undo"] == nil)
    }

    @Test func whatStoodThereIsKeptByItsHash() async throws {
        machine.host["/etc/a"] = "old"
        try await record(Change(.write(File("/etc/a", "new")), because: "so"))
        try await record(Change(.remove("/etc/a"), because: "so"))
        let hash = "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"
        #expect(try lines()[0]["before"] == ["sha256": .string(hash), "mode": "644", "owner": "0:0"])
        #expect(try lines()[2]["before"] == ["sha256": .string(hash)])
        #expect(try machine.folder.names(in: "record/before") == [hash])
        #expect(try machine.folder.text("record/before/\(hash)") == "old")
    }

    @Test func onlyItsOwnerReadsIt() async throws {
        machine.host["/etc/a"] = "old"
        try await record(Change(.write(File("/etc/a", "new")), because: "so"))
        #expect(try mode("record") == 0o700)
        #expect(try mode("record/changes.jsonl") == 0o600)
        #expect(try mode("record/before") == 0o700)
        let hash = try machine.folder.names(in: "record/before")[0]
        #expect(try mode("record/before/\(hash)") == 0o600)
    }

    @Test func aFoldersOldModeIsKept() async throws {
        let folder = Directory("/srv/jhub", permissions: [.ownerReadWriteExecute])
        try await record(Change(.make(folder), because: "so"))
        machine.host.place(.directory(FilePermissions(rawValue: 0o1777), Owner(user: 5, group: 6)), at: "/srv/jhub")
        try await record(Change(.make(folder), because: "so"))
        #expect(try lines().compactMap { $0["before"] } == [.null, ["mode": "1777", "owner": "5:6"]])
    }

    @Test func anObjectIsKeptAsItStood() async throws {
        let old: JSON = [
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "namespace": "jhub"],
            "data": ["password": "Z2VoZWlt"],
        ]
        machine.joins(try StubCluster([old]))
        var new = Manifest(old)
        try await record(Change(.apply(new), because: "so"))
        new = Manifest(["apiVersion": "v1", "kind": "Secret", "metadata": ["name": "t", "namespace": "jhub"]])
        try await record(Change(.apply(new), because: "so"))
        let hash = try #require(try lines()[0][["before", "sha256"]]?.string)
        #expect(try JSON(parsing: machine.folder.text("record/before/\(hash)")) == old)
        #expect(try lines()[2]["before"] == .null)
        #expect(try !machine.folder.text("record/changes.jsonl").contains("Z2VoZWlt"))
    }

    @Test func noSecretIsInTheLines() async throws {
        let secret = File("/var/lib/jhub/admin-password", "geheim", permissions: .ownerReadWrite, isSecret: true)
        machine.host["/var/lib/jhub/admin-password"] = "geheimer"
        try await record(Change(.write(secret), because: "the first admin needs a password"))
        try await record(Change(.run(Command(["helm", "upgrade"], input: Array("geheim".utf8))), because: "so"))
        #expect(try !machine.folder.text("record/changes.jsonl").contains("geheim"))
    }

    @Test func aLineStaysOneLine() async throws {
        try await record(Change(.run(["sh", "-c", "a\nb\r\u{2028}"]), because: "one\ntwo"), "failed: x\ny")
        let text = try machine.folder.text("record/changes.jsonl")
        #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == 2)
        #expect(try lines().count == 2)
    }
}

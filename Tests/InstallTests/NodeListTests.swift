import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct NodeListTests {
    static let key = "SHA256:" + String(repeating: "A", count: 43)
    static let other = "SHA256:" + String(repeating: "B", count: 42) + "E"

    private func faults(_ yaml: String) -> [String] {
        do {
            _ = try NodeList(yaml: yaml, file: "inventory.yaml")
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test func aNodeIsReadWithItsDefaults() throws {
        let list = try NodeList(
            yaml: """
                nodes:
                  - name: worker1
                    address: 10.99.0.11
                    hostKey: \(Self.key)
                  - name: worker2
                    address: 10.99.0.12
                    port: 2222
                    user: admin
                    hostKey: \(Self.other)
                    keyFile: /root/.ssh/id_ed25519
                    sudo: true
                    labels: {rack: "7", example.com/gpu: a100}
                """, file: "inventory.yaml")
        #expect(
            list.nodes == [
                NodeEntry(name: "worker1", address: "10.99.0.11", hostKey: Fingerprint(Self.key)),
                NodeEntry(
                    name: "worker2", address: "10.99.0.12", port: 2222, user: "admin", hostKey: Fingerprint(Self.other),
                    keyFile: "/root/.ssh/id_ed25519", usesSudo: true, labels: ["rack": "7", "example.com/gpu": "a100"]),
            ])
        #expect(list["10.99.0.12"]?.name == "worker2")
        #expect(list["worker3"] == nil)
    }

    @Test(arguments: ["", "# nothing yet\n", "nodes:\n", "nodes: []\ndeparted: []\n"])
    func anEmptyListHasNoNodes(_ yaml: String) throws {
        #expect(try NodeList(yaml: yaml, file: "inventory.yaml") == NodeList())
    }

    @Test func everyFaultIsNamedAtOnceWithItsLine() {
        let found = faults(
            """
            nodes:
              - name: Worker1
                adress: 10.99.0.11
                hostKey: SHA256:short
              - name: worker2
                address: fe80::1
                hostKey: \(Self.key)
                port: 0
                labels: {"-": x}
              - just words
            other: 1
            """)
        #expect(
            found == [
                "inventory.yaml:11: the inventory has no key 'other'",
                "inventory.yaml:3: a node has no key 'adress'; is address meant?",
                "inventory.yaml:2: name: 'Worker1' has capitals",
                "inventory.yaml:2: address: is missing: an IPv4 address",
                "inventory.yaml:4: hostKey: 'SHA256:short' is not a fingerprint as 'jhub-install nodes scan' prints it: "
                    + "SHA256:… with 43 letters",
                "inventory.yaml:6: address: 'fe80::1' is not an IPv4 address",
                "inventory.yaml:8: port: '0' is not a port, 1 to 65535",
                "inventory.yaml:9: labels: '-' is not a label's key, such as rack or example.com/rack",
                "inventory.yaml:10: a node has to have keys: name, address, port, user, hostKey, keyFile, sudo, labels",
            ])
    }

    @Test func noTwoNodesHaveOneNameOrAddress() {
        func node(_ name: String, _ address: String) -> String {
            "  - {name: \(name), address: \(address), hostKey: \(Self.key)}\n"
        }
        let twins = "nodes:\n" + node("a", "10.0.0.1") + node("b", "10.0.0.2") + node("a", "10.0.0.2")
        #expect(
            Set(faults(twins)) == [
                "inventory.yaml:4: a stands in line 2 already", "inventory.yaml:4: 10.0.0.2 stands in line 3 already",
            ])
    }

    @Test(arguments: ["nodes: {a: b}", "nodes: [", "- a", "nodes:\n  - name: [a]\n"])
    func whatIsNoListIsRefused(_ yaml: String) { #expect(!faults(yaml).isEmpty) }

    @Test func whatIsWrittenIsReadBack() throws {
        var list = NodeList()
        for (name, rack) in [("worker2", "true"), ("worker1", "0815"), ("10", "")] {
            list.put(
                NodeEntry(
                    name: name, address: "10.99.0.1\(list.nodes.count)", port: 2200, user: "no",
                    hostKey: Fingerprint(Self.key), keyFile: "/a b/key: #1", usesSudo: true, labels: ["rack": rack]))
        }
        list.drop(list.nodes[0], isClean: false)
        let text = String(decoding: try list.file().contents, as: UTF8.self)
        #expect(try NodeList(yaml: text, file: "again") == list)
        #expect(list.nodes.map(\.name) == ["worker1", "worker2"])
        #expect(list.departed.map(\.name) == ["10"])
    }

    @Test func aNodeThatComesBackHasNotDeparted() {
        let node = NodeEntry(name: "worker1", address: "10.99.0.11", hostKey: Fingerprint(Self.key))
        var list = NodeList(nodes: [node])
        list.drop(node, isClean: false)
        #expect(list == NodeList(departed: [node]))
        #expect(list["worker1"] == nil && list.departed("worker1") == node && list.departed("10.99.0.11") == node)
        list.put(node)
        #expect(list == NodeList(nodes: [node]))
        list.drop(node, isClean: true)
        #expect(list == NodeList())
    }

    @Test func aListThatSaysTheSameIsNotWrittenAgain() async throws {
        let host = ScriptedHost(
            files: [
                NodeList.path: "# by hand\nnodes:\n- {name: a, address: 10.0.0.1, hostKey: '\(Self.key)', port: 22}\n"
            ])
        var machine = try TestMachine()
        machine.settings = Settings()
        var site = machine.site
        site.head = host.host
        let list = try await NodeList.standing(on: host.host)
        #expect(try await KeepInventory(list).plan(for: site) == .settled)
        #expect(try await KeepInventory(NodeList()).plan(for: site) != .settled)
    }
}

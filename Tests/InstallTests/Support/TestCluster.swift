import Hosts
import Kube
import Synchronization
import SystemPackage
import TestSupport

@testable import Install

/// A head whose cluster answers, and a worker beside it.
struct TestCluster {
    static let fingerprint = Fingerprint("SHA256:" + String(repeating: "A", count: 43))
    static let entry = NodeEntry(name: "worker1", address: "10.99.0.11", hostKey: fingerprint)

    let head: TestMachine
    let worker = ScriptedHost(name: "worker1")
    let kube: StubCluster

    init() throws {
        (head, kube) = (try TestMachine(), try StubCluster())
        head.joins(kube)
        head.host["/var/snap/microk8s/current/certs/ca.crt"] = "AUTHORITY\n"
        worker["/proc/sys/kernel/hostname"] = "worker1\n"
    }

    var site: Site {
        var site = head.site
        site.worker = Worker(host: worker.host, entry: Self.entry)
        return site
    }

    /// The worker has joined a cluster with that authority.
    func joined(_ authority: String = "AUTHORITY\n") {
        worker["/var/snap/microk8s/current/var/lock/clustered.lock"] = ""
        worker["/var/snap/microk8s/current/certs/ca.remote.crt"] = authority
    }

    /// The cluster lists the worker.
    func listed(at address: String = entry.address, ready: Bool = true) throws {
        try kube.put([
            "apiVersion": "v1", "kind": "Node", "metadata": ["name": "worker1"],
            "status": [
                "addresses": [["type": "InternalIP", "address": .string(address)]],
                "conditions": [
                    ["type": "Ready", "status": .string(ready ? "True" : "False"), "message": "no network yet"]
                ],
                "nodeInfo": ["machineID": "1111"],
            ],
        ])
    }
}

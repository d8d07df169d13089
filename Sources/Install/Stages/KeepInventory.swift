import Hosts
import SystemPackage

/// The list of the nodes stands on the head.
struct KeepInventory: Stage {
    let name = "inventory"
    let title = "Write the inventory"
    var list: NodeList

    init(_ list: NodeList) { self.list = list }

    func plan(for site: Site) async throws -> Plan {
        // What somebody wrote by hand and says the same is left as it is, comments and all.
        if try await NodeList.standing(on: site.head) == list { return .settled }
        return .of(try await site.head.wants(try list.file(), because: "its nodes have changed"))
    }
}

import Bundles
import Hosts
import Images
import Testing

@testable import Install

@Suite struct InstalledPackagesTests {
    @Test func onlyWhatIsInstalledWholeCounts() throws {
        let said = """
            installed\tlibc6\t2.36-9+deb12u4\tamd64\t
            installed\tmawk\t1.3.4\tamd64\tawk
            config-files\told\t1.0\tall\t
            half-installed\tbroken\t1.0\tall\t

            """
        let packages = try InstalledPackages().value(of: Outcome(output: said))
        #expect(packages.map(\.name) == ["libc6", "mawk"])
        #expect(packages.map(\.provides) == [nil, "awk"])
        #expect(packages[0].version == "2.36-9+deb12u4" && packages[0].architecture == "amd64")
    }

    @Test(arguments: [
        Outcome(status: 2, errors: "dpkg-query: error: no database"), Outcome(output: "installed libc6\n"),
    ])
    func whatCannotBeReadIsNoEmptyList(outcome: Outcome) {
        #expect(throws: FactError.self) { try InstalledPackages().value(of: outcome) }
    }

    @Test func anInventoryIsReadAsItWasWritten() throws {
        let (one, other) = (Digest(of: [1]), Digest(of: [2]))
        let inventory = Inventory(
            system: .init(id: "debian", version: "12"), architecture: "amd64", versions: ["jupyterhub": "4.2.0"],
            content: ["head": [one, other], "worker1": [other]],
            packages: [.init(name: "mawk", version: "1.3.4", architecture: "amd64", provides: "awk")],
            snaps: [.init(name: "microk8s", version: "v1.30.1", revision: "8142")])
        #expect(try Inventory(parsing: inventory.text(), of: "inventory.json") == inventory)
        // What one node lacks has to be carried.
        #expect(inventory.everywhere == [other])
        for text in [
            "", "{}",
            String(decoding: try inventory.text(), as: UTF8.self).replacing("\"format\" : 1", with: "\"format\" : 2"),
        ] {
            #expect(throws: BundleFault.self) { try Inventory(parsing: Array(text.utf8), of: "inventory.json") }
        }
    }
}

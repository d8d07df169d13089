import Hosts
import Images
import SystemPackage
import TestSupport

@testable import Install

/// A machine of a test's making, with one address and one way out, and a bundle to fill.
struct TestMachine {
    let host = ScriptedHost(name: "head")
    let folder: TestFolder
    var settings = Settings()
    var provider: any Provider = MicroK8s()
    var images: any ImageStore = StubImages()

    init() throws {
        folder = try TestFolder()
        host.answer(["ip", "-json", "address", "show"], output: try PreflightMachine.text("addresses.json"))
        route("routes.json", try PreflightMachine.text("routes.json"))
        host["/proc/sys/kernel/hostname"] = "Head\n"
    }

    /// The address that the machine has.
    static let address = "10.99.0.2"

    func route(_ name: String, _ text: String) {
        host.answer(["ip", "-json", "-4", "route", "show"], output: text)
    }

    func hasNoRoute() throws { route("routes-none.json", try PreflightMachine.text("routes-none.json")) }

    var bundle: Bundle { Bundle(at: folder.path, index: folder.path.appending("index.json")) }
    var record: Record { Record(in: folder.path.appending("record"), run: "today") }

    var site: Site {
        Site(settings: settings, head: host.host, provider: provider, bundle: bundle, root: repository, images: images)
    }

    /// The machine's kubeconfig leads to this API server.
    func joins(_ cluster: StubCluster) { host[provider.kubeconfig] = cluster.kubeconfig }

    func changes(of stage: any Stage) async throws -> [Change] {
        guard case .changes(let changes) = try await stage.plan(for: site) else { return [] }
        return changes
    }

    func has(_ path: FilePath) { host.place(.directory(.ownerReadWriteExecute, .root), at: path) }

    func units(_ states: [String: String], else other: String = "active") {
        host.script { command, _ in
            guard command.argv.starts(with: ["systemctl", "is-active"]), let unit = command.argv.last else {
                return nil
            }
            let state = states[unit] ?? other
            return Outcome(status: state == "active" ? 0 : 3, output: state + "\n")
        }
    }
}

extension Change {
    /// The command's words, where it runs one.
    var argv: [String]? { if case .run(let command, _) = action { command.argv } else { nil } }
    var file: File? { if case .write(let file, _) = action { file } else { nil } }
}

extension [Change] {
    var commands: [String] { compactMap { $0.argv?.joined(separator: " ") } }
    var files: [String] { compactMap { $0.file?.path.string } }
}

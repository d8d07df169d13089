import Glibc
package import Hosts
package import SystemPackage

/// A containerd of a test's own: its state and its socket are in one folder, its process ends with the test.
package struct PrivateContainerd: Sendable {
    /// The folder, which is the test's to make and to remove.
    package let root: FilePath

    package init(in root: FilePath) { self.root = root }

    package var socket: FilePath { root.appending("containerd.sock") }
    package var ctr: [String] { ["ctr", "-a", socket.string, "-n", "k8s.io"] }

    /// What it takes, for a test that has to do without.
    package static let needs = "containerd, ctr and root"

    package static func isPossible() async throws -> Bool {
        let found = try await LocalTransport().run(["sh", "-c", "command -v containerd && command -v ctr"])
        return found.status == 0 && geteuid() == 0
    }

    /// The kubelet's side of it.
    package static let kubelets = "io.containerd.grpc.v1.cri"

    /// Starts it for as long as the body takes, without some of its plugins. `more` is added to its configuration.
    package func run(
        without plugins: [String] = [Self.kubelets], with more: String = "", _ body: () async throws -> Void
    ) async throws {
        let process = try await start(without: plugins, with: more)
        do {
            try await body()
        } catch {
            try await end(process)
            throw error
        }
        try await end(process)
    }

    package func ctr(_ arguments: String...) async throws -> Outcome {
        try await LocalTransport().run(Command(ctr + arguments))
    }

    private func start(without plugins: [String], with more: String) async throws -> pid_t {
        let configuration = """
            version = 2
            root = "\(root)/root"
            state = "\(root)/state"
            oom_score = 0
            disabled_plugins = \(["io.containerd.internal.v1.restart"] + plugins)
            [grpc]
              address = "\(socket)"
            [ttrpc]
              address = "\(root)/ttrpc.sock"
            [plugins."io.containerd.internal.v1.opt"]
              path = "\(root)/opt"
            \(more)
            """
        let transport = LocalTransport()
        try await transport.write(File(root.appending("config.toml"), configuration))
        let line = #"setsid containerd -c "$0" >"$1" 2>&1 </dev/null & echo $!"#
        let log = root.appending("containerd.log")
        let started = try await transport.run(["sh", "-c", line, root.appending("config.toml").string, log.string])
        guard let process = pid_t(started.output.filter(\.isNumber)) else { throw Failure(description: "\(started)") }
        for _ in 0..<200 {
            if try await ctr("version").status == 0 { return process }
            try await Task.sleep(for: .milliseconds(50))
        }
        try await end(process)
        let words = String(decoding: try await transport.read(log)?.suffix(500) ?? [], as: UTF8.self)
        throw Failure(description: "containerd does not answer: \(words)")
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private func end(_ process: pid_t) async throws {
        kill(process, SIGTERM)
        // An ended process has no command line, even while nobody has waited for it.
        while try await LocalTransport().read(FilePath("/proc/\(process)/cmdline"))?.isEmpty == false {
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

import Containerd
import Glibc
import Hosts
import Images
import SystemPackage
import Testing

/// A containerd of a test's own: its state, socket and process are in one
/// folder and gone with it.
struct PrivateContainerd {
    let folder: Folder
    var socket: FilePath { folder.path.appending("containerd.sock") }
    var ctr: [String] { ["ctr", "-a", socket.string, "-n", "k8s.io"] }
    var store: ContainerdStore { ContainerdStore(on: "here", at: socket) }
    var api: Containerd { Containerd(at: socket) }

    /// False, and a word about it, where there is no containerd; under CI that fails.
    static func with(_ body: (PrivateContainerd) async throws -> Void) async throws {
        let found = try await LocalTransport().run(["sh", "-c", "command -v containerd && command -v ctr"])
        guard found.status == 0, geteuid() == 0 else {
            try missing("containerd, ctr and root are needed to load images")
            return
        }
        try await Folder.with { folder in
            let containerd = PrivateContainerd(folder: folder)
            let process = try await containerd.start()
            do {
                try await body(containerd)
                try await containerd.end(process)
            } catch {
                try await containerd.end(process)
                throw error
            }
        }
    }

    func ctr(_ arguments: String...) async throws -> Outcome {
        try await LocalTransport().run(Command(ctr + arguments))
    }

    private func start() async throws -> pid_t {
        let path = folder.path.string
        let configuration = """
            version = 2
            root = "\(path)/root"
            state = "\(path)/state"
            oom_score = 0
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.restart"]
            [grpc]
              address = "\(socket)"
            [ttrpc]
              address = "\(path)/ttrpc.sock"
            [plugins."io.containerd.internal.v1.opt"]
              path = "\(path)/opt"
            """
        let file = try folder.write("config.toml", Array(configuration.utf8))
        let line = #"setsid containerd -c "$0" >"$1" 2>&1 </dev/null & echo $!"#
        let log = folder.path.appending("containerd.log")
        let started = try await LocalTransport().run(["sh", "-c", line, file.string, log.string])
        let process = try #require(pid_t(started.output.filter(\.isNumber)), "\(started)")
        for _ in 0..<200 {
            if try await ctr("version").status == 0 { return process }
            try await Task.sleep(for: .milliseconds(50))
        }
        try await end(process)
        Issue.record(
            "containerd does not answer: \(String(decoding: try contents(of: log).suffix(500), as: UTF8.self))")
        throw Errno.timedOut
    }

    private func end(_ process: pid_t) async throws {
        kill(process, SIGTERM)
        // An ended process has no command line, even while nobody has waited for it.
        while let line = try? contents(of: FilePath("/proc/\(process)/cmdline")), !line.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension PrivateContainerd {
    func image(_ name: String, _ members: [Tar.Member]) throws -> ArchivedImage {
        try #require(try folder.shelf(try folder.write(name, members)).images().first)
    }

    @discardableResult
    func load(_ image: ArchivedImage) async throws -> Effort {
        try await store.load([try #require(try await store.holdings().lacks(image))], LoadListener())
    }

    /// After a round of containerd's garbage collection.
    func collected() async throws -> Outcome {
        let name = "round-\(UInt64.random(in: 0 ... .max))"
        _ = try await ctr("leases", "create", "--id", name)
        return try await ctr("leases", "rm", "--sync", name)
    }
}

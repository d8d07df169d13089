import Glibc
import SystemPackage
import Testing

@testable import Agent

@Suite struct NodeTests {
    @Test func theKubeletsLinesOfMicroK8s() {
        let lines = KubeletLines(arguments: [
            "--kubeconfig=${SNAP_DATA}/credentials/kubelet.config", "--fail-swap-on=false",
            "--eviction-hard=\"memory.available<100Mi,nodefs.available<1Gi,imagefs.available<1Gi\"",
        ])
        #expect(
            lines.eviction == [
                "memory.available": .bytes(100 << 20), "nodefs.available": .bytes(1 << 30),
                "imagefs.available": .bytes(1 << 30),
            ])
        #expect(lines.imageCollection == 0.85)
    }

    @Test func theKubeletsLinesOfACommandLine() {
        let lines = KubeletLines(arguments: [
            "kubelet", "--image-gc-high-threshold", "70", "--eviction-hard=nodefs.available<10%",
        ])
        #expect(lines.imageCollection == 0.7)
        #expect(lines.eviction["nodefs.available"]?.amount(of: 200) == 20)
    }

    @Test func whatIsNotSaidIsTheKubeletsOwn() {
        let lines = KubeletLines(arguments: [String]())
        #expect(lines.eviction["imagefs.available"] == .share(0.15))
        #expect(lines.eviction["memory.available"] == .bytes(100 << 20))
    }

    @Test func memoryIsInBytes() {
        let memory = NodeMemory(parsing: "MemTotal:       24639412 kB\nMemFree: 1 kB\nMemAvailable:   20000000 kB\n")
        #expect(memory?.total == 24_639_412 << 10)
        #expect(memory?.available == 20_000_000 << 10)
        #expect(NodeMemory(parsing: "MemTotal: 1 kB\n") == nil)
    }

    @Test func processorTimeIsInSeconds() throws {
        let text =
            "cpu  100 200 300 4000 500 0 7 0 0 0\ncpu0 50 100 150 2000 250 0 3 0 0 0\ncpu1 1 1 1 1 1 1 1 1 1 1\nintr 5\n"
        let (seconds, processors) = try #require(ProcessorTimes.parsing(text))
        #expect(processors == 2)
        #expect(seconds["idle"] == 40)
        #expect(seconds["softirq"] == 0.07)
    }

    @Test func thisMachineHasAllOfIt() {
        var places = NodeWatch.Places()
        places.nodeFolders = ["/nowhere", "/"]
        places.imageFolders = ["/nowhere"]
        places.containerdSockets = ["/nowhere"]
        let sample = NodeWatch(places).sample()
        #expect(sample.memory.map { $0.available < $0.total } == true)
        #expect(sample.processors.map { $0 > 0 } == true)
        #expect(sample.disks.map(\.path) == ["/"])
        #expect(sample.isContainerdAlive == nil)
        #expect(sample.kubelet == nil)
        #expect(sample.clock != nil)
    }

    @Test func aSocketIsAliveWhileSomebodyListens() throws {
        let folder = try Folder()
        let path = folder.path.appending("s.sock")
        #expect(UnixSocket.isListening(at: path) == nil)
        let socket = try Listener(at: path, SOCK_STREAM)
        #expect(UnixSocket.isListening(at: path) == true)
        socket.end()
        #expect(UnixSocket.isListening(at: path) == false)
    }

    @Test func systemdIsTold() throws {
        let folder = try Folder()
        let path = folder.path.appending("notify")
        let socket = try Listener(at: path, SOCK_DGRAM)
        let manager = ServiceManager(socket: path.string)
        manager.ready()
        manager.alive("2 GPUs, healthy")
        #expect(socket.received() == "READY=1")
        #expect(socket.received() == "WATCHDOG=1\nSTATUS=2 GPUs, healthy")
        socket.end()
        // systemd restarting itself is no reason to stop.
        manager.alive("still here")
    }
}

/// A Unix socket that somebody listens at.
private final class Listener {
    private let socket: CInt

    init(at path: FilePath, _ kind: __socket_type) throws {
        socket = Glibc.socket(AF_UNIX, Int32(kind.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.string.utf8) }
        let bound = withUnsafeBytes(of: &address) { raw in
            bind(socket, raw.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(raw.count))
        }
        guard bound == 0, kind == SOCK_DGRAM || listen(socket, 1) == 0 else { throw Errno(rawValue: errno) }
    }

    func received() -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    func end() { close(socket) }
}

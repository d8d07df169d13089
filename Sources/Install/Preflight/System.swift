import Hosts
import SystemPackage

struct RunsAsRoot: Check {
    let id = "os.root"
    let title = "The installer runs as root"

    func finding(on site: Site) async throws -> Finding {
        let user = try await site.node.transport.run(["id", "-u"]).output.trimmed
        return user == "0"
            ? .passed("uid 0", needs: "uid 0")
            : .failed("uid \(user)", needs: "uid 0", fix: "run it again with sudo: sudo jhub-install")
    }
}

struct KnownRelease: Check {
    let id = "os.release"
    let title = "The distribution is one that was tried"
    static let known = ["ubuntu": ["22.04", "24.04"], "debian": ["12", "13"]]

    func finding(on site: Site) async throws -> Finding {
        let needs = "Ubuntu 22.04 or 24.04, Debian 12 or 13"
        let release = try await site.node.learn(OSRelease())
        return Self.known[release.id]?.contains(release.version ?? "") == true
            ? .passed(release.name, needs: needs)
            : .failed(release.name, needs: needs, fix: "install on a machine with one of these systems")
    }
}

struct KnownArchitecture: Check {
    let id = "os.arch"
    let title = "The processor is an x86-64"

    func finding(on site: Site) async throws -> Finding {
        let machine = try await site.node.transport.run(["uname", "-m"]).output.trimmed
        return machine == "x86_64"
            ? .passed(machine, needs: "x86_64")
            : .failed(
                machine, needs: "x86_64", fix: "install on an x86-64 machine: the bundle's programs run on no other")
    }
}

struct NewEnoughLibc: Check {
    let id = "os.glibc"
    let title = "The C library is new enough for our programs"

    func finding(on site: Site) async throws -> Finding {
        let needs = "glibc 2.35 or newer"
        let outcome = try await site.node.transport.run(["getconf", "GNU_LIBC_VERSION"])
        let words = outcome.output.words
        guard outcome.status == 0, words.first == "glibc", let version = words.last.map({ Version($0) }) else {
            return .failed(
                "no glibc: \(outcome.lastWords)", needs: needs,
                fix: "install on Ubuntu 22.04 or later, or Debian 12 or later")
        }
        return version >= Version("2.35")
            ? .passed("glibc \(version)", needs: needs)
            : .failed("glibc \(version)", needs: needs, fix: "install on Ubuntu 22.04 or later, or Debian 12 or later")
    }
}

struct NewEnoughKernel: Check {
    let id = "os.kernel"
    let title = "The kernel is new enough"

    func finding(on site: Site) async throws -> Finding {
        let release = try await site.node.transport.run(["uname", "-r"]).output.trimmed
        let needs = "5.15 or newer (below 4.18: refused)"
        let version = Version(release)
        if version >= Version("5.15") { return .passed(release, needs: needs) }
        let fix =
            "boot the distribution's own newer kernel: apt install linux-generic (Ubuntu) or linux-image-amd64 (Debian)"
        return version >= Version("4.18")
            ? .warning(release, needs: needs, fix: fix) : .failed(release, needs: needs, fix: fix)
    }
}

struct RunsSystemd: Check {
    let id = "os.systemd"
    let title = "systemd runs the machine"

    func finding(on site: Site) async throws -> Finding {
        let needs = "process 1 is systemd, and its state is running"
        let first = try await site.node.text(of: "/proc/1/comm")?.trimmed ?? "nothing"
        guard first == "systemd" else {
            return .failed(
                "process 1 is \(first)", needs: needs,
                fix: "install on a machine that systemd boots; snapd and MicroK8s run under no other")
        }
        let state = try await site.node.transport.run(["systemctl", "is-system-running"]).output.trimmed
        switch state {
        case "running", "starting", "initializing": return .passed("systemd, \(state)", needs: needs)
        case "degraded":
            return .warning("systemd, degraded", needs: needs, fix: "look at what failed: systemctl --failed")
        default:
            return .failed("systemd, \(state)", needs: needs, fix: "let the machine finish booting: systemctl default")
        }
    }
}

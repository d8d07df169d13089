import Hosts
import SystemPackage

struct OpenFiles: Check {
    let id = "os.fds"
    let title = "A service may open files enough"

    func finding(on site: Site) async throws -> Finding {
        let needs = "at least 65536"
        let text = try await site.node.text(of: "/proc/1/limits") ?? ""
        // "Max open files            1048576              1048576              files": soft, hard.
        guard let line = text.lines.first(where: { $0.hasPrefix("Max open files") }), line.words.count >= 5
        else { throw FactError("/proc/1/limits has no 'Max open files'") }
        let hard = line.words[4]
        if hard == "unlimited" || (Int(hard) ?? 0) >= 65_536 { return .passed(hard, needs: needs) }
        return .warning(
            hard, needs: needs,
            fix: "DefaultLimitNOFILE=524288 in /etc/systemd/system.conf, then systemctl daemon-reexec")
    }
}

/// With 0077 the folders that we and the kubelet make cannot be read from inside a pod.
struct OpenUmask: Check {
    let id = "os.umask"
    let title = "New files can be read by pods"

    func finding(on site: Site) async throws -> Finding {
        let needs = "0022 or 0027"
        let text = try await site.node.text(of: "/proc/self/status") ?? ""
        guard let line = text.lines.first(where: { $0.hasPrefix("Umask:") }), let mask = line.words.last else {
            throw FactError("/proc/self/status has no Umask")
        }
        return ["0022", "0002", "0027", "0000"].contains(mask)
            ? .passed(mask, needs: needs)
            : .warning(
                mask, needs: needs, fix: "run the installer with: umask 0022; and set UMASK 022 in /etc/login.defs")
    }
}

struct Locale: Check {
    let id = "os.locale_tz"
    let title = "A UTF-8 locale is there"

    func finding(on site: Site) async throws -> Finding {
        let names = try await site.node.transport.run(["locale", "-a"]).output.lines
        let utf8 = names.first { $0.lowercased().hasSuffix("utf8") || $0.lowercased().hasSuffix("utf-8") }
        return utf8.map { .passed($0, needs: "one") }
            ?? .info("none", needs: "one", fix: "apt install locales && locale-gen C.UTF-8")
    }
}

import Hosts
import SystemPackage

struct RightHostname: Check {
    let id = "id.hostname"
    let title = "The host name can be a node's name"

    func finding(on site: Site) async throws -> Finding {
        let needs = "a-z, 0-9, '-' and '.', at most 54 characters, not localhost"
        let name = try await site.node.hostname()
        guard let fault = Self.fault(of: name) else { return .passed(name, needs: needs) }
        return .failed("'\(name)' \(fault)", needs: needs, fix: "hostnamectl set-hostname \(Self.mended(name))")
    }

    static func fault(of name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name == "localhost" || name.hasPrefix("localhost.") { return "means every machine" }
        if name.count > 54 { return "has \(name.count) characters" }
        if name.contains(where: \.isUppercase) { return "has capitals" }
        if name.contains("_") { return "has an underscore" }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isWhole = labels.allSatisfy { label in
            !label.isEmpty && label.first != "-" && label.last != "-"
                && label.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
        }
        return isWhole ? nil : "is not a DNS name"
    }

    /// What comes nearest to it and would do.
    static func mended(_ name: String) -> String {
        let letters = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
        let short = String(letters.drop { $0 == "-" || $0 == "." }.prefix(54))
        let whole = String(short.reversed().drop { $0 == "-" || $0 == "." }.reversed())
        return fault(of: whole) == nil ? whole : "jupyter-head"
    }
}

struct FindsItself: Check {
    let id = "id.hosts"
    let title = "The machine finds itself by name"

    func finding(on site: Site) async throws -> Finding {
        let name = try await site.node.hostname()
        let needs = "an address of this machine that others can use"
        let addresses = try await site.node.transport.run(["getent", "ahosts", name]).output.lines.compactMap {
            $0.words.first
        }
        let measured = addresses.first.map { "\(name) is \($0)" } ?? "\(name) is not known"
        // systemd's own resolver answers with every address of the machine, link-local ones too.
        let isUsable = addresses.contains { !$0.hasPrefix("127.") && $0 != "::1" }
        return isUsable
            ? .passed(measured, needs: needs)
            : .info(measured, needs: needs, fix: "stage host writes it into /etc/hosts")
    }
}

/// The kubelet's certificate carries the name that the node had when it was made.
struct SameNodeName: Check {
    let id = "id.fqdn_change"
    let title = "The node still has the name that the cluster knows"
    static let certificate: FilePath = "/var/snap/microk8s/current/certs/kubelet.crt"

    func finding(on site: Site) async throws -> Finding {
        let needs = "the name of the kubelet's certificate"
        guard try await site.node.has(Self.certificate) else { return .passed("no node yet", needs: needs) }
        let name = try await site.node.hostname().lowercased()
        let certificate = try await site.node.learn(Certificate(at: Self.certificate))
        guard let range = certificate.subject.firstRange(of: "system:node:") else {
            throw FactError("the kubelet's certificate names no node: \(certificate.subject)")
        }
        let node = certificate.subject[range.upperBound...].prefix { $0 != "," && $0 != "/" && !$0.isWhitespace }
        return node == name
            ? .passed(name, needs: needs)
            : .failed(
                "the host is \(name), the node is \(node)", needs: needs,
                fix: "give it its old name back: hostnamectl set-hostname \(node)")
    }
}

struct ClockKept: Check {
    let id = "time.sync"
    let title = "Something keeps the clock"

    func finding(on site: Site) async throws -> Finding {
        let needs = "synchronised"
        let outcome = try await site.node.transport.run(["timedatectl", "show"])
        guard outcome.status == 0 else { throw FactError("timedatectl says '\(outcome.lastWords)'") }
        let values = outcome.output.assignments
        if values["NTPSynchronized"] == "yes" { return .passed("synchronised", needs: needs) }
        return .warning(
            values["NTP"] == "yes" ? "not yet synchronised" : "nothing does", needs: needs,
            fix:
                "name the site's time server: NTP=ADDRESS in /etc/systemd/timesyncd.conf, then timedatectl set-ntp true"
        )
    }
}

/// A clock that stands behind makes certificates that are not yet valid. What
/// was carried in was made before now, and so were the cluster's certificates.
struct SaneClock: Check {
    let id = "time.sane"
    let title = "The clock is not behind"

    func finding(on site: Site) async throws -> Finding {
        let needs = "later than the bundle's files and the cluster's certificates"
        let host = site.node
        let now = try await host.now()
        var files = try site.bundle.archives() + site.bundle.snaps().map(\.file)
        files += try site.bundle.packages()
        var newest: (time: Int, name: String) = (0, "")
        if !files.isEmpty {
            let outcome = try await host.transport.run(Command(["stat", "--format=%Y %n", "--"] + files.map(\.string)))
            for line in outcome.output.lines {
                guard let blank = line.firstIndex(of: " "), let time = Int(line[..<blank]) else { continue }
                if time > newest.time { newest = (time, String(line[line.index(after: blank)...])) }
            }
        }
        for path: FilePath in [
            "/var/snap/microk8s/current/certs/ca.crt", "/var/snap/microk8s/current/certs/server.crt",
        ]
        where try await host.has(path) {
            let start = try await host.learn(Certificate(at: path)).start
            if start > newest.time { newest = (start, path.string) }
        }
        let behind = newest.time - now
        // FAT keeps times to two seconds, and a copy from a machine nearby may be a little ahead.
        guard behind > 300 else { return .passed("unix time \(now)", needs: needs) }
        return .failed(
            "\(behind < 172_800 ? "\(behind / 60) minutes" : "\(behind / 86_400) days") behind \(newest.name)",
            needs: needs,
            fix: "set it: timedatectl set-ntp false; timedatectl set-time 'YYYY-MM-DD HH:MM:SS'; hwclock --systohc")
    }
}

extension Host {
    /// Seconds since 1970 by that machine's own clock.
    func now() async throws -> Int {
        let output = try await transport.run(["date", "+%s"]).output.trimmed
        guard let seconds = Int(output) else { throw FactError("date says '\(output)'") }
        return seconds
    }
}

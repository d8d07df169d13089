import Hosts
import SystemPackage

import struct Foundation.Date

struct NotTheHead: Check {
    let id = "node.head"
    let title = "The machine is not the head itself"
    private let bootID: FilePath = "/proc/sys/kernel/random/boot_id"
    private let machineID: FilePath = "/etc/machine-id"

    func finding(on site: Site) async throws -> Finding {
        let needs = "another machine"
        let (own, heads) = (try await site.node.text(of: bootID), try await site.head.text(of: bootID))
        guard own != nil, own == heads else { return .passed("another", needs: needs) }
        // Containers of one computer have its boot's number in common, and their machine-ids of their own.
        let ids = (try await site.node.text(of: machineID), try await site.head.text(of: machineID))
        let names = (try await site.node.hostname(), try await site.head.hostname())
        return ids.0 == ids.1 && names.0 == names.1
            ? .failed(
                "it is the head", needs: needs, fix: "name another machine: the head runs users' servers as it is")
            : .passed("another", needs: needs)
    }
}

/// Clones of one virtual machine have its name, its machine-id or its cards' addresses.
struct UniqueNode: Check {
    let id = "node.unique"
    let title = "No other machine has its name, machine-id or addresses"
    /// The head, the nodes of the cluster, and those that are to join beside this one.
    let others: [NodeIdentity]

    func finding(on site: Site) async throws -> Finding {
        let needs = "name, machine-id, addresses and cards of its own"
        guard let worker = site.worker else { return .passed("the head", needs: needs) }
        let own = try await NodeIdentity.of(site.node, at: worker.entry.address)
        let strangers = others.filter { !$0.isSame(as: own) }
        if let other = strangers.first(where: { $0.machineID == own.machineID }) {
            return .failed(
                "machine-id \(own.machineID) is also that of \(other.name) (\(other.address))", needs: needs,
                fix: "on the clone: rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot")
        }
        if let other = strangers.first(where: { $0.name == own.name }) {
            return .failed(
                "\(other.address) is called \(own.name), too", needs: needs,
                fix: "give one of them another name: hostnamectl set-hostname NAME")
        }
        if let other = strangers.first(where: { $0.address == own.address }) {
            return .failed(
                "\(own.address) is also the address of \(other.name)", needs: needs, fix: "give one of them another")
        }
        if let other = strangers.first(where: { !$0.hardware.isDisjoint(with: own.hardware) }) {
            return .failed(
                "a card has the same MAC address as one of \(other.name)", needs: needs,
                fix: "let the hypervisor make a new one for the clone")
        }
        return .passed("\(own.name), machine-id \(own.machineID.prefix(8))…", needs: needs)
    }
}

/// Certificates of a clock that stands elsewhere are not yet, or no longer, valid.
struct ClocksAgree: Check {
    let id = "time.skew"
    let title = "The clock agrees with the head's"
    /// The head's, in seconds since 1970.
    var now: @Sendable () -> Double = { Date().timeIntervalSince1970 }

    func finding(on site: Site) async throws -> Finding {
        let needs = "1 s (above 5 s: refused), beyond what the way there and back takes"
        // The quickest of three answers tells most.
        var best: (offset: Double, doubt: Double)?
        for _ in 0..<3 {
            let before = now()
            let output = try await site.node.transport.run(["date", "+%s.%N"]).output.trimmed
            let after = now()
            guard let theirs = Double(output) else { throw FactError("date says '\(output)'") }
            let doubt = (after - before) / 2
            if doubt < best?.doubt ?? .infinity { best = (theirs - (before + after) / 2, doubt) }
        }
        guard let best else { throw FactError("the clock was not asked") }
        let sure = max(0, abs(best.offset) - best.doubt)
        let measured =
            "\(Self.text(abs(best.offset))) \(best.offset < 0 ? "behind" : "ahead"), ± \(Self.text(best.doubt))"
        let fix =
            "let both follow one time server (NTP=ADDRESS in /etc/systemd/timesyncd.conf), "
            + "or set it: timedatectl set-ntp false; timedatectl set-time 'YYYY-MM-DD HH:MM:SS'"
        if sure <= 1 { return .passed(measured, needs: needs) }
        return sure <= 5
            ? .warning(measured, needs: needs, fix: fix) : .failed(measured, needs: needs, fix: fix)
    }

    /// "0.02 s", or "600 s" where more would be noise.
    private static func text(_ seconds: Double) -> String {
        if seconds >= 10 { return "\(Int(seconds.rounded())) s" }
        let hundredths = Int((seconds * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) s"
    }
}

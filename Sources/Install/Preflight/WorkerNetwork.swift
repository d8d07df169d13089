import Hosts

/// Whether one machine can open a TCP connection to a port of another: a real packet there, and one back.
struct Reach: Fact {
    enum Value: Hashable, Sendable {
        case accepted
        /// The machine answers, and nothing listens there yet.
        case refused
        /// Nothing came back, or something between the two sent it away.
        case blocked(String)
    }

    var address: String
    var port: Int

    /// bash opens it by itself: neither curl nor netcat is on every machine.
    var command: Command { ["timeout", "5", "bash", "-c", ": <>/dev/tcp/\(address)/\(port)"] }

    func value(of outcome: Outcome) -> Value {
        if outcome.status == 0 { return .accepted }
        if outcome.status == 124 { return .blocked("no answer within 5 s") }
        return outcome.errors.contains("refused") ? .refused : .blocked(outcome.lastWords)
    }
}

struct HeadReachable: Check {
    let id = "net.to_head"
    let title = "The machine reaches the head's API and cluster agent"
    static let ports = [16443, 25000]

    func finding(on site: Site) async throws -> Finding {
        let head = try await NodeAddress.of(site.ofHead)
        let needs = "TCP to \(head), ports \(Self.ports.map(String.init).joined(separator: " and "))"
        for port in Self.ports {
            switch try await site.node.learn(Reach(address: head, port: port)) {
            case .accepted: continue
            case .refused:
                return .failed(
                    "nothing listens at \(head):\(port)", needs: needs,
                    fix: "bring the head up first: 'jhub-install status' there")
            case .blocked(let reason):
                return .failed(
                    "\(head):\(port): \(reason)", needs: needs,
                    fix: "let TCP \(port) from \(try await NodeAddress.of(site)) through, in every firewall on the way")
            }
        }
        return .passed("both answer", needs: needs)
    }
}

struct NodeReachable: Check {
    let id = "net.from_head"
    let title = "The head reaches the machine's kubelet"
    static let port = 10250

    func finding(on site: Site) async throws -> Finding {
        let address = try await NodeAddress.of(site)
        let needs = "TCP to \(address), port \(Self.port)"
        // Before the join nothing listens there, and a refusal shows that packets go both ways.
        switch try await site.head.learn(Reach(address: address, port: Self.port)) {
        case .accepted: return .passed("it answers", needs: needs)
        case .refused: return .passed("the way is open", needs: needs)
        case .blocked(let reason):
            return .failed(
                "\(address):\(Self.port): \(reason)", needs: needs,
                fix: "let TCP \(Self.port) from the head through, and UDP 4789 both ways, for the pods' network")
        }
    }
}

/// Calico takes each machine's own: where they differ, large packets between pods are lost without a word.
struct SameMTU: Check {
    let id = "net.mtu"
    let title = "The cards of machine and head take packets of one size"

    func finding(on site: Site) async throws -> Finding {
        let heads = try await mtu(of: try await NodeAddress.of(site.ofHead), on: site.head)
        let own = try await mtu(of: try await NodeAddress.of(site), on: site.node)
        let needs = "the head's MTU, \(heads)"
        if own == heads { return .passed("\(own)", needs: needs) }
        return .warning(
            "\(own)", needs: needs,
            fix: "set it alike on both cards (ip link set CARD mtu \(min(own, heads)), kept in netplan)")
    }

    private func mtu(of address: String, on host: Host) async throws -> Int {
        let cards = try await host.learn(Interfaces())
        guard let card = cards.first(where: { $0.addresses.contains { $0.text == address } }) else {
            throw FactError("no card of \(host.name) has \(address)")
        }
        return card.mtu
    }
}

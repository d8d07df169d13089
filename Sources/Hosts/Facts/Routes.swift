/// The routes of the main table, IPv4.
package struct Routes: Fact {
    package init() {}
    package var command: Command { ["ip", "-json", "-4", "route", "show"] }

    package func value(of outcome: Outcome) throws(FactError) -> [Route] {
        try rows(of: outcome, from: "ip route", as: Row.self).map { row in
            Route(
                destination: row.dst, gateway: row.gateway, device: row.dev, source: row.prefsrc,
                metric: row.metric ?? 0)
        }
    }

    struct Row: Decodable {
        var dst: String
        var gateway: String?
        var dev: String?
        var prefsrc: String?
        var metric: Int?
    }
}

package struct Route: Hashable, Sendable {
    /// "default", or a network such as "10.1.0.0/16".
    package var destination: String
    package var gateway: String?
    /// Nil for a route that leads over several, or nowhere.
    package var device: String?
    package var source: String?
    package var metric: Int

    package init(
        destination: String, gateway: String? = nil, device: String?, source: String? = nil, metric: Int = 0
    ) {
        (self.destination, self.gateway, self.device) = (destination, gateway, device)
        (self.source, self.metric) = (source, metric)
    }

    package var isDefault: Bool { destination == "default" }
}

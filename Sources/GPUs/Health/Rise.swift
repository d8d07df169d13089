/// How much a counter rose lately. One that fell was reset, and begins anew.
struct Rise {
    /// In seconds.
    let window: Double
    /// The first is the last before the window began, if there was one.
    private var points: [(at: Moment, value: UInt64)] = []

    init(window: Double) { self.window = window }

    mutating func add(_ value: UInt64?, at moment: Moment) {
        guard let value else { return }
        if let last = points.last, value < last.value { points = [] }
        // Thirty points tell enough, however often it is asked.
        if points.count > 1, moment.seconds(since: points[points.count - 2].at) < window / 30 { points.removeLast() }
        points.append((moment, value))
        while points.count > 2, moment.seconds(since: points[1].at) >= window { points.removeFirst() }
    }

    var amount: UInt64 {
        guard let first = points.first, let last = points.last else { return 0 }
        return last.value - first.value
    }
}

/// From when to when something was seen, without a break of a minute.
struct Sighting {
    private(set) var first: Moment
    private(set) var last: Moment

    init(at moment: Moment) { (first, last) = (moment, moment) }

    static func renew(_ old: inout Sighting?, seen: Bool, at moment: Moment) {
        if let known = old, moment.seconds(since: known.last) > 60 { old = nil }
        guard seen else { return }
        if old == nil { old = Sighting(at: moment) } else { old?.last = moment }
    }

    /// In seconds.
    var length: Double { last.seconds(since: first) }
}

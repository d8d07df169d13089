import Glibc

/// When something was: by the wall clock, for people, and by the time since boot, which no
/// setting of the clock moves, for reckoning.
package struct Moment: Hashable, Sendable, Codable {
    /// In seconds since 1970.
    package var time: Double
    /// In seconds since the machine started, its sleep counted in.
    package var uptime: Double

    package init(time: Double, uptime: Double) {
        (self.time, self.uptime) = (time, uptime)
    }

    package static var now: Moment { Moment(time: seconds(CLOCK_REALTIME), uptime: seconds(CLOCK_BOOTTIME)) }

    /// In seconds; below zero where `earlier` is the later one.
    package func seconds(since earlier: Moment) -> Double { uptime - earlier.uptime }

    /// The moment that lies so many seconds from this one.
    package func advanced(by seconds: Double) -> Moment {
        Moment(time: time + seconds, uptime: uptime + seconds)
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var value = timespec()
        clock_gettime(clock, &value)
        return Double(value.tv_sec) + Double(value.tv_nsec) / 1e9
    }
}

import Glibc
import Synchronization

/// The first interrupt asks to stop after the change in hand; the second ends at once.
struct Interrupt: Sendable {
    private static let count = Atomic<Int>(0)
    private static let words: StaticString = "interrupted: finishing the change in hand (once more to stop at once)\n"

    private static let parting: StaticString =
        "jhub-install: interrupted: what is there already is kept: run it again to go on\n"

    var wasAsked: Bool { Self.count.load(ordering: .relaxed) > 0 }

    /// A handler may only do what is safe in the midst of anything: an atomic sum, a write, an exit.
    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                guard Interrupt.count.wrappingAdd(1, ordering: .relaxed).oldValue == 0 else { _exit(130) }
                _ = write(2, Interrupt.words.utf8Start, Interrupt.words.utf8CodeUnitCount)
            }
        }
    }

    /// For work that may be broken off anywhere, and goes on when it is run again.
    static func endsAtOnce() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                _ = write(2, Interrupt.parting.utf8Start, Interrupt.parting.utf8CodeUnitCount)
                _exit(130)
            }
        }
    }
}

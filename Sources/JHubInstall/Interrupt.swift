import Dispatch
import Synchronization

/// The first interrupt asks to stop after the change in hand; the second ends at once.
final class Interrupt: Sendable {
    private let count = Atomic<Int>(0)
    var wasAsked: Bool { count.load(ordering: .relaxed) > 0 }

    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable [self] in
                let before = count.wrappingAdd(1, ordering: .relaxed).oldValue
                guard before == 0 else { _exit(130) }
                Console.standardError.line("interrupted: finishing the change in hand (once more to stop at once)")
            }
            source.activate()
            sources.withLock { $0.append(source) }
        }
    }

    private let sources = Mutex<[any DispatchSourceSignal]>([])
}

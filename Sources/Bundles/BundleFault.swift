import Images
import SystemPackage

/// What is wrong with a bundle, or with the work on it: one line, and what to do about it.
package struct BundleFault: Error, Hashable, CustomStringConvertible {
    package enum Blame: Hashable, Sendable {
        /// It is not what it should be.
        case bundle
        /// A disk is full, a file may not be read: the bundle may be good.
        case machine
        /// It was asked to stop.
        case nobody
    }

    package var description: String
    package var blame: Blame

    package init(_ description: String, blame: Blame = .bundle) {
        // It may quote what an unsigned bundle says.
        (self.description, self.blame) = (description.printable, blame)
    }
}

/// What the system refuses is no fault of the bundle's.
func trying<Value>(_ attempt: String, _ path: FilePath, _ body: () throws -> Value) throws(BundleFault) -> Value {
    do {
        return try body()
    } catch let fault as BundleFault {
        throw fault
    } catch {
        let advice = (error as? Errno) == .noSpace ? ": make room there; what is written already is kept" : ""
        throw BundleFault("could not \(attempt) \(path): \(error)\(advice)", blame: .machine)
    }
}

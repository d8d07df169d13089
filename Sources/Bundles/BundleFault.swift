/// What is wrong with a bundle: one line, and what to do about it.
package struct BundleFault: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

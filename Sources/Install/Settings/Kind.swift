package import Kube
package import SystemPackage

extension Settings {
    /// What is wrong with a value, to stand behind the key's name.
    package struct Complaint: Error, Hashable { package var reason: String }

    /// What a value has to look like, and what it is then.
    package struct Kind<Value: Sendable>: Sendable {
        /// In words: "a port, 1 to 65535".
        var form: String
        /// What stands for nothing.
        var blank: Value
        var read: @Sendable (String) throws(Complaint) -> Value
        var write: @Sendable (Value) -> String
    }
}

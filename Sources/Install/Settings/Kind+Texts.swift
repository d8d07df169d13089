import Hosts
import SystemPackage

extension Settings.Kind where Value == String {
    /// A text that has to pass a test; `fault` says why it does not, or nil.
    static func text(_ form: String, _ fault: @escaping @Sendable (String) -> String?) -> Self {
        Self(
            form: form, blank: "",
            read: { text throws(Settings.Complaint) in
                try text.checkLine()
                if let reason = fault(text) { throw Settings.Complaint(reason) }
                return text
            },
            write: { $0 })
    }

    static var anything: Self { text("any text") { _ in nil } }
}

extension Settings.Kind where Value == FilePath {
    /// A relative path is put behind the file's folder before it comes here.
    static var path: Self {
        var kind = Self(
            form: "a path", blank: FilePath(),
            read: { text throws(Settings.Complaint) in
                try text.checkLine()
                if text.hasPrefix("~") { throw Settings.Complaint("'\(text)': write the whole path instead of ~") }
                return FilePath(text).lexicallyNormalized()
            },
            write: { $0.string })
        kind.isPath = true
        return kind
    }
}

extension Settings.Kind where Value == Secret {
    static var secret: Self {
        Self(
            form: "a secret", blank: Secret(""),
            read: { text throws(Settings.Complaint) in
                try text.checkLine()
                return Secret(text)
            },
            write: { $0.reveal() })
    }
}

extension Settings.Kind where Value == Quantity {
    static var cores: Self { quantity("cores such as 500m or 2", 1...1_000_000_000) }

    /// The lower bound is there for "128", which is 128 bytes and never meant.
    static var bytes: Self { quantity("an amount such as 20Gi", (1000 << 20)...Int.max) }

    private static func quantity(_ form: String, _ millis: ClosedRange<Int>) -> Self {
        Self(
            form: form, blank: .zero,
            read: { text throws(Settings.Complaint) in
                guard let quantity = Quantity(text) else { throw Settings.Complaint("'\(text)' is not \(form)") }
                guard millis.contains(quantity.millis) else {
                    let side = quantity.millis < millis.lowerBound ? "little" : "much"
                    throw Settings.Complaint("'\(text)' is too \(side) for \(form)")
                }
                return quantity
            },
            write: { $0.text })
    }
}

extension Settings.Kind where Value == Span {
    static var span: Self {
        Self(
            form: "a time such as 90s or 25m0s", blank: Span(seconds: 0),
            read: { text throws(Settings.Complaint) in
                guard let span = Span(text) else {
                    throw Settings.Complaint("'\(text)' is not a time such as 90s, 25m0s or 1h30m, at most a week")
                }
                return span
            },
            write: { $0.text })
    }
}

extension String {
    fileprivate func checkLine() throws(Settings.Complaint) {
        if isEmpty { throw Settings.Complaint("must not be empty") }
        if contains(where: \.isNewline) { throw Settings.Complaint("must not have a line break in it") }
        if unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw Settings.Complaint("must not have a control character in it")
        }
    }
}

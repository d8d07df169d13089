import SystemPackage

extension Settings.Kind where Value == String {
    /// A text that has to pass a test; `fault` says why it does not, or nil.
    static func text(_ form: String, _ fault: @escaping @Sendable (String) -> String?) -> Self {
        Self(
            form: form, blank: "",
            read: { text throws(Settings.Complaint) in
                if text.isEmpty { throw Settings.Complaint("must not be empty") }
                if let reason = fault(text) { throw Settings.Complaint(reason) }
                return text
            },
            write: { $0 })
    }

    static var anything: Self { text("any text") { _ in nil } }
}

extension Settings.Kind where Value == FilePath {
    /// A relative path has been put behind the file's folder before it comes here.
    static var path: Self {
        Self(
            form: "a path", blank: FilePath(),
            read: { text throws(Settings.Complaint) in
                if text.isEmpty { throw Settings.Complaint("must not be empty") }
                if text.hasPrefix("~") { throw Settings.Complaint("'\(text)': write the whole path instead of ~") }
                return FilePath(text).lexicallyNormalized()
            },
            write: { $0.string })
    }
}

extension Settings.Kind where Value == Secret {
    static var secret: Self {
        Self(form: "a secret", blank: Secret(""), read: { text in Secret(text) }, write: { $0.reveal() })
    }
}

extension Settings.Kind where Value == Quantity {
    static var quantity: Self {
        Self(
            form: "an amount such as 500m, 2 or 20Gi", blank: .zero,
            read: { text throws(Settings.Complaint) in
                guard let quantity = Quantity(text) else {
                    throw Settings.Complaint("'\(text)' is not an amount such as 500m, 2 or 20Gi")
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
                    throw Settings.Complaint("'\(text)' is not a time such as 90s, 25m0s or 1h30m")
                }
                return span
            },
            write: { $0.text })
    }
}

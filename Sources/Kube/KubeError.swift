import HTTP

/// Why the API server did not do what was asked, or what we could not make of its words.
package struct KubeError: Error, Hashable, CustomStringConvertible {
    /// The answer's status, or nil where there was none.
    package var status: Int?
    package var description: String
    /// The server could not be reached, or was not ready: another try may find it so.
    package var isPassing: Bool

    package init(_ description: String, isPassing: Bool = false) {
        (self.description, self.isPassing) = (description, isPassing)
    }

    init(_ attempt: String, _ response: HTTPResponse) {
        status = response.status
        isPassing = response.status == 503
        description = "could not \(attempt): the API server answered \(response.status): \(Self.words(of: response))"
    }

    private static func words(of response: HTTPResponse) -> String {
        if let message = (try? JSON(parsing: response.body))?["message"]?.string { return message }
        let text = String(decoding: response.body.prefix(300), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

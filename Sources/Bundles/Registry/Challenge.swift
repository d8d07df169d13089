/// How a server wants to be convinced: one part of its WWW-Authenticate (RFC 9110, 11.6.1).
struct Challenge: Hashable, Sendable {
    /// In lower case: "bearer", "basic".
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// All that the header offers; what cannot be read is no offer.
    static func all(in header: String) -> [Challenge] {
        var challenges: [Challenge] = []
        var rest = header[...]
        func skip() { rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," } }
        func word() -> Substring {
            let word = rest.prefix { $0.isLetter || $0.isNumber || "-_.~+!#$%&'*^`|".contains($0) }
            rest = rest.dropFirst(word.count)
            return word
        }
        skip()
        while !rest.isEmpty {
            let name = word().lowercased()
            guard !name.isEmpty else { break }
            if rest.first == "=" {
                rest.removeFirst()
                let value = rest.first == "\"" ? quoted(&rest) : String(word())
                guard !challenges.isEmpty else { break }
                challenges[challenges.count - 1].parameters[name] = value
            } else {
                challenges.append(Challenge(scheme: name, parameters: [:]))
            }
            skip()
        }
        return challenges
    }

    private static func quoted(_ rest: inout Substring) -> String {
        rest.removeFirst()
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
            value.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
        }
        return value
    }
}

/// A file of assignments, read as a shell would read it and never run.
///
/// What a shell would run (a command, a substitution, a pipe) is a fault with
/// its line; reading goes on behind it, so that all faults come at once.
struct EnvFile {
    struct Assignment: Equatable {
        var key: String
        var line: Int
        var pieces: [Piece]
    }

    /// A part of a value, before references are filled in.
    enum Piece: Equatable {
        case text(String)
        case reference(String, otherwise: [Piece]?)
    }

    struct Fault: Equatable {
        var line: Int
        var key: String?
        var reason: String
    }

    private(set) var assignments: [Assignment] = []
    private(set) var faults: [Fault] = []
    /// Keys whose value could not be read: nothing more is to be said of them.
    private(set) var broken: Set<String> = []

    init(parsing text: String) {
        var lexer = EnvLexer(text)
        while let statement = lexer.statement() {
            read(statement, &lexer)
        }
    }

    private mutating func read(_ statement: EnvLexer.Statement, _ lexer: inout EnvLexer) {
        for word in statement.words {
            switch word.content {
            case .assignment(let key, let pieces):
                assignments.append(Assignment(key: key, line: word.line, pieces: pieces))
            case .bare(let name) where statement.isExport && assignments.contains { $0.key == name }:
                break  // `export NAME` of what was set above says nothing new.
            case .bare(let name):
                faults.append(Fault(line: word.line, key: name, reason: "has no value: write \(name)=VALUE"))
            case .broken(let key, let reason):
                if let key { broken.insert(key) }
                faults.append(Fault(line: word.line, key: key, reason: reason))
            }
        }
    }
}

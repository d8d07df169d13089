/// A file of assignments, read as a shell would read it and never run.
///
/// What a shell would run (a command, a substitution, a pipe) is refused with
/// its line; reading goes on in the next one, so that all comes out at once.
struct EnvFile: Equatable {
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

    struct Refusal: Error, Equatable {
        var line: Int
        var key: String?
        var reason: String
    }

    var assignments: [Assignment] = []
    var refusals: [Refusal] = []

    init() {}

    init(parsing text: String) {
        var reader = EnvReader(text)
        reader.readAll()
        self = reader.file
    }
}

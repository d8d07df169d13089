import Foundation
import Hosts
import SystemPackage
import Testing

@testable import Install

/// A real shell is the judge of how a file of assignments is read. Two things are
/// not as in a shell: ~ stays ~, and a backslash at the very end is refused.
@Suite struct SettingsShellTests {
    @Test(arguments: [
        "A=a", "export A=a", "A='a b'", #"A="a b""#, #"A=a"b"'c'd"#, "A=a#b", #"A="a # b" # c"#, "A=a\\\nb",
        "A=\"a\\\nb\"", #"A="\$a \"b\" \\ \` \n""#, #"A='\$a "b" $(c) `d`'"#, #"A=a\ b\$c\'d"#, "A=a$", "A=\"a$ b\"",
        "# c\n\n  export  A=a # d", "B=x A=a", "A=a\nexport A", "A=\"a\nb\"", "A=*?[x]{a,b}", "A=ä秒", "A=", "A=a=b",
        "B=x\nA=$B-y", "B=x\nA=\"${B}y\"", "A=${A:-hub}", "B=x\nA=${B:-hub}", "B=\nA=${B:-hub}", "B=x\nA=${C:-${B}y}",
        "B=1\nB=2\nA=$B", "B='$C'\nA=$B", "B='a  b'\nA=$B", "A=\"\"''", "A='a'\\''b'", "A=\\\\", "A=a\tB=b",
        "A=${C:-a\\}b}",
        "B='x y'\nA=${B:-z}", "A=\"it's\"", "A='\n'", "A=\\#a", "A=\"\\", "A='a\\'", "A=a # b\\\nA=c",
        "export A=a B=b", "A=\"$\"", "A=$%", "A=!", "A=a%b@c,d+e^f", "A=\"a\\\\\nb\"",
    ])
    func theShellReadsTheSame(_ text: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID()).env")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let script = #"set -a; . "$1" && printf %s. "$A""#
        let command = Command(["bash", "--norc", "-c", script, "bash", file.path(percentEncoded: false)])
        let outcome = try await LocalTransport().run(command)
        let said = outcome.status == 0 && outcome.errors.isEmpty ? String(outcome.output.dropLast()) : nil
        #expect(ours(text) == said)
    }

    /// The value of A, or nil where the file is refused.
    private func ours(_ text: String) -> String? {
        let file = EnvFile(parsing: text)
        guard file.refusals.isEmpty else { return nil }
        var values: [String: String] = [:]
        func filled(_ pieces: [EnvFile.Piece]) -> String {
            pieces.map { piece in
                switch piece {
                case .text(let text): return text
                case .reference(let name, let otherwise):
                    let value = values[name] ?? ""
                    return value.isEmpty ? otherwise.map(filled) ?? "" : value
                }
            }.joined()
        }
        for assignment in file.assignments { values[assignment.key] = filled(assignment.pieces) }
        return values["A"]
    }
}

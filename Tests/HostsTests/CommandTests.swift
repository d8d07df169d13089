import Hosts
import Testing

@Suite struct CommandTests {
    @Test(arguments: [
        ("a b", "'a b'"), ("it's", #"'it'\''s'"#), ("", "''"), ("/etc/x", "/etc/x"), ("a$b", "'a$b'"), ("é", "'é'"),
    ])
    func quotesForAShell(word: String, line: String) {
        #expect(([word] as Command).description == line)
    }

    @Test func showsNoInput() {
        #expect(!"\(Command(["tee", "/x"], input: Array("hidden".utf8)))".contains("hidden"))
    }
}

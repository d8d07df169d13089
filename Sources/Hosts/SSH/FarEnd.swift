/// How `far-end.pl` is started on a channel, and asked.
struct FarEnd {
    /// Nobody else knows it, so nothing that a program prints is taken for ours.
    let mark = secretWord()
    let prompt = secretWord()

    /// What the login shell is given. The program itself comes over the standard input, so that no shell reads it and
    /// no log of sudo's holds it.
    func line(_ sudo: SSHTarget.Sudo) -> String {
        let start: [String] =
            switch sudo {
            case .none: []
            case .withoutPassword: ["sudo", "-n", "--"]
            case .withPassword: ["sudo", "-S", "-p", prompt, "--"]
            }
        return (["exec"] + start + ["/usr/bin/perl", "-e", Self.starter, mark]).map(\.shellQuoted).joined(
            separator: " ")
    }

    /// What it reads first, once it runs: itself.
    static var program: [UInt8] { part(PackageResources.far_end_pl) }

    /// What it reads then, again and again: a word for what to do, and words for how.
    static func request(_ words: [String]) -> [UInt8] { part(Array(words.joined(separator: "\0").utf8)) }

    private static func part(_ bytes: [UInt8]) -> [UInt8] {
        let size = String(bytes.count)
        return Array((String(repeating: "0", count: 8 - size.count) + size).utf8) + bytes
    }

    /// Without a letter that one of the shells reads otherwise within single quotes: `!`, a backslash, a new line.
    private static let starter =
        "$mark=shift;sub take{my$n=shift;my$b=q();while(length$b<$n){sysread(STDIN,$b,$n-length$b,length$b)or exit 255}"
        + "$b}for(*STDOUT,*STDERR){syswrite$_,$mark}eval take(take(8));print STDERR$@"

    private static func secretWord() -> String {
        // It begins with a letter that is rare, for the search's sake.
        "~" + (0..<4).map { _ in String(UInt32.random(in: 1 << 28 ... .max), radix: 16) }.joined()
    }
}

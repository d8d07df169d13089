import Testing

@testable import Install

@Suite struct SettingsFuzzTests {
    /// Whatever stands in the file, there are settings, or faults that point into it.
    @Test func noFileIsTooBroken() {
        var random = Random(state: 20_240_601)
        let good = Settings.allKeys.map { "export \($0.name)=\"\($0.standard)\"  # \($0.meaning)\n" }
        let scraps = [
            "$", "${", "}", "$(", ")", "`", "'", "\"", "\\", "\n", "\r\n", "=", " ", "#", ";", "[", "\u{0}", "é",
            "\u{FEFF}",
            "${JHUB_NS:-", "export ", "JHUB_NS=", "99999999999999999999", "-1", "0", "{\"a\":", "~", "..", "true",
            "\u{202E}", "👩‍👩‍👧",
        ]
        for round in 0..<2000 {
            var text = (0..<random.next(below: 12)).map { _ in good[random.next(below: good.count)] }.joined()
            for _ in 0..<random.next(below: 8) {
                var scalars = Array(text.unicodeScalars)
                let at = random.next(below: scalars.count + 1)
                if random.next(below: 3) == 0 {
                    scalars.removeSubrange(at..<min(scalars.count, at + random.next(below: 6)))
                } else {
                    scalars.insert(contentsOf: scraps[random.next(below: scraps.count)].unicodeScalars, at: at)
                }
                text = String(String.UnicodeScalarView(scalars))
            }
            let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
            do throws(SettingsError) {
                let settings = try Settings(parsing: text)
                #expect(settings.remarks.allSatisfy { (1...lines).contains($0.line ?? 1) }, "round \(round)")
            } catch {
                #expect(!error.faults.isEmpty)
                #expect(error.faults.allSatisfy { (1...lines).contains($0.line ?? 1) }, "round \(round): \(error)")
                #expect(error.faults.allSatisfy { $0.line != nil || $0.key != nil }, "round \(round): \(error)")
            }
        }
    }

    @Test func deepReferencesAreRefusedAndDoNotUseUpTheStack() throws {
        let text = "JHUB_NS=" + String(repeating: "${JHUB_RELEASE:-", count: 50_000)
        #expect(throws: SettingsError.self) { try Settings(parsing: text) }
    }

    @Test func aLongFileOfOpenQuotesIsReadInTime() {
        let text = String(repeating: "JHUB_NS=\"a\n", count: 20_000)
        #expect(EnvFile(parsing: text).refusals.count == 20_000)
    }

    @Test(arguments: [
        "9999999999999999999999Ti", "999999999999999999Pi", "0.000000000000000001Gi", ".", "1.1.1", "", "Gi", "-1",
    ])
    func oddQuantitiesAreNoTrap(_ text: String) {
        let quantity = Quantity(text)
        #expect(quantity == nil || text.hasPrefix("0.0"))
    }
}

/// The same numbers in every run (xorshift).
private struct Random {
    var state: UInt64
    mutating func next(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(bound, 1)))
    }
}

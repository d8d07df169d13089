import Bundles
import SystemPackage
import TestSupport
import Testing

/// Whatever bundle.json says: a description that can be written again, or one line.
@Suite struct FuzzTests {
    @Test func descriptions() throws {
        try Scratch.with { scratch in
            _ = try SampleBundle(in: scratch)
            let good = String(decoding: try scratch.read("bundle/bundle.json"), as: UTF8.self)
            let fuzz = Fuzz("bundle", in: scratch.path, least: 200)
            let report = try fuzz.run { dice in
                var text = good
                for _ in 0..<dice.one(of: [0, 1, 1, 1, 2, 3]) { text = dice.spoilJSON(text) }
                return Array(text.utf8)
            } read: { file, _ in
                outcome(of: try contents(of: file))
            }
            print("fuzz: bundle.json: \(report.line)")
            #expect(report.finds.isEmpty)
            #expect(report.taken > 10 && report.refusals.count > 20, "\(report.taken), \(report.refusals.count)")
        }
    }

    private func outcome(of text: [UInt8]) -> Fuzz.Outcome {
        do throws(BundleFault) {
            let description = try BundleDescription(reading: text)
            guard try BundleDescription(reading: description.text()) == description else {
                return .find("written and read again it is another")
            }
            return .taken
        } catch {
            let line = error.description
            guard error.blame == .bundle, line.utf8.count < 2000,
                !line.unicodeScalars.contains(where: { $0.value < 32 })
            else { return .find("the message is '\(line)'") }
            return .refused(line)
        }
    }
}

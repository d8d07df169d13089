import FoundationEssentials
import Hosts
import Testing

/// A saved transcript, `Fixtures/FACT/CASE.EXT`.
func fixture(_ name: String, file: String = #filePath) throws -> String {
    let folder = file.split(separator: "/").dropLast().joined(separator: "/")
    let bytes = try #require(FileManager.default.contents(atPath: "/\(folder)/Fixtures/\(name)"))
    return String(decoding: bytes, as: UTF8.self)
}

func transcript(_ name: String) throws -> Outcome { Outcome(output: try fixture(name)) }

import FoundationEssentials
import SystemPackage

/// A folder of a test's own, gone with the test.
final class TestFolder: Sendable {
    let path: FilePath

    init() throws {
        path = FilePath(FileManager.default.temporaryDirectory.path).appending("jhub-install-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    @discardableResult
    func put(_ name: String, _ text: String = "") throws -> FilePath {
        let file = path.pushing(FilePath(name))
        try FileManager.default.createDirectory(
            atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
        try text.write(toFile: file.string, atomically: true, encoding: .utf8)
        return file
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path.pushing(FilePath(name)).string)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: path.pushing(FilePath(name)).string, encoding: .utf8)
    }

    func names(in name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path.pushing(FilePath(name)).string).sorted()
    }
}

/// The checkout that the tests are of.
let repository = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    .removingLastComponent()

func repositoryText(_ name: String) throws -> String {
    try String(contentsOfFile: repository.pushing(FilePath(name)).string, encoding: .utf8)
}

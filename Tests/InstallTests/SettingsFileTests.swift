import Foundation
import Hosts
import SystemPackage
import Testing

@testable import Install

@Suite struct SettingsFileTests {
    @Test func aFileIsReadFromItsFolder() throws {
        try Folder.with { folder in
            try folder.put("jhub.env", "SHARED_STORAGE_PATH=Storage\n")
            let settings = try SettingsFile.load(folder.path("jhub.env"))
            #expect(settings.sharedStoragePath == folder.path("Storage"))
        }
    }

    @Test(arguments: [(0o664, "chmod go-w"), (0o602, "chmod go-w"), (0o646, "chmod go-w")])
    func oneThatOthersCanWriteIsRefused(_ mode: Int, _ advice: String) throws {
        try Folder.with { folder in
            try folder.put("jhub.env", "JHUB_NS=a\n", mode: mode)
            #expect(try folder.fault("jhub.env").contains("\(advice) \(folder.path("jhub.env"))"))
        }
    }

    @Test func oneOfSomebodyElseIsRefused() throws {
        try Folder.with { folder in
            try folder.put("jhub.env", "JHUB_NS=a\n")
            let error = try #require(throws: SettingsError.self) {
                try SettingsFile.load(folder.path("jhub.env"), owners: [4_000_000])
            }
            #expect("\(error)".contains("chown root"))
        }
    }

    @Test func missingDirectoryPipeAndHugeAreEachNamed() throws {
        try Folder.with { folder in
            #expect(try folder.fault("absent.env").contains("No such file or directory"))
            #expect(try folder.fault(".").contains("is a directory"))
            #expect(folder.path("pipe").withPlatformString { mkfifo($0, 0o600) } == 0)
            #expect(try folder.fault("pipe").contains("not a regular file"))
            try folder.put("huge.env", String(repeating: "# nothing\n", count: 110_000))
            #expect(try folder.fault("huge.env").contains("larger than 1 MiB"))
        }
    }

    @Test func bytesThatAreNoTextAreRefusedWithTheirLine() throws {
        try Folder.with { folder in
            try Data("A=1\nB=\u{0}\n".utf8).write(to: URL(filePath: folder.path("nul.env").string))
            #expect(try folder.fault("nul.env").contains("nul.env:2: has a NUL byte"))
            try Data([65, 61, 49, 10, 10, 66, 61, 0xE4, 0xF6, 10]).write(
                to: URL(filePath: folder.path("latin.env").string))
            #expect(try folder.fault("latin.env").contains("latin.env:3: is not UTF-8"))
        }
    }

    @Test func aSecretsOwnFileHasToBeHidden() throws {
        try Folder.with { folder in
            let text = """
                AUTH_MODE=github
                GITHUB_CLIENT_ID=id
                GITHUB_CALLBACK_URL=https://hub.example.com/hub/oauth_callback
                GITHUB_ALLOWED_USERS=ann
                GITHUB_CLIENT_SECRET_FILE=secret
                """
            try folder.put("jhub.env", text)
            try folder.put("secret", "geheim\n", mode: 0o644)
            #expect(try folder.fault("jhub.env").contains("jhub.env:5: GITHUB_CLIENT_SECRET_FILE: others can read"))
            try folder.put("secret", "geheim\n", mode: 0o600)
            let settings = try SettingsFile.load(folder.path("jhub.env"))
            #expect(settings.githubClientSecret?.reveal() == "geheim")
            #expect(!ConfigReport(settings).show().joined().contains("geheim"))
        }
    }
}

/// A folder that is gone after the test.
private struct Folder {
    private var root: FilePath

    static func with(_ body: (Folder) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID())")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        try body(Folder(root: FilePath(root.path(percentEncoded: false)).lexicallyNormalized()))
    }

    func path(_ name: String) -> FilePath { root.appending(name) }

    func put(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name).string))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name).string)
    }

    func fault(_ name: String) throws -> String {
        "\(try #require(throws: SettingsError.self) { try SettingsFile.load(path(name)) })"
    }
}

import FoundationEssentials
import Hosts
import Kube
import SystemPackage
import Testing

@testable import Install

@Suite struct TemplatesTests {
    private static func names(_ folder: String, _ suffix: String) -> [String] {
        let path = repository.pushing(FilePath(folder)).string
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted()
    }

    static let manifests = names("templates/kubernetes", ".yaml").map { String($0.dropLast(5)) }
    static let programs = names("templates/hub", ".py")

    private let values: [String: JSON] = [
        "NODE": "node: x",
        "NAMESPACE": "hub: x", "SHARED_PATH": "/srv/a b: c", "SHARED_SIZE": "1Ti", "RQ_REQUESTS_CPU": "32",
        "RQ_REQUESTS_MEMORY": "128Gi", "RQ_LIMITS_CPU": "64", "RQ_LIMITS_MEMORY": "256Gi", "RQ_PODS": "50",
        "RQ_GPUS": "8", "LIMITRANGE_DEFAULT_CPU": "1", "LIMITRANGE_DEFAULT_MEMORY": "4Gi", "LIMITRANGE_MAX_CPU": "32",
        "LIMITRANGE_MAX_MEMORY": "64Gi",
    ]

    @Test func thereAreSome() {
        #expect(Self.manifests.count >= 6)
        #expect(!Self.programs.isEmpty)
    }

    @Test(arguments: manifests) func aManifestIsFilled(_ name: String) throws {
        let manifests = try TestMachine().site.template(name, values)
        #expect(!manifests.isEmpty)
        for manifest in manifests {
            #expect(!manifest.object.text().contains("${"))
            _ = try manifest.path()
            #expect(manifest.object[["metadata", "labels", "app.kubernetes.io/managed-by"]] == "jhub-install")
        }
        // No value, whatever is in it, becomes a part of the structure.
        #expect(manifests.allSatisfy { $0.namespace == nil || $0.namespace == "hub: x" })
    }

    @Test func aQuotaOfGPUsIsOfTheirRequests() throws {
        let hard = try TestMachine().site.template("resource-quota", values).first?.object[["spec", "hard"]]
        #expect(hard?["requests.nvidia.com/gpu"] == "8")
        #expect(hard?["nvidia.com/gpu"] == nil)
    }

    @Test(arguments: programs) func aProgramOfTheHubCompiles(_ name: String) async throws {
        let path = repository.pushing(FilePath("templates/hub/\(name)")).string
        let compile: Command = [
            "/usr/bin/python3", "-c", "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')", path,
        ]
        try await LocalTransport().run(compile).orThrow(compile, on: "localhost")
    }
}

/// `templates/hub/prepare-shared-folder.sh`, with another folder in the place of /shared.
@Suite struct SharedFolderTests {
    let folder: TestFolder
    let shared: FilePath

    init() throws {
        folder = try TestFolder()
        shared = try folder.put("shared/.keep").removingLastComponent()
    }

    private func prepare(_ user: String) async throws -> Outcome {
        let text = try repositoryText("templates/hub/prepare-shared-folder.sh").replacing(
            "/shared", with: shared.string)
        var command: Command = ["sh", "-c", text]
        let owner = try await LocalTransport().run(["sh", "-c", "echo $(id -u):$(id -g)"]).output.trimmed
        command.environment = ["FOLDER": user, "OWNER": owner]
        return try await LocalTransport().run(command)
    }

    @Test func theSpawnersFormattingLeavesItAsItIs() throws {
        #expect(try repositoryText("templates/hub/prepare-shared-folder.sh").allSatisfy { !"{}".contains($0) })
    }

    @Test(arguments: ["ann", "ann@example.org", "a b", "-rf", "ümlaut"]) func aUsersFolderIsMade(_ user: String)
        async throws
    {
        let outcome = try await prepare(user)
        #expect(outcome == Outcome(), "\(outcome)")
        let path = shared.appending(user).string
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o770)
        #expect(try folder.names(in: "shared") == [".keep", user].sorted())
    }

    @Test func aFolderThatStandsIsLeftAsItIs() async throws {
        _ = try await prepare("ann")
        try folder.put("shared/ann/notes", "mine")
        let path = shared.appending("ann").string
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: path)
        #expect(try await prepare("ann") == Outcome())
        #expect(try folder.text("shared/ann/notes") == "mine")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o711)
    }

    @Test func twoServersMayStartAtOnce() async throws {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            for _ in 0..<6 { group.addTask { try await prepare("ann") } }
            for try await outcome in group { #expect(outcome.status == 0, "\(outcome)") }
        }
        #expect(try folder.names(in: "shared") == [".keep", "ann"])
    }

    @Test(arguments: ["", ".", "..", "../ann", "a/b", "/etc"]) func aNameThatLeadsElsewhereIsRefused(_ user: String)
        async throws
    {
        let outcome = try await prepare(user)
        #expect(outcome.status == 1)
        #expect(outcome.errors == "no folder can be named '\(user)'\n")
        #expect(try folder.names(in: "shared") == [".keep"])
    }
}

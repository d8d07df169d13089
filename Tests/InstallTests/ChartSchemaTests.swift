import FoundationEssentials
import Hosts
import Kube
import SystemPackage
import Testing

@testable import Install

/// The values held against the schema of the real chart 4.2.0, laid over the values of the lab's.
@Suite(.enabled(ChartSchema.needs) { await ChartSchema.isThere() }) struct ChartSchemaTests {
    static let configs = [
        "native": "",
        "everything": """
        SINGLEUSER_READONLY_ROOTFS=true
        SINGLEUSER_MOUNT_JHUB_LOGS=true
        SINGLEUSER_EPHEMERAL_STORAGE_REQUEST=1Gi
        SINGLEUSER_EPHEMERAL_STORAGE_LIMIT=2Gi
        SINGLEUSER_NODE_SELECTOR_JSON='{"disk": "fast"}'
        SINGLEUSER_TOLERATIONS_JSON='[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]'
        HUB_NODE_SELECTOR_JSON='{"role": "head"}'
        HUB_TOLERATIONS_JSON='[{"key": "head", "operator": "Equal", "value": "yes"}]'
        ENABLE_IDLE_CULLER=true
        JHUB_FRAME_ANCESTORS=https://portal.example.com
        """,
        "github": """
        AUTH_MODE=github
        GITHUB_CLIENT_ID=me
        GITHUB_CLIENT_SECRET=geheim
        GITHUB_CALLBACK_URL=https://hub.example.com/hub/oauth_callback
        GITHUB_ALLOWED_ORGS=acme
        """,
        "azuread": """
        AUTH_MODE=azuread
        AZUREAD_CLIENT_ID=me
        AZUREAD_CLIENT_SECRET=geheim
        AZUREAD_CALLBACK_URL=https://hub.example.com/hub/oauth_callback
        AZUREAD_TENANT_ID=acme
        """,
        "static": "SINGLEUSER_STORAGE_TYPE=static\nSINGLEUSER_STORAGE_CLAIM=homes",
        "none": "SINGLEUSER_STORAGE_TYPE=none\nSHARED_STORAGE_ENABLED=false",
        "digest": "HUB_IMAGE=a/b@sha256:" + String(repeating: "ab", count: 32),
    ]

    @Test(arguments: configs.keys.sorted()) func theValuesPass(_ name: String) async throws {
        let size = NodeSize(cores: 4, bytes: 16e9)
        let profiles = try Profile.all(in: repository).map { $0.spawnerProfile(on: size) }
        let values = try HubValuesCase.values(Self.configs[name] ?? "", profiles: profiles)
        #expect(try await ChartSchema.faults(of: values) == "")
    }

    @Test func aWrongValueIsFound() async throws {
        #expect(try await ChartSchema.faults(of: ["hub": ["nonsense": 1]]).contains("'nonsense' was unexpected"))
        #expect(
            try await ChartSchema.faults(of: ["singleuser": ["cpu": ["limit": "2"]]]).contains("singleuser.cpu.limit"))
    }
}

enum ChartSchema {
    private static let schema = repository.removingLastComponent()
        .pushing("shared/reference/z2jh-4.2.0-values.schema.json")

    static let needs: Comment =
        "needs ../shared/reference/z2jh-4.2.0-values.schema.json, and a Python with jsonschema and yaml"

    static func isThere() async -> Bool {
        guard FileManager.default.fileExists(atPath: schema.string) else { return false }
        return await python() != nil
    }

    /// A Python with the two modules, of those that there may be.
    private static func python() async -> [String]? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        for python in [["/usr/bin/python3"], ["env", "PATH=\(path)", "python3"]] {
            let outcome = try? await LocalTransport().run(Command(python + ["-c", "import jsonschema, yaml"]))
            if outcome?.status == 0 { return python }
        }
        return nil
    }

    /// What the schema says against them, a line each.
    static func faults(of values: JSON) async throws -> String {
        let program = repository.pushing("Tests/InstallTests/Fixtures/values/check.py").string
        let chart = repository.pushing("Tests/Lab/chart/jupyterhub/values.yaml").string
        let check = Command((await python() ?? []) + [program, schema.string, chart], input: values.bytes)
        return try await LocalTransport().run(check).orThrow(check, on: "localhost").output
    }
}

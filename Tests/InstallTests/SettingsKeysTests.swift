import Foundation
import Hosts
import SystemPackage
import Testing

@testable import Install

@Suite struct SettingsKeysTests {
    @Test func aPropertyIsNamedAfterItsKey() {
        for group in Settings.groups {
            for child in Mirror(reflecting: group).children {
                guard let key = child.value as? any Settings.AnyKey else { continue }
                let parts = key.name.lowercased().split(separator: "_")
                let rest = parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
                #expect(child.label == (parts.first ?? "") + rest.joined())
            }
        }
    }

    @Test func noKeyIsDeclaredTwice() {
        #expect(Set(Settings.allKeys.map(\.name)).count == Settings.allKeys.count)
    }

    @Test func everyDefaultIsAGoodValueAndRefersToKeysBefore() throws {
        let settings = Settings()
        var before: Set<String> = []
        for key in Settings.allKeys {
            let (_, others) = settings.standardText(of: key) { _ in nil }
            #expect(before.isSuperset(of: others), "\(key.name)")
            before.insert(key.name)
            #expect(throws: Never.self, "\(key.name)") { try settings.standardEntry(for: key) }
        }
        #expect(try Settings(parsing: "") == settings)
    }

    @Test func everyRenamedKeyLeadsToOneThatIsActedOn() {
        for key in Settings.allKeys {
            guard case .renamed(let new) = key.use else { continue }
            #expect(Settings.keysByName[new]?.isActedOn == true)
        }
    }

    @Test func aPropertyHasItsTypeAndCanBeSet() {
        var settings = Settings()
        #expect(settings.jhubNs == "jhub")
        #expect(settings.hubImage == "quay.io/jupyterhub/k8s-hub:4.2.0")
        #expect(settings.adminUsersCsv == ["admin"])
        #expect(settings.pvcSize.bytes == 20 << 30)
        #expect(settings.nodeportFallbackPort == 30080)
        #expect(settings.nginxProxyUpstreamPort == 30080)
        #expect(settings.helmTimeout.duration == .seconds(25 * 60))
        #expect(settings.authMode == .native)
        #expect(settings.githubClientSecret == nil)
        settings.enableNginxProxy = true
        settings.githubClientSecret = Secret("geheim")
        #expect(settings.enableNginxProxy)
        #expect(settings.source(of: "ENABLE_NGINX_PROXY") == .program)
        #expect(settings.text(of: "GITHUB_CLIENT_SECRET") == "***")
        #expect(settings != Settings())
    }

    @Test func theOldProgramsKeysAreAllKnown() throws {
        let names = try fixture("old-keys.txt").split(separator: "\n").map(String.init)
        #expect(names.count > 195)
        #expect(names.filter { Settings.keysByName[$0] == nil } == [])
    }

    @Test func theOldExampleParsesWithoutAFault() throws {
        let settings = try Settings(parsing: fixture("old-example.env"))
        #expect(settings.singleuserStorageClass == "microk8s-hostpath")
        #expect(settings.nginxProxyCertFile == "/path/to/your/cert.crt")
        #expect(settings.jhubFrameAncestors == ["https://jhub.example.com", "http://localhost:8080"])
        #expect(settings.missingFeatures == [.adminPort])
    }

    /// The seed's blocks in a row set AUTH_MODE four times; the last is what this release has not.
    @Test func theSeedsLinesHaveNoUnknownKey() throws {
        let text = try fixture("seed-exports.env")
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: text) }
        #expect(error.faults.map(\.key) == ["AUTH_MODE"])
        #expect(error.faults.first?.reason.contains("Ubilink") == true)
        let known = text.replacing("AUTH_MODE=ubilink", with: "AUTH_MODE=azuread")
        let settings = try Settings(parsing: known)
        #expect(settings.cullTimeoutSeconds == 3600)
        #expect(settings.enableIdleCuller)
        #expect(Set(settings.missingFeatures) == [.gpu, .infiniBand, .portal])
        #expect(settings.azureadClientSecret?.reveal() == "your_client_secret")
    }

    @Test func theExampleHasEveryKeyThatIsActedOnAndNoOther() throws {
        let example = try String(contentsOf: root.appending(path: "jhub.env.example"), encoding: .utf8)
        let settings = try Settings(parsing: example)
        #expect(settings.remarks == [])
        let file = EnvFile(parsing: example.replacing("\n# export ", with: "\nexport "))
        #expect(file.refusals == [])
        let acted = Set(Settings.allKeys.filter(\.isActedOn).map(\.name))
        #expect(Set(file.assignments.map(\.key)) == acted)
        #expect(file.assignments.count == acted.count)
    }

    /// What stands behind `# export` is the default, or an example where there is none.
    @Test func theExampleTellsTheDefaults() throws {
        let example = try String(contentsOf: root.appending(path: "jhub.env.example"), encoding: .utf8)
        for key in Settings.allKeys.filter(\.isActedOn) where !key.standard.isEmpty {
            let lines = example.split(separator: "\n").filter { $0.hasPrefix("# export \(key.name)=") }
            for line in lines {
                let value = line.split(separator: "=", maxSplits: 1)[1]
                #expect(value.trimmingCharacters(in: ["\"", "'"]) == key.standard, "\(key.name)")
            }
        }
    }

    @Test func theGuideHasEveryKeyWithItsDefault() throws {
        let guide = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let rows = guide.split(separator: "\n").filter { $0.hasPrefix("| ") }
        for key in Settings.allKeys where key.isActedOn {
            let row = rows.first { $0.hasPrefix("| `\(key.name)` |") }
            #expect(row?.contains(key.standard.isEmpty ? "|  |" : "| `\(key.standard)` |") == true, "\(key.name)")
            #expect(row?.contains(key.form) == true, "\(key.name)")
        }
        for key in Settings.allKeys where !key.name.hasSuffix("TOKEN_FILE") {
            #expect(guide.contains("`\(key.name)`"), "\(key.name)")
        }
    }

    @Test(arguments: [
        ("SINGLUSER_IMAGE", "SINGLEUSER_IMAGE"), ("jhub_ns", "JHUB_NS"), ("ADMIN_USERS_CVS", "ADMIN_USERS_CSV"),
        ("PVCSIZE", "PVC_SIZE"), ("ENABLE_NGNIX_PROXY", "ENABLE_NGINX_PROXY"),
    ])
    func aMisspeltKeyHasANearestOne(_ wrong: String, _ right: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: "\n\(wrong)=x") }
        #expect("\(error)" == "jhub.env:2: \(wrong): no such key; the nearest is \(right)")
    }

    @Test func aKeyLikeNoOtherHasNone() throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: "FAVOURITE_COLOUR=blue") }
        #expect("\(error)" == "jhub.env:1: FAVOURITE_COLOUR: no such key")
    }
}

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

private func fixture(_ name: String) throws -> String {
    try String(contentsOf: root.appending(path: "Tests/InstallTests/Fixtures/settings/\(name)"), encoding: .utf8)
}

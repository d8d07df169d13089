import Hosts
import Kube
import SystemPackage
import Testing

@testable import Install

@Suite struct SettingsReportTests {
    @Test func eachValueIsShownWithItsSource() throws {
        let text = "JHUB_NS=hub\nGITHUB_CLIENT_SECRET=geheim\nMIG_STRATEGY=single\nUSAGE_PORTAL_TOKEN=geheim"
        let settings = try Settings(parsing: text, overrides: ["PVC_SIZE": "5Gi"])
        let lines = ConfigReport(settings).show()
        func words(_ key: String) -> [Substring]? {
            lines.map { $0.split(separator: " ") }.first { $0.first.map(String.init) == key }
        }
        #expect(words("JHUB_NS") == ["JHUB_NS", "hub", "line", "1"])
        #expect(words("PVC_SIZE") == ["PVC_SIZE", "5Gi", "--set"])
        #expect(words("JHUB_RELEASE") == ["JHUB_RELEASE", "jhub", "default"])
        #expect(words("GITHUB_CLIENT_SECRET") == ["GITHUB_CLIENT_SECRET", "***", "line", "2"])
        #expect(words("USAGE_PORTAL_TOKEN") == ["USAGE_PORTAL_TOKEN", "***", "line", "4"])
        #expect(words("ADMIN_USERS_CSV") == ["ADMIN_USERS_CSV", "admin", "from", "ADMIN_USER"])
        #expect(words("MIG_STRATEGY") == ["MIG_STRATEGY", "single", "line", "3"])
        #expect(words("MIG_PROFILE_NAME") == nil)
    }

    @Test func theJSONSaysTheSame() throws {
        let settings = try Settings(parsing: "GITHUB_CLIENT_SECRET=geheim")
        let text = ConfigReport(settings).show(asJSON: true).joined()
        #expect(!text.contains("geheim"))
        let rows = try JSON(parsing: text).array
        #expect(rows?.contains(["key": "JHUB_NS", "value": "jhub", "source": "default"]) == true)
    }

    @Test func faultsEndWithStatus2AndRemarksDoNot() throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: "JHUB_SN=a\nENABLE_IB=1") }
        let report = ConfigReport(error)
        #expect(report.exitCode == 2)
        #expect(
            report.check() == [
                "jhub.env:1: JHUB_SN: no such key; the nearest is JHUB_NS",
                "warning: jhub.env:2: ENABLE_IB: InfiniBand is not in this release; the rest is installed",
            ])
        let first = try JSON(parsing: report.check(asJSON: true).joined()).array?.first
        #expect(first?["line"]?.int == 1)
        #expect(first?["weight"]?.string == "fault")
        #expect(ConfigReport(try Settings(parsing: "ENABLE_IB=1")).exitCode == 0)
    }

    @Test func aSecretIsNeverPrinted() {
        let secret = Secret("geheim")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Optional(secret) as Any)"] {
            #expect(!text.contains("geheim"))
        }
        var settings = Settings()
        settings.githubClientSecret = secret
        #expect(!"\(settings)".contains("geheim"))
        dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("geheim"))
        #expect(dumped.contains("GITHUB_CLIENT_SECRET=***"))
    }
}

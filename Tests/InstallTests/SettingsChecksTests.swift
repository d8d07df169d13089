import Hosts
import SystemPackage
import Testing

@testable import Install

/// What keys say of each other.
@Suite struct SettingsChecksTests {
    @Test(arguments: [
        ("CLUSTER_PROVIDER=existing", "CLUSTER_PROVIDER: existing needs KUBECONFIG_FILE"),
        ("TLS_CERT_FILE=/c", "TLS_CERT_FILE: needs TLS_KEY_FILE with it"),
        ("TLS_KEY_FILE=/k", "TLS_KEY_FILE: needs TLS_CERT_FILE with it"),
        ("NGINX_PROXY_CERT_FILE=/c", "NGINX_PROXY_CERT_FILE: needs NGINX_PROXY_KEY_FILE with it"),
        ("ENABLE_NGINX_PROXY=true NGINX_PROXY_HTTPS_PORT=80", "HTTP and HTTPS cannot share port 80"),
        ("ENABLE_NGINX_PROXY=true NGINX_PROXY_HTTPS_PORT=30080", "port 30080 is the hub's own NodePort"),
        ("SINGLEUSER_STORAGE_TYPE=static", "static needs SINGLEUSER_STORAGE_CLAIM"),
        (
            "SINGLEUSER_EPHEMERAL_STORAGE_REQUEST=2Gi SINGLEUSER_EPHEMERAL_STORAGE_LIMIT=1Gi",
            "the request is above the limit"
        ),
        ("ENABLE_RESOURCE_QUOTA=true LIMITRANGE_MAX_CPU=500m", "the maximum 500m is below the default 1"),
        ("ENABLE_RESOURCE_QUOTA=true LIMITRANGE_MAX_MEMORY=512Gi", "above the quota 256Gi of RQ_LIMITS_MEMORY"),
        ("ENABLE_RESOURCE_QUOTA=true RQ_REQUESTS_MEMORY=1Gi", "less than the 4Gi of one server"),
        ("ENABLE_RESOURCE_QUOTA=true RQ_PODS=2", "one server a third"),
    ])
    func aContradictionIsAFault(_ text: String, _ reason: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: text) }
        #expect(error.faults.count == 1, "\(error)")
        #expect("\(error)".hasPrefix("jhub.env:1: "))
        #expect("\(error)".contains(reason), "\(error)")
    }

    @Test func limitsThatAreSwitchedOffAreNotHeldAgainstEachOther() throws {
        #expect(try Settings(parsing: "LIMITRANGE_MAX_CPU=500m").remarks == [])
    }

    @Test func aFaultIsNotSaidTwice() throws {
        let error = try #require(throws: SettingsError.self) {
            try Settings(parsing: "TLS_CERT_FILE=$(x)\nTLS_KEY_FILE=/k")
        }
        #expect(error.faults.count == 1, "\(error)")
    }

    @Test(arguments: ["GITHUB", "AZUREAD"])
    func aLoginElsewhereNeedsItsThreeKeys(_ mode: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: "AUTH_MODE=\(mode)") }
        #expect(error.faults.map(\.key) == ["AUTH_MODE", "AUTH_MODE", "AUTH_MODE"])
        #expect("\(error)".contains("\(mode)_CLIENT_SECRET or \(mode)_CLIENT_SECRET_FILE"))
    }

    private let github = """
        AUTH_MODE=github
        GITHUB_CLIENT_ID=id
        GITHUB_CALLBACK_URL=https://hub.example.com/hub/oauth_callback

        """

    @Test func aSecretMayStandInAFileOfItsOwn() throws {
        let text = github + "GITHUB_CLIENT_SECRET_FILE=secret"
        let settings = try Settings(parsing: text, folder: "/root") { path throws(Settings.Complaint) in
            path == "/root/secret" ? "geheim" : nil
        }
        #expect(settings.githubClientSecret?.reveal() == "geheim")
        #expect(settings.source(of: "GITHUB_CLIENT_SECRET") == .derived(from: ["GITHUB_CLIENT_SECRET_FILE"]))
        let both = text + "\nGITHUB_CLIENT_SECRET=x"
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: both) }
        #expect("\(error)".contains("keep one of them"))
    }

    @Test func lettingEverybodyInIsAWarningUnlessItIsSaid() throws {
        let text = github + "GITHUB_CLIENT_SECRET=x\n"
        #expect(try Settings(parsing: text).remarks.map(\.weight) == [.warning])
        #expect(try Settings(parsing: text + "ALLOW_ALL_USERS=true").remarks == [])
    }

    @Test func aListOfUsersShutsTheDoorToOthers() throws {
        let text = github + "GITHUB_CLIENT_SECRET=x\nGITHUB_ALLOWED_ORGS=us\n"
        let settings = try Settings(parsing: text)
        #expect(!settings.allowAllUsers)
        #expect(settings.source(of: "ALLOW_ALL_USERS") == .derived(from: ["GITHUB_ALLOWED_ORGS"]))
        #expect(try Settings(parsing: text + "ALLOW_ALL_USERS=true").remarks.map(\.weight) == [.warning])
    }

    @Test func anAdminOutsideTheListIsAddedAndSaid() throws {
        let settings = try Settings(parsing: "ADMIN_USERS_CSV=ann,bob\nALLOWED_USERS_CSV=bob,cem")
        #expect(settings.allowedUsersCsv == ["bob", "cem", "ann"])
        #expect(settings.remarks.map(\.weight) == [.note])
        #expect(settings.remarks.first?.reason.contains("ann") == true)
    }

    @Test func whatComesLaterIsAWarningByNameAndNoFault() throws {
        let settings = try Settings(
            parsing: "USE_GPU_OPERATOR=true\nENABLE_IB=false\nIB_RESOURCE_COUNT=1\nFORCE_RUNC=true")
        #expect(settings.useGpuOperator)
        #expect(settings.missingFeatures == [.gpu])
        #expect(
            settings.remarks.map(\.description) == [
                "jhub.env:1: USE_GPU_OPERATOR: the GPU Operator is not in this release; the rest is installed",
                "jhub.env:3: IB_RESOURCE_COUNT: belongs to InfiniBand, which is not in this release",
                "jhub.env:4: FORCE_RUNC: is ignored: runc and overlayfs are what MicroK8s has by itself; its containerd is left alone",
            ])
    }

    @Test func anOldNameIsTakenUnlessTheNewOneIsThere() throws {
        let old = try Settings(parsing: "IDLE_TIMEOUT=60")
        #expect(old.cullTimeoutSeconds == 60)
        #expect(old.remarks.map(\.weight) == [.note])
        let both = try Settings(parsing: "CULL_TIMEOUT_SECONDS=90\nIDLE_TIMEOUT=60\nCULL_EVERY_SECONDS=30")
        #expect(both.cullTimeoutSeconds == 90)
        #expect(both.remarks.map(\.weight) == [.warning])
        #expect(
            try Settings(parsing: "CULL_TIMEOUT_SECONDS=90", overrides: ["IDLE_TIMEOUT": "60"]).cullTimeoutSeconds == 60
        )
    }
}

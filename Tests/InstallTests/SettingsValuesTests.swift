import Kube
import SystemPackage
import Testing

@testable import Install

/// What a value may be, key by key.
@Suite struct SettingsValuesTests {
    @Test(arguments: [
        ("ENABLE_NGINX_PROXY", "True"), ("ENABLE_NGINX_PROXY", "no"), ("ENABLE_NGINX_PROXY", "1"),
        ("NODEPORT_FALLBACK_PORT", "32767"), ("NGINX_PROXY_HTTPS_PORT", "8443"),
        ("HELM_TIMEOUT", "25m0s"), ("HELM_TIMEOUT", "1h30m"), ("HELM_TIMEOUT", "90s"),
        ("PVC_SIZE", "128Gi"), ("PVC_SIZE", "1.5Ti"), ("PVC_SIZE", "10G"), ("RQ_LIMITS_CPU", "500m"),
        ("JHUB_NS", "hub-2"), ("JHUB_CHART_VERSION", "4.2.0-beta.1"),
        ("SINGLEUSER_IMAGE", "myorg/pytorch-jhub:24.10"), ("SINGLEUSER_IMAGE", "localhost:5000/a/b:1"),
        ("SINGLEUSER_IMAGE", "a@sha256:" + String(repeating: "0", count: 64)),
        ("ADMIN_USERS_CSV", "tony.test, Ann ,b-c@example.com"), ("NODE_IP", "fd00::1"), ("NODE_IP", "10.0.0.7"),
        ("DNS_UPSTREAM", "10.0.0.53 10.0.0.54"), ("NGINX_PROXY_SERVER_NAME", "*.example.com jhub 10.0.0.7"),
        ("JHUB_FRAME_ANCESTORS", "https://a.example:8443 *"), ("SINGLEUSER_HOME_MOUNT_PATH", "/home/jovyan"),
        ("SINGLEUSER_STORAGE_TYPE", "NONE"), ("AUTH_MODE", "NativeAuthenticator"),
        ("CLUSTER_NODE_IPS", "10.0.0.8, worker2"), ("SINGLEUSER_NODE_SELECTOR_JSON", #"{"disk": "fast"}"#),
        ("HUB_TOLERATIONS_JSON", #"[ {"key": "a", "operator": "Exists"} ]"#),
    ])
    func thisIsTaken(_ key: String, _ value: String) throws {
        let settings = try Settings(parsing: "", overrides: [key: value])
        #expect(settings.source(of: key) == .override)
    }

    @Test(arguments: [
        ("ENABLE_NGINX_PROXY", "on", "neither true nor false"), ("NODEPORT_FALLBACK_PORT", "80", "30000 to 32767"),
        ("NGINX_PROXY_HTTPS_PORT", "65536", "1 to 65535"), ("NGINX_PROXY_HTTPS_PORT", "0", "1 to 65535"),
        ("NGINX_PROXY_HTTPS_PORT", "+443", "1 to 65535"), ("NGINX_PROXY_HTTPS_PORT", "४४३", "1 to 65535"),
        ("HELM_TIMEOUT", "25", "90s"), ("HELM_TIMEOUT", "0s", "90s"), ("HELM_TIMEOUT", "-5m", "90s"),
        ("PVC_SIZE", "128", "too little"), ("PVC_SIZE", "0Gi", "too little"), ("PVC_SIZE", "128GB", "20Gi"),
        ("PVC_SIZE", "-1Gi", "20Gi"), ("RQ_LIMITS_CPU", "64Gi", "too much"),
        ("JHUB_NS", "Hub", "is not a name"), ("JHUB_NS", "-hub", "is not a name"),
        ("JHUB_NS", "kube-system", "belongs to"),
        ("JHUB_RELEASE", String(repeating: "a", count: 54), "at most 53"),
        ("JHUB_CHART_VERSION", "latest", "is not a version"),
        ("SINGLEUSER_IMAGE", "myorg/pytorch:latest", "whatever is latest"),
        ("SINGLEUSER_IMAGE", "busybox", "whatever is latest"),
        ("SINGLEUSER_IMAGE", "myorg/X:1", "upper-case"), ("ALLOWED_CUSTOM_IMAGES", "a:1,b", "whatever is latest"),
        ("ADMIN_USERS_CSV", "a/b", "not a user's name"), ("ADMIN_USERS_CSV", "a b", "not a user's name"),
        ("ADMIN_USERS_CSV", "ann,..", "not a user's name"), ("NODE_IP", "10.0.0.256", "not an IP address"),
        ("NODE_IP", "10.0.0.07", "not an IP address"), ("NODE_IP", "1::2::3", "not an IP address"),
        ("INGRESS_HOST", "10.0.0.256", "neither a host"), ("INGRESS_HOST", "a_b", "neither a host"),
        ("DNS_UPSTREAM", "127.0.0.53", "loopback"), ("GITHUB_CALLBACK_URL", "hub.example.com", "is not a URL"),
        ("GITHUB_CALLBACK_URL", "https://", "is not a URL"),
        ("JHUB_FRAME_ANCESTORS", "https://a.example/x", "is not a site"),
        ("SINGLEUSER_HOME_MOUNT_PATH", "home", "absolute"), ("SINGLEUSER_HOME_MOUNT_PATH", "/", "absolute"),
        ("SHARED_STORAGE_PATH", "~/Storage", "instead of ~"), ("SHARED_STORAGE_PATH", "/etc/", "belongs to the system"),
        ("SHARED_STORAGE_PATH", "/a\nb", "line break"), ("SINGLEUSER_IMAGE_PULL_POLICY", "Sometimes", "none of"),
        ("AUTH_MODE", "ubilink", "not in this release"), ("AUTH_MODE", "ldap", "none of"),
        ("SINGLEUSER_NODE_SELECTOR_JSON", "{disk: fast}", "not JSON"),
        ("SINGLEUSER_NODE_SELECTOR_JSON", "[]", "JSON object"),
        ("SINGLEUSER_NODE_SELECTOR_JSON", #"{"a": 1}"#, "JSON object"),
        ("HUB_TOLERATIONS_JSON", #"[{"taint": "a"}]"#, "JSON array"), ("NO_SUCH_KEY_AT_ALL", "1", "no such key"),
    ])
    func thisIsAFault(_ key: String, _ value: String, _ reason: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: "", overrides: [key: value]) }
        #expect(error.faults.count == 1, "\(error)")
        #expect("\(error)".hasPrefix("--set: \(key): "))
        #expect("\(error)".contains(reason), "\(error)")
    }

    @Test func anEmptyValueIsTheDefault() throws {
        let settings = try Settings(parsing: "JHUB_NS=\nPVC_SIZE=''\nNODE_IP=\"\"")
        #expect(settings == Settings())
    }

    @Test func anOverrideStandsAboveTheFile() throws {
        let settings = try Settings(
            parsing: "JHUB_RELEASE=a\nJHUB_NS=$JHUB_RELEASE", overrides: ["JHUB_RELEASE": "b"])
        #expect(settings.jhubRelease == "b")
        #expect(settings.jhubNs == "b")
        #expect(settings.source(of: "JHUB_RELEASE") == .override)
        #expect(settings.source(of: "JHUB_NS") == .file(line: 2))
    }

    @Test func aRelativePathStartsAtTheFilesFolder() throws {
        let text = "SHARED_STORAGE_PATH=./Storage\nTLS_CERT_FILE=../c.pem\nTLS_KEY_FILE=/k.pem"
        let settings = try Settings(parsing: text, folder: "/etc/jhub")
        #expect(settings.sharedStoragePath == "/etc/jhub/Storage")
        #expect(settings.tlsCertFile == "/etc/c.pem")
        #expect(settings.nginxProxyCertFile == "/etc/c.pem")
        #expect(settings.tlsKeyFile == "/k.pem")
    }

    @Test func usersAreSmallAsTheHubHasThem() throws {
        let settings = try Settings(parsing: "ADMIN_USERS_CSV=' Ann ,,bob,'")
        #expect(settings.adminUsersCsv == ["ann", "bob"])
    }

    @Test func jsonMayHaveBlanksAndLineBreaks() throws {
        let settings = try Settings(parsing: "SINGLEUSER_TOLERATIONS_JSON='[\n  {\"key\": \"gpu\"}\n]'")
        #expect(settings.singleuserTolerationsJson == [["key": "gpu"]])
        #expect(Settings().hubNodeSelectorJson == [:])
    }

    @Test func archivesOutsideTheBundleAreReadToo() throws {
        let text = """
            OFFLINE_IMAGE_DIR=/srv/images
            NOTEBOOK_TAR=$OFFLINE_IMAGE_DIR/notebook.tar
            HUB_IMAGE_TAR=/media/usb/hub.tar
            COREDNS_TAR=./coredns.tar
            """
        let settings = try Settings(parsing: text, folder: "/root")
        #expect(settings.extraArchives == ["/media/usb/hub.tar", "/root/coredns.tar"])
    }

    @Test(arguments: [
        ("1", 1000), ("500m", 500), ("0.5", 500), ("1Ki", 1_024_000), ("1k", 1_000_000), ("1.5Gi", 1_610_612_736_000),
        ("0.0001", 1),
    ])
    func quantitiesCountInThousandths(_ text: String, _ millis: Int) {
        #expect(Quantity(text)?.millis == millis)
    }
}

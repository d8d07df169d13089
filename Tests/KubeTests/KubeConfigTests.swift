import HTTP
import Kube
import Testing

@Suite struct KubeConfigTests {
    private static let inline = """
        apiVersion: v1
        kind: Config
        current-context: microk8s
        clusters:
        - {name: other, cluster: {server: "https://10.0.0.1:6443"}}
        - {name: microk8s-cluster, cluster: {server: "https://127.0.0.1:16443/", certificate-authority-data: Q0E=}}
        contexts:
        - {name: microk8s, context: {cluster: microk8s-cluster, user: admin}}
        users:
        - {name: admin, user: {token: "abc=="}}
        """

    @Test func readsTheCurrentContext() throws {
        let config = try KubeConfig(yaml: Self.inline)
        #expect(config.server == "https://127.0.0.1:16443" && config.token == BearerToken("abc=="))
        #expect(config.trust == Trust(authority: Array("CA".utf8)))
        #expect(!"\(config)".contains("abc"))
    }

    @Test func fetchesTheFilesItNames() async throws {
        let yaml = Self.inline
            .replacing("certificate-authority-data: Q0E=", with: "certificate-authority: /pki/ca.crt")
            .replacing(
                "token: \"abc==\"", with: "client-certificate: /pki/a.crt, client-key-data: S0VZ, tokenFile: /token")
        let files = ["/pki/ca.crt": "ca", "/pki/a.crt": "crt", "/token": "t\n"].mapValues { Array($0.utf8) }
        for config in [
            try KubeConfig(yaml: yaml) { files[$0] }, try await KubeConfig.load(yaml: yaml) { files[$0] },
        ] {
            #expect(config.trust.authority == Array("ca".utf8) && config.trust.certificate == Array("crt".utf8))
            #expect(config.trust.key == Array("KEY".utf8) && config.token?.value == "t")
        }
        #expect(throws: KubeError.self) { try KubeConfig(yaml: yaml) }
    }

    @Test(arguments: [
        ("current-context: microk8s", "x: y", "no current-context"),
        ("current-context: microk8s", "current-context: nope", "no context nope"),
        ("user: admin", "user: root", "no user root"), ("cluster: microk8s-cluster", "cluster: k3s", "no cluster k3s"),
        ("certificate-authority-data: Q0E=", "certificate-authority-data: '%'", "no base64"),
        ("certificate-authority-data: Q0E=", "insecure-skip-tls-verify: true", "insecure-skip-tls-verify"),
        ("token: \"abc==\"", "exec: {command: aws}", "exec"), ("apiVersion: v1", "apiVersion: [", "cannot be read"),
    ])
    func saysWhatIsWrong(old: String, new: String, words: String) {
        let error = #expect(throws: KubeError.self) { try KubeConfig(yaml: Self.inline.replacing(old, with: new)) }
        #expect(error?.description.contains(words) == true)
    }
}

import Hosts
import Kube
import SystemPackage

/// What the hub must keep to itself: made once, kept in a Secret of the cluster, never made again.
struct HubSecrets {
    static let name = "jhub-install"
    /// As whom we ask the hub; the chart makes its token and keeps it in the hub's Secret.
    static let service = "jhub-install"
    /// The admin's first password, for root to read. It is used once, at the first start of the hub.
    static let passwordFile: FilePath = "/var/lib/jhub/admin-password"

    var proxyToken: String
    var cookieSecret: String
    var cryptKey: String

    /// Nil where there is no such Secret yet.
    static func standing(in kube: KubeClient, namespace: String) async throws -> HubSecrets? {
        guard let secret = try await kube.get(Manifest(object(namespace, data: [:]))) else { return nil }
        func value(_ key: String) throws -> String {
            guard let text = secret[["data", key]]?.string, let bytes = Base64.decoded(text) else {
                throw InstallError.refused(
                    "the Secret \(namespace)/\(name) has no \(key): put it back, or delete the Secret (all users are then logged out)"
                )
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        return HubSecrets(
            proxyToken: try value("proxy-token"), cookieSecret: try value("cookie-secret"),
            cryptKey: try value("crypt-key"))
    }

    /// 32 random bytes each, in hexadecimal, as the hub and its proxy want them; and the admin's password.
    static func fresh(password: String, namespace: String) -> Manifest {
        Manifest(
            object(
                namespace,
                data: [
                    "proxy-token": Random.hexadecimal(bytes: 32), "cookie-secret": Random.hexadecimal(bytes: 32),
                    "crypt-key": Random.hexadecimal(bytes: 32), "admin-password": password,
                ]))
    }

    private static func object(_ namespace: String, data: [String: String]) -> JSON {
        [
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace),
                "labels": ["app.kubernetes.io/managed-by": "jhub-install"],
            ],
            "data": .object(data.mapValues { .string(Base64.encoded(Array($0.utf8))) }),
        ]
    }
}

enum Random {
    static func hexadecimal(bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &generator) }.hexadecimal
    }

    /// Letters and digits that cannot be mistaken for one another, since somebody will copy it from a screen.
    static func password(length: Int = 20) -> String {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }
}

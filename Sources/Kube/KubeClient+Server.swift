import HTTP

extension KubeClient {
    /// Whether the server says that it is ready, and if not, why.
    package func ready() async -> Readiness {
        do throws(KubeError) {
            let response = try await send("GET", "/readyz?verbose")
            if response.status == 200 { return .ready }
            // Its verbose answer has one line a check: "[-]poststarthook/rbac/bootstrap-roles failed: …".
            let failed = String(decoding: response.body, as: UTF8.self).split(whereSeparator: \.isNewline)
                .filter { $0.hasPrefix("[-]") }.map { $0.dropFirst(3) }.joined(separator: "; ")
            if !failed.isEmpty { return .waiting("the API server is not ready: \(failed)") }
            return .waiting(KubeError("ask the API server whether it is ready", response).description)
        } catch {
            return .waiting(error.description)
        }
    }

    /// Why the server is not ready, or nil where it is.
    package func unreadiness() async -> String? { await ready().reason }

    /// Whether the server lets a user whom nobody gave anything do everything: then no rule of access holds.
    package func letsAnybodyIn() async throws(KubeError) -> Bool {
        let review: JSON = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": [
                "user": "jhub-install:nobody", "resourceAttributes": ["verb": "*", "group": "*", "resource": "*"],
            ],
        ]
        let answer = try await create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        guard let isAllowed = answer[["status", "allowed"]]?.bool else {
            throw KubeError("the API server says nothing of who may do what: \(answer.text())")
        }
        return isAllowed
    }

    package func version() async throws(KubeError) -> KubeVersion {
        let answer = try object(await send("GET", "/version"), attempt: "ask the API server for its version")
        guard let text = answer["gitVersion"]?.string, let version = KubeVersion(text) else {
            throw KubeError("the API server says nothing of its version: \(answer.text())")
        }
        return version
    }
}

/// The version of a Kubernetes program: "v1.20.2", "v1.29.4-3+abc".
package struct KubeVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    package var patch: Int
    package var description: String

    package init?(_ text: String) {
        let numbers = text.drop { $0 == "v" }.split(separator: ".", maxSplits: 2).map {
            Int($0.prefix(while: \.isNumber))
        }
        guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        (self.major, self.minor, patch) = (major, minor, numbers.count > 2 ? numbers[2] ?? 0 : 0)
        description = text
    }

    package static func < (one: KubeVersion, other: KubeVersion) -> Bool {
        (one.major, one.minor, one.patch) < (other.major, other.minor, other.patch)
    }
}

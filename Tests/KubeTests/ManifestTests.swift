import Kube
import Testing

@Suite struct ManifestTests {
    @Test(arguments: [
        ("v1", "Namespace", nil, "/api/v1/namespaces/x"), ("v1", "Pod", "n", "/api/v1/namespaces/n/pods/x"),
        ("v1", "Endpoints", "n", "/api/v1/namespaces/n/endpoints/x"),
        ("apps/v1", "DaemonSet", "n", "/apis/apps/v1/namespaces/n/daemonsets/x"),
        ("storage.k8s.io/v1", "StorageClass", nil, "/apis/storage.k8s.io/v1/storageclasses/x"),
        ("networking.k8s.io/v1", "NetworkPolicy", "n", "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/x"),
        ("policy/v1beta1", "PodDisruptionBudget", "n", "/apis/policy/v1beta1/namespaces/n/poddisruptionbudgets/x"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", nil, "/apis/rbac.authorization.k8s.io/v1/clusterroles/x"),
    ])
    func knowsItsPath(version: String, kind: String, namespace: String?, path: String) throws {
        let metadata: JSON = .object(["name": "x", "namespace": namespace.map(JSON.string)].compactMapValues(\.self))
        let manifest = Manifest(["apiVersion": .string(version), "kind": .string(kind), "metadata": metadata])
        #expect(try manifest.path() == path)
    }

    @Test(
        arguments: [
            (["apiVersion": "v1", "kind": "Widget", "metadata": ["name": "x"]], "v1 Widget"),
            (
                ["apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": ["name": "x"]],
                "apps/v1beta1 Deployment"
            ),
            (["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "x"]], "namespace"),
            (["apiVersion": "v1", "kind": "Node"], "no name"),
        ] as [(JSON, String)])
    func saysWhatItCannotPlace(object: JSON, words: String) {
        let error = #expect(throws: KubeError.self) { try Manifest(object).path() }
        #expect(error?.description.contains(words) == true)
    }

    @Test func aStrangeNameStaysWithinItsPath() throws {
        let manifest = Manifest(["apiVersion": "v1", "kind": "Node", "metadata": ["name": "../x?y"]])
        #expect(try manifest.path() == "/api/v1/nodes/..%2Fx%3Fy")
    }
}

@Suite struct TemplateTests {
    private func manifests(_ text: String, _ values: [String: JSON]) throws -> [Manifest] {
        let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
        return try Template(name: "t.yaml", text: head + text).manifests(values)
    }

    @Test func fillsHolesWithWordsAndWholeValues() throws {
        let filled = try manifests(
            "data: {a: 'http://${HOST}:${PORT}/', b: '${LIST}', c: '${PORT}', d: '$${HOST} $HOME 5$', e: '${GONE}'}",
            ["HOST": "h", "PORT": 80, "LIST": ["x", 1], "GONE": .null])
        let data: JSON = ["a": "http://h:80/", "b": ["x", 1], "c": 80, "d": "${HOST} $HOME 5$"]
        #expect(filled.map { $0.object["data"] } == [data])
    }

    @Test func aValueCannotBecomeStructure() throws {
        let nasty: JSON = "x\"\n  injected: true\n---\nkind: Pod ${OTHER}"
        let filled = try manifests("data:\n  a: ${V}\n  b: pre ${V}\n", ["V": nasty])
        #expect(filled.count == 1 && filled[0].object["data"]?["a"] == nasty)
        #expect(filled[0].object["data"]?.object?.count == 2)
    }

    @Test(arguments: [
        ("data: {a: '${NOPE}'}", "t.yaml: there is no value for ${NOPE}"),
        ("data: {a: 'x ${LIST}'}", "t.yaml: the value of ${LIST} does not fit"), ("data: [", "t.yaml: the YAML"),
        ("---\nkind: Pod\n", "t.yaml: a document has no kind, apiVersion or name"),
    ])
    func saysWhatIsWrongAndWhere(text: String, words: String) {
        let error = #expect(throws: TemplateError.self) { try manifests(text, ["LIST": []]) }
        #expect(error?.description.hasPrefix(words) == true)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: TemplateError.self) { try Template(at: "/no/such.yaml") }
        #expect(error?.description.contains("/no/such.yaml") == true)
    }
}

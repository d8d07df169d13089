import Images
import Testing

@Suite struct ReferenceTests {
    @Test(arguments: [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.28.4", "docker.io/library/busybox:1.28.4"),
        ("calico/cni:v3.25.1", "docker.io/calico/cni:v3.25.1"),
        ("index.docker.io/library/busybox", "docker.io/library/busybox:latest"),
        ("docker.io/busybox:1", "docker.io/library/busybox:1"),
        ("registry.k8s.io/pause:3.7", "registry.k8s.io/pause:3.7"),
        ("localhost/a/b", "localhost/a/b:latest"),
        ("localhost:32000/a", "localhost:32000/a:latest"),
        ("10.0.0.7:5000/team/a_b__c.d---e:T_1.2-x", "10.0.0.7:5000/team/a_b__c.d---e:T_1.2-x"),
        ("Registry.Example:5000/a", "Registry.Example:5000/a:latest"),
        ("nvcr.io/nvidia/k8s/container-toolkit:v1.18.0", "nvcr.io/nvidia/k8s/container-toolkit:v1.18.0"),
        (
            "quay.io/a/b:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "quay.io/a/b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
    ])
    func aNameIsMadeWhole(text: String, whole: String) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference.description == whole)
        #expect(try ImageReference(parsing: whole) == reference)
    }

    @Test(arguments: [
        "", "/", "a/", "/a", "a//b", "Busybox", "quay.io/Team/a", "a:", "a:-1", "a: b", "a b", "-a", "a-", "a..b",
        "a___b",
        "a:b:c", "host:port/a", "host:80:90/a", "a@", "a@sha256:12", "a@sha512:00", "ä", "a.-b", "exa_mple.com/a",
        ".a/b",
        "a:" + String(repeating: "x", count: 129), String(repeating: "x", count: 250),
    ])
    func whatIsNoNameIsRefusedInOneLine(text: String) {
        let error = #expect(throws: ImageError.self) { try ImageReference(parsing: text) }
        #expect(error?.description.contains("\n") == false)
    }

    @Test func aDigestIsChecked() throws {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(Digest(of: []).description == empty)
        #expect(try Digest(parsing: empty) == Digest(of: []))
        #expect(throws: ImageError.self) { try Digest(parsing: empty.uppercased()) }
        #expect(throws: ImageError.self) { try Digest(parsing: empty + "0") }
        #expect(throws: ImageError.self) { try Digest(parsing: "e3b0c442") }
    }
}

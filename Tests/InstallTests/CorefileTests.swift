import Testing

@testable import Install

@Suite struct CorefileTests {
    private func corefile(_ forward: String, before: String = "") -> String {
        """
        \(before).:53 {
            errors
            kubernetes cluster.local in-addr.arpa ip6.arpa {
              pods insecure
              fallthrough in-addr.arpa ip6.arpa
            }
            prometheus :9153
        \(forward)    cache 30
            loop
        }

        """
    }

    private func forwarded(_ text: String, to upstream: [String] = []) -> String {
        let new = Corefile(text: text).forwarding(to: upstream, placeholder: "10.99.0.2")
        #expect(Corefile(text: new).forwarding(to: upstream, placeholder: "10.99.0.2") == new, "not settled")
        return new
    }

    @Test(arguments: ["8.8.8.8 8.8.4.4", "1.1.1.1", "10.0.0.53 9.9.9.9", "10.99.0.2"])
    func whatNobodyAskedForGoes(_ resolvers: String) {
        #expect(forwarded(corefile("    forward . \(resolvers)\n")) == corefile(""))
        #expect(forwarded(corefile("    forward . \(resolvers) {\n      policy random\n    }\n")) == corefile(""))
    }

    @Test(arguments: [
        "    forward . 10.0.0.53\n", "    forward . /etc/resolv.conf\n",
        "    forward . 10.0.0.53 10.0.0.54 {\n      max_concurrent 1000\n    }\n",
    ])
    func whatTheSiteWroteItselfStays(_ forward: String) {
        #expect(forwarded(corefile(forward)) == corefile(forward))
    }

    @Test(arguments: ["8.8.8.8 8.8.4.4", "/etc/resolv.conf", "10.99.0.2", "10.0.0.54", "10.0.0.53 10.0.0.54"])
    func theUpstreamOfTheConfigTakesItsPlace(_ resolvers: String) {
        let wanted = "    forward . 10.0.0.53\n"
        #expect(forwarded(corefile("    forward . \(resolvers)\n"), to: ["10.0.0.53"]) == corefile(wanted))
    }

    @Test func anUpstreamKeepsTheOptionsOfTheOldOne() {
        let old = "    forward . 8.8.8.8 8.8.4.4 {\n      max_concurrent 1000\n    }\n"
        let new = "    forward . 10.0.0.53 10.0.0.54 {\n      max_concurrent 1000\n    }\n"
        #expect(forwarded(corefile(old), to: ["10.0.0.53", "10.0.0.54"]) == corefile(new))
    }

    @Test func anUpstreamIsPutWhereThereIsNone() {
        let text = forwarded(corefile(""), to: ["10.0.0.53"])
        #expect(text.hasSuffix("    loop\n    forward . 10.0.0.53\n}\n"))
        #expect(text.split(separator: "\n").count { $0.contains("forward") } == 1)
    }

    @Test func otherZonesStay() {
        let zone = "example.com:53 {\n    forward . 10.7.0.1\n}\n"
        let mixed = "    forward corp.example 10.7.0.1\n    forward . 8.8.8.8\n"
        #expect(forwarded(corefile(mixed)) == corefile("    forward corp.example 10.7.0.1\n"))
        #expect(
            forwarded(corefile(mixed), to: ["10.0.0.53"])
                == corefile("    forward corp.example 10.7.0.1\n    forward . 10.0.0.53\n"))
        let both = corefile("    forward . 1.1.1.1\n", before: zone)
        #expect(forwarded(both) == corefile("", before: zone))
        #expect(forwarded(both, to: ["10.0.0.53"]) == corefile("    forward . 10.0.0.53\n", before: zone))
    }
}

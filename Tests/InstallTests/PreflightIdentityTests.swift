import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct PreflightIdentity {
    static let faults: [PreflightFault] = [
        name("Head", "has capitals", "hostnamectl set-hostname head"),
        name("gpu_node1", "has an underscore", "hostnamectl set-hostname gpu-node1"),
        name("localhost", "means every machine", "hostnamectl set-hostname jupyter-head"),
        name("localhost.localdomain", "means every machine", "jupyter-head"),
        name(String(repeating: "n", count: 60), "has 60 characters", "set-hostname nnnnn"),
        name("-head-", "is not a DNS name", "set-hostname head"),
        PreflightFault("id.hosts", .info, "head is 127.0.1.1", "stage host") {
            $0.host.answer(["getent", "ahosts", "head"], output: "127.0.1.1       STREAM head\n")
        },
        PreflightFault("id.hosts", .info, "head is not known") {
            $0.host.answer(["getent", "ahosts", "head"], output: "", status: 2)
        },
        PreflightFault(
            "id.fqdn_change", .failed, "the host is newhead, the node is head", "hostnamectl set-hostname head"
        ) {
            try $0.installMicroK8s()
            $0.host["/proc/sys/kernel/hostname"] = "newhead\n"
        },
        PreflightFault("time.sync", .warning, "nothing does", "NTP=ADDRESS") {
            $0.host.answer(["timedatectl", "show"], output: "Timezone=Etc/UTC\nNTP=no\nNTPSynchronized=no\n")
        },
        PreflightFault("time.sane", .failed, "3037 days behind k8s-hub-4.2.0.tar", "timedatectl set-time") {
            $0.host.answer(["date", "+%s"], output: "1532600000\n")
        },
        PreflightFault("time.sane", .failed, "60 minutes behind /var/snap/microk8s/current/certs/server.crt") {
            try $0.installMicroK8s()
            // The certificate's notBefore is 10:31:06 of that day.
            $0.host.answer(["date", "+%s"], output: "1795253466\n")
        },
    ]

    private static func name(_ name: String, _ words: String, _ fix: String) -> PreflightFault {
        PreflightFault("id.hostname", .failed, "'\(name)' \(words)", fix) {
            $0.host["/proc/sys/kernel/hostname"] = "\(name)\n"
        }
    }

    @Test(arguments: faults) func isFound(_ fault: PreflightFault) async throws { try await fault.expect() }

    @Test(arguments: ["head", "gpu-node1", "a.b.example.com", "0", String(repeating: "n", count: 54)])
    func isAGoodName(_ name: String) { #expect(RightHostname.fault(of: name) == nil) }

    /// One that was asked of date -u -d … +%s.
    @Test func datesOfOpensslAreRead() {
        #expect(Certificate.seconds("Nov 21 10:31:06 2027 GMT") == 1_826_793_066)
        #expect(Certificate.seconds("Jan  1 00:00:00 1970 GMT") == 0)
        #expect(Certificate.seconds("Feb 29 12:00:00 2024 GMT") == 1_709_208_000)
        #expect(Certificate.seconds("Mar  1 00:00:00 2000 GMT") == 951_868_800)
        #expect(Certificate.seconds("Dec 31 23:59:59 2049 GMT") == 2_524_607_999)
        #expect(Certificate.seconds("2027-11-21 10:31:06Z") == nil)
    }
}

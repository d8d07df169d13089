import Hosts
import Kube
import SystemPackage
import TestSupport
import Testing

@testable import Install

@Suite struct HelmReleaseTests {
    let host = ScriptedHost(name: "head")
    private var release: HelmRelease {
        HelmRelease(name: "hub", namespace: "jhub", helm: ["/snap/bin/microk8s", "helm3"], host: host.host)
    }
    private static let list: Command = [
        "/snap/bin/microk8s", "helm3", "list", "--all", "--filter", "^hub$", "--output", "json", "--namespace", "jhub",
    ]

    private func listed(_ status: String, revision: String = "\"3\"") {
        host.answer(
            Self.list,
            output: """
                [{"name":"hub","namespace":"jhub","revision":\(revision),"updated":"2026-11-21 09:00:00 +0000 UTC",\
                "status":"\(status)","chart":"jupyterhub-4.2.0","app_version":"5.3.0"}]

                """)
    }

    @Test(arguments: ["deployed", "failed", "pending-install", "pending-upgrade"])
    func itsStateIsRead(_ status: String) async throws {
        listed(status)
        let state = try #require(try await release.state())
        #expect(state.status == status && state.chart == "jupyterhub-4.2.0" && state.revision == 3)
    }

    @Test func aRevisionMayBeANumber() async throws {
        listed("deployed", revision: "12")
        #expect(try await release.state()?.revision == 12)
    }

    @Test func thereMayBeNone() async throws {
        host.answer(Self.list, output: "[]\n")
        #expect(try await release.state() == nil)
    }

    @Test func whatItCannotReadIsAnError() async throws {
        host.answer(Self.list, output: "[{\"name\": \"hub\"}]")
        await #expect(throws: FactError.self) { try await release.state() }
        host.answer(Self.list, Outcome(status: 1, errors: "Error: Kubernetes cluster unreachable\n"))
        let error = await #expect(throws: InstallError.self) { try await release.state() }
        #expect(error?.description.hasSuffix("ended with status 1: Error: Kubernetes cluster unreachable") == true)
    }

    private func told(_ release: String) {
        host.answer(
            ["/snap/bin/microk8s", "helm3", "status", "hub", "--output", "json", "--namespace", "jhub"], output: release
        )
    }

    @Test func itsValuesAreRead() async throws {
        told(#"{"name": "hub", "config": {"cull": {"enabled": true}}, "manifest": ""}"#)
        #expect(try await release.content().values == ["cull": ["enabled": true]])
        told(#"{"name": "hub", "manifest": ""}"#)
        #expect(try await release.content().values == .null)
    }

    @Test func aReleaseWithoutObjectsIsNotBelieved() async throws {
        told(#"{"name": "hub"}"#)
        await #expect(throws: FactError.self) { try await release.content() }
    }

    @Test func itsObjectsGetTheReleasesNamespace() async throws {
        let manifest = """
            ---
            # Source: jupyterhub/templates/hub/pvc.yaml
            {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: hub-db-dir}}
            ---
            # Source: jupyterhub/templates/scheduling/priorities.yaml
            {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: jhub-default}, value: 0}
            ---
            {apiVersion: v1, kind: ConfigMap, metadata: {name: elsewhere, namespace: other}}

            """
        told(JSON.object(["manifest": .string(manifest)]).text())
        #expect(
            try await release.content().manifests.map(\.description) == [
                "jhub PersistentVolumeClaim/hub-db-dir", "PriorityClass/jhub-default", "other ConfigMap/elsewhere",
            ])
    }

    @Test func valuesGoOverStandardInputOnly() {
        let command = release.upgrade(
            chart: "/b/charts/jupyterhub-4.2.0.tgz", values: ["proxy": ["secretToken": "geheim"]], limit: .seconds(90))
        #expect(
            command.description
                == "/snap/bin/microk8s helm3 upgrade --install hub /b/charts/jupyterhub-4.2.0.tgz --values - --timeout 90s --namespace jhub"
        )
        #expect(String(decoding: command.input, as: UTF8.self) == #"{"proxy":{"secretToken":"geheim"}}"#)
        // Helm itself gives up first, and says why.
        #expect(command.limit == .seconds(150))
    }

    @Test func theChartIsAskedFirst() async throws {
        host.answer(
            where: { $0.argv.contains("template") }, Outcome(status: 1, errors: "Error: values don't meet\n- x\n"))
        #expect(try await release.refusal(chart: "/c.tgz", values: [:]) == "Error: values don't meet · - x")
        host.answer(where: { $0.argv.contains("template") }, Outcome(output: "---\n"))
        #expect(try await release.refusal(chart: "/c.tgz", values: [:]) == nil)
        #expect(host.ran.allSatisfy { $0.input == Array("{}".utf8) })
    }

    @Test func aTryIsForgottenByItsRecord() {
        #expect(release.record(of: 2).description == "jhub Secret/sh.helm.release.v1.hub.v2")
    }
}

import Images
import Kube
import Testing

@testable import Install

/// What rendered objects ask for.
@Suite struct WantedTests {
    private func wanted(_ yaml: String) throws -> [String: [String]] {
        var wanted = Wanted()
        for object in try JSON.documents(yaml: yaml) { wanted.add(object, of: "chart") }
        #expect(wanted.doubts == [])
        return Dictionary(uniqueKeysWithValues: wanted.images.map { ($0.reference.description, $0.needs) })
    }

    @Test func containersOfEveryKindAndDepth() throws {
        let found = try wanted(
            """
            kind: Deployment
            metadata: {name: hub}
            spec:
              template:
                spec:
                  initContainers: [{name: wait, image: "quay.io/a/wait:1"}]
                  containers: [{name: hub, image: "quay.io/a/hub:1"}, {name: sidecar, image: "quay.io/a/hub:1"}]
                  ephemeralContainers: [{name: debug, image: busybox}]
                  volumes: [{name: model, image: {reference: "quay.io/a/model:1"}}]
            ---
            kind: CronJob
            metadata: {name: clean}
            spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: clean, image: "quay.io/a/clean:1"}]}}}}}
            """)
        #expect(
            found == [
                "quay.io/a/wait:1": ["chart: Deployment hub, init container wait"],
                "quay.io/a/hub:1": ["chart: Deployment hub"],
                "docker.io/library/busybox:latest": ["chart: Deployment hub, ephemeral container debug"],
                "quay.io/a/model:1": ["chart: Deployment hub, a volume"],
                "quay.io/a/clean:1": ["chart: CronJob clean"],
            ])
    }

    @Test func aHookSaysThatItIsOne() throws {
        let found = try wanted(
            """
            kind: Job
            metadata: {name: awaiter, annotations: {helm.sh/hook: pre-install}}
            spec: {template: {spec: {containers: [{name: a, image: "quay.io/a/awaiter:1"}]}}}
            """)
        #expect(found == ["quay.io/a/awaiter:1": ["chart: Job awaiter (hook)"]])
    }

    @Test func imagesThatAProgramIsTold() throws {
        let found = try wanted(
            """
            kind: Pod
            metadata: {name: maker}
            spec:
              containers:
                - name: maker
                  image: quay.io/a/maker:1
                  args: ["--pause-image=quay.io/a/pause:3", "--verbose", "--name=quay.io/not/this:1"]
                  env:
                    - {name: BUSYBOX_IMAGE, value: "busybox:1.28"}
                    - {name: NO_IMAGE, value: ""}
                    - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
            """)
        #expect(found.keys.sorted() == ["docker.io/library/busybox:1.28", "quay.io/a/maker:1", "quay.io/a/pause:3"])
    }

    /// The values that the chart hands to the hub, in a Secret as Helm prints it.
    private func values(_ yaml: String) -> String {
        "{kind: Secret, metadata: {name: hub}, data: {values.yaml: \(Base64.encoded(Array(yaml.utf8)))}}"
    }

    private static let server = """
        singleuser:
          image: {name: quay.io/a/server, tag: "4"}
          cloudMetadata: {blockWithIptables: BLOCKED}
          networkTools: {image: {name: quay.io/a/tools, tag: 4}}
          initContainers: [{name: prepare, image: "quay.io/a/prepare:1"}]
          profileList:
            - {display_name: Small}
            - display_name: R
              kubespawner_override: {image: "quay.io/a/r:1"}
              profile_options: {version: {choices: {old: {kubespawner_override: {image: "quay.io/a/r:0"}}}}}
        prePuller: {pause: {image: {name: quay.io/not/this, tag: "3"}}}
        hub: {config: {KubeSpawner: {extra_containers: [{image: "quay.io/a/beside:1"}]}}}
        """

    @Test func theUsersServers() throws {
        let found = try wanted(values(Self.server.replacing("BLOCKED", with: "false")))
        #expect(
            found == [
                "quay.io/a/server:4": ["chart: singleuser.image"],
                "quay.io/a/prepare:1": ["chart: singleuser.initContainers"],
                "quay.io/a/r:1": ["chart: singleuser.profileList.kubespawner_override"],
                "quay.io/a/r:0": [
                    "chart: singleuser.profileList.profile_options.version.choices.old.kubespawner_override"
                ],
                "quay.io/a/beside:1": ["chart: hub.config.KubeSpawner.extra_containers"],
            ])
    }

    @Test func theNetworkToolsAreForOneThing() throws {
        let found = try wanted(values(Self.server.replacing("BLOCKED", with: "true")))
        #expect(found["quay.io/a/tools:4"] == ["chart: singleuser.networkTools.image"])
    }

    @Test func whatCannotBeReadIsADoubt() throws {
        var wanted = Wanted()
        wanted.add(try JSON(yaml: values("singleuser: [")), of: "chart")
        wanted.add(
            try JSON(yaml: "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: '${HOLE}'}]}}"),
            of: "templates/kubernetes/p.yaml")
        #expect(wanted.images.isEmpty)
        #expect(wanted.doubts.count == 2)
        #expect(wanted.doubts[0].hasPrefix("chart: Secret hub: its values.yaml could not be read: "))
        #expect(
            wanted.doubts[1].hasPrefix("templates/kubernetes/p.yaml: Pod p: could not read the image name '${HOLE}'"))
    }
}

import Hosts
import Kube
import SystemPackage

/// A Helm release, as Helm tells of it.
struct HelmRelease {
    var name: String
    var namespace: String
    var helm: [String]
    var host: Host

    struct State {
        var status: String
        var chart: String
        var revision: Int
    }

    /// Nil where there is none. A release whose Helm was killed is there with the status `pending-…`.
    func state() async throws -> State? {
        let command = call(["list", "--all", "--filter", "^\(name)$", "--output", "json"])
        let outcome = try await host.transport.run(command).orThrow(command, on: host.name)
        guard let release = try JSON(parsing: outcome.output).array?.first else { return nil }
        guard let status = release["status"]?.string, let chart = release["chart"]?.string,
            let revision = release["revision"].flatMap({ $0.int ?? $0.string.flatMap { Int($0) } })
        else { throw FactError("'\(command)' answered a release without status, chart or revision") }
        return State(status: status, chart: chart, revision: revision)
    }

    /// What was given to the chart, and the objects that came of it, each with its namespace.
    struct Content {
        var values: JSON
        var manifests: [Manifest]
    }

    func content() async throws -> Content {
        // It tells both; `get values` and `get manifest` would be two looks.
        let command = call(["status", name, "--output", "json"])
        let outcome = try await host.transport.run(command).orThrow(command, on: host.name)
        let release = try JSON(parsing: outcome.output)
        guard let manifests = release["manifest"]?.string else {
            throw FactError("'\(command)' answered a release without a manifest")
        }
        return Content(
            values: release["config"] ?? .null,
            manifests: try Manifest.all(inYAML: manifests).map { try $0.inNamespace(namespace) })
    }

    /// The command that installs or upgrades. Values go over standard input: some are secret.
    func upgrade(chart: FilePath, values: JSON, limit: Duration) -> Command {
        var command = call([
            "upgrade", "--install", name, chart.string, "--values", "-", "--timeout", "\(limit.components.seconds)s",
        ])
        command.input = values.bytes
        command.limit = limit + .seconds(60)
        return command
    }

    /// The command that prints the objects of the chart, hooks among them; no cluster is asked.
    func template(chart: FilePath, values: JSON) -> Command {
        // Without it Helm takes the Kubernetes it was built for: that of MicroK8s 1.30 says 1.24, which chart 4.2.0 refuses.
        var command = call(["template", name, chart.string, "--values", "-", "--kube-version", "1.30.0"])
        command.input = values.bytes
        return command
    }

    /// What Helm's own look at values and chart says against them; nil where it says nothing. It changes nothing.
    func refusal(chart: FilePath, values: JSON) async throws -> String? {
        let outcome = try await host.transport.run(template(chart: chart, values: values))
        return outcome.status == 0 ? nil : outcome.lastWords
    }

    /// Helm's record of one revision, a Secret. Taking it away forgets the try and touches nothing that it made.
    func record(of revision: Int) -> Manifest {
        Manifest([
            "apiVersion": "v1", "kind": "Secret",
            "metadata": [
                "name": .string("sh.helm.release.v1.\(name).v\(revision)"), "namespace": .string(namespace),
            ],
        ])
    }

    private func call(_ arguments: [String]) -> Command { Command(helm + arguments + ["--namespace", namespace]) }
}

import ArgumentParser
import Bundles
import Images
import Install
import SystemPackage

import class Foundation.FileManager

/// What goes into a bundle beside the images.
struct Carriage {
    var settings: Settings
    /// The release of the installer.
    var root: FilePath
    private(set) var carried: [BundleMaker.Carried] = []
    /// Of what will be installed.
    private(set) var versions: [String: String]

    init(settings: Settings, root: FilePath) throws {
        (self.settings, self.root) = (settings, root)
        versions = ["jhub-install": JHubInstall.configuration.version, "jupyterhub": settings.jhubChartVersion]
        let program = root.pushing("bin/jhub-install")
        guard FileManager.default.fileExists(atPath: program.string) else {
            throw BundleFault("there is no \(program) to put into the bundle: name a whole release with --root DIR")
        }
        for name in ["bin", "lib", "templates", "profiles", "docs", "jhub.env.example", "README.md"]
        where FileManager.default.fileExists(atPath: root.appending(name).string) {
            carried.append(.init(root.appending(name), at: "jhub-install/\(name)", needs: ["jhub-install"]))
        }
    }

    mutating func add(charts: FilePath, snaps: FilePath?) throws {
        let chart = "jupyterhub-\(settings.jhubChartVersion).tgz"
        guard FileManager.default.fileExists(atPath: charts.appending(chart).string) else {
            throw BundleFault(
                "there is no \(chart) in \(charts): helm pull jupyterhub --version \(settings.jhubChartVersion) "
                    + "--repo https://hub.jupyter.org/helm-chart/ -d \(charts)")
        }
        carried.append(.init(charts.appending(chart), at: "charts/\(chart)", needs: ["JHUB_CHART_VERSION"]))
        guard settings.clusterProvider == .microk8s else { return }
        guard let snaps else { throw BundleFault("MicroK8s comes as a snap: name the folder that has it with --snaps") }
        let names = try names(in: snaps)
        for name in ["microk8s", "snapd"] where !names.contains(where: { $0.hasPrefix("\(name)_") }) {
            throw BundleFault(
                "there is no snap '\(name)' in \(snaps): snap download \(name) --target-directory=\(snaps)")
        }
        // NAME_REVISION.snap, as 'snap download' names them.
        for file in names where file.hasSuffix(".snap") {
            let parts = file.dropLast(".snap".count).split(separator: "_").map(String.init)
            let assertion = "\(file.dropLast(".snap".count)).assert"
            guard parts.count == 2, names.contains(assertion) else {
                throw BundleFault(
                    "\(snaps)/\(file) has no \(assertion) beside it, without which snapd refuses it: "
                        + "'snap download' writes both")
            }
            for name in [file, assertion] {
                let needs = ["CLUSTER_PROVIDER: snap \(parts[0])"]
                carried.append(.init(snaps.appending(name), at: "snaps/\(name)", needs: needs))
            }
            versions[parts[0]] = parts[1]
        }
    }

    /// Answers what the packages take for granted on the target.
    mutating func add(packages folder: FilePath?, for inventory: Inventory?) throws -> [String] {
        guard let folder else { return [] }
        let names = try names(in: folder)
        let files = names.filter { $0.hasSuffix(".deb") }.map { folder.appending($0) }
        guard !files.isEmpty else { throw BundleFault("there is no .deb in \(folder)") }
        let set = PackageSet(try files.map { try DebianPackage(reading: $0) }, on: inventory?.packages)
        try set.check(architecture: inventory?.architecture ?? "amd64")
        for file in files {
            carried.append(.init(file, at: "packages/\(file.lastComponent?.string ?? "")", needs: ["packages"]))
        }
        return try set.assumptions()
    }

    private func names(in folder: FilePath) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
        } catch {
            throw BundleFault("could not read the folder \(folder): \(error.localizedDescription)")
        }
    }
}

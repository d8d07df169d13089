import Bundles
import Hosts
import Images
import SystemPackage

struct BundleThere: Check {
    let id = "app.bundle"
    let title = "The bundle is there"

    func finding(on site: Site) async throws -> Finding {
        let needs = "a folder with image archives"
        let fix = "carry it in, and say where it is: --bundle DIR, or OFFLINE_IMAGE_DIR in jhub.env"
        guard site.bundle.exists else {
            return .failed("there is no folder \(site.bundle.path)", needs: needs, fix: fix)
        }
        if let description = site.bundle.folder?.description {
            let measured =
                "\(description.images.count) images, \(site.bundle.blobBytes.asBytes), of \(description.created)"
            return .passed(measured, needs: needs)
        }
        let archives = try site.bundle.archives()
        var (bytes, bad): (Int64, [String]) = (0, [])
        for archive in archives {
            let state = try await site.head.transport.state(of: archive)
            if state == nil { bad.append("\(archive) is missing") }
            if state?.size == 0 { bad.append("\(archive) is empty") }
            bytes += state?.size ?? 0
        }
        if !bad.isEmpty { return .failed(bad.joined(separator: ", "), needs: needs, fix: "carry these files again") }
        if archives.isEmpty { return .failed("no archive in \(site.bundle.path)", needs: needs, fix: fix) }
        return .passed("\(archives.count) archives, \(bytes.asBytes)", needs: needs)
    }
}

struct ChartThere: Check {
    let id = "app.chart"
    let title = "The hub's chart is in the bundle"

    func finding(on site: Site) async throws -> Finding {
        let version = site.settings.jhubChartVersion
        let needs = "charts/jupyterhub-\(version).tgz"
        if let chart = try site.bundle.chart("jupyterhub", version: version) {
            return .passed(chart.string, needs: needs)
        }
        return .failed(
            "not in \(site.bundle.path)", needs: needs,
            fix: "where there is Internet: helm pull jupyterhub --version \(version) "
                + "--repo https://hub.jupyter.org/helm-chart/; carry the file into the bundle's charts/")
    }
}

struct ImagesComplete: Check {
    let id = Preflight.completeness
    let title = "Every image that will run is in the bundle, or on the node"
    let limit: Duration? = .seconds(600)
    let carried: Carried

    func finding(on site: Site) async throws -> Finding {
        let needs = "all of them"
        let shelf: [ArchivedImage]
        do {
            shelf = try await carried.images(of: site.bundle)
        } catch let error as ImageError {
            let fix =
                switch (error.isConflict, error.others.isEmpty) {
                case (true, true): "take the one of the two that is not meant out of the bundle"
                case (true, false): "take those that are not meant out of the bundle"
                case (false, true): "carry that archive again, and compare its checksum at both ends"
                case (false, false): "carry these archives again, and compare their checksums at both ends"
                }
            return .failed("\(error)", needs: needs, fix: fix)
        }
        var holdings = Holdings()
        if try await site.head.has(site.provider.kubeconfig) { holdings = try await site.images.holdings() }
        return Self.finding(for: try await site.wanted(), on: shelf, holdings, bundle: site.bundle)
    }

    static func finding(
        for wanted: Wanted, on shelf: [ArchivedImage], _ holdings: Holdings, bundle: Bundle
    ) -> Finding {
        let needs = "all \(wanted.images.count)"
        let absent = wanted.absent(from: shelf, holdings, omitted: bundle.omitted)
        guard absent.isEmpty else {
            return bundle.folder == nil
                ? without(absent, nameless: shelf.filter(\.names.isEmpty), in: bundle, needs: needs)
                : without(absent, leftOut: absent.filter { shelf.image(for: $0.reference) != nil }, needs: needs)
        }
        guard wanted.doubts.isEmpty else {
            return .unknown(
                because: "could not be measured: \(wanted.doubts.joined(separator: "; "))", needs: needs,
                fix: "see to that; all that is known of is there")
        }
        return .passed("\(wanted.images.count) images", needs: needs)
    }

    /// Of a plain folder.
    private static func without(
        _ absent: [WantedImage], nameless: [ArchivedImage], in bundle: Bundle, needs: String
    ) -> Finding {
        let saves = absent.map(\.reference).map { "docker save -o \(bundle.path.appending(file(for: $0))) \($0)" }
        var (measured, fix) = (
            "no archive holds \(names(of: absent))",
            "where there is Internet: \(saves.joined(separator: "; ")) (any other file name will do)"
        )
        if !nameless.isEmpty {
            let places = Set(nameless.map(\.archive.string)).sorted().joined(separator: ", ")
            measured += "; and nothing can ask for the images without a name in \(places)"
            fix +=
                "; an image that was saved without its name is saved again with it: docker save NAME, "
                + "skopeo copy oci-archive:FILE docker-archive:OTHER:NAME"
        }
        return .failed(measured, needs: needs, fix: fix)
    }

    /// Of a bundle with a bundle.json, which leaves layers of some of them to the site.
    private static func without(_ absent: [WantedImage], leftOut: [WantedImage], needs: String) -> Finding {
        let lacking = absent.filter { !leftOut.contains($0) }
        var (measured, fixes): ([String], [String]) = ([], [])
        if !lacking.isEmpty {
            measured.append("the bundle lacks \(names(of: lacking))")
            fixes.append("where it was made: 'jhub-install bundle create' with this site's jhub.env, or 'bundle add'")
        }
        if !leftOut.isEmpty {
            measured.append(
                "the bundle was made for a site that has layers of \(names(of: leftOut)), and this node has not")
            fixes.append("where it was made: 'bundle create' without --have, or with an inventory of this site")
        }
        return .failed(measured.joined(separator: "; "), needs: needs, fix: fixes.joined(separator: "; "))
    }

    private static func names(of images: [WantedImage]) -> String {
        images.map(\.description).joined(separator: ", ")
    }

    /// "k8s-hub-4.2.0.tar", as people name such files.
    private static func file(for reference: ImageReference) -> String {
        let name = reference.repository.split(separator: "/").last.map(String.init) ?? "image"
        return "\(name)-\(reference.tag ?? "image").tar"
    }
}

struct OwnFiles: Check {
    let id = "app.files"
    let title = "The installer's own templates and profiles are there"

    func finding(on site: Site) async throws -> Finding {
        let needs = "templates/kubernetes, templates/hub and profiles/*.yaml in \(site.root)"
        var lacking: [String] = []
        for folder in ["templates/kubernetes", "templates/hub", "profiles"]
        where try await site.head.transport.list(site.root.pushing(FilePath(folder)))?.isEmpty != false {
            lacking.append(folder)
        }
        return lacking.isEmpty
            ? .passed("all", needs: needs)
            : .failed(
                "without \(lacking.joined(separator: ", "))", needs: needs,
                fix: "unpack the release whole, or say where it is: --root DIR")
    }
}

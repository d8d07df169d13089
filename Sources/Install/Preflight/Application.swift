import Hosts
import SystemPackage

/// A site's file goes on working though it asks for what this release has not.
struct NothingForLater: Check {
    let id = "app.later"
    let title = "Nothing is asked for that this release has not"

    func finding(on site: Site) async throws -> Finding {
        let needs = "none of the later features"
        var asked: [String] = []
        for key in Settings.allKeys {
            guard case .later(let feature, isSwitch: true) = key.use else { continue }
            let text = site.settings.text(of: key.name)
            if !text.isEmpty && !["false", "no", "0"].contains(text.lowercased()) {
                asked.append("\(key.name) (\(feature.rawValue))")
            }
        }
        guard !asked.isEmpty else { return .passed("nothing", needs: needs) }
        return .warning(
            asked.joined(separator: ", "), needs: needs,
            fix: "the rest is installed; run again with the release that has it, or take the key out of jhub.env")
    }
}

struct PullsNothing: Check {
    let id = "app.pull_policy"
    let title = "No image has to be pulled"

    func finding(on site: Site) async throws -> Finding {
        let settings = site.settings
        let needs = "no policy Always"
        let policies = [
            ("HUB_IMAGE_PULL_POLICY", settings.hubImagePullPolicy),
            ("PROXY_IMAGE_PULL_POLICY", settings.proxyImagePullPolicy),
            ("SINGLEUSER_IMAGE_PULL_POLICY", settings.singleuserImagePullPolicy),
        ].filter { $0.1 == .always }.map(\.0)
        return policies.isEmpty
            ? .passed("none", needs: needs)
            : .failed(
                "\(policies.joined(separator: ", ")) = Always", needs: needs,
                fix: "set it to IfNotPresent: with Always a pod starts only where the registry answers")
    }
}

struct LoginReachable: Check {
    let id = "app.auth"
    let title = "The login works without Internet"

    func finding(on site: Site) async throws -> Finding {
        let settings = site.settings
        let needs = "AUTH_MODE=native, and an admin"
        if settings.adminUsersCsv.isEmpty {
            return .warning(
                "nobody is admin", needs: needs, fix: "name one in ADMIN_USERS_CSV: sign-ups wait for an admin")
        }
        switch settings.authMode {
        case .native: return .passed("native, admin \(settings.adminUsersCsv[0])", needs: needs)
        case .github, .azuread:
            return .warning(
                "AUTH_MODE=\(settings.authMode.rawValue)", needs: needs,
                fix:
                    "the hub must reach that service from inside the cluster (a proxy, a route), or take AUTH_MODE=native"
            )
        }
    }
}

/// The sizes that users choose from are parts of the largest node; the bounds
/// that the operator sets beside them are not.
struct ProfilesFit: Check {
    let id = "app.profiles"
    let title = "A server of each size can start on this machine"

    func finding(on site: Site) async throws -> Finding {
        let needs = "within the machine's memory, and within LIMITRANGE_MAX_*"
        let memory = try await site.head.learn(MemoryInfo()).total
        guard let cores = Double(try await site.head.transport.run(["nproc"]).output.trimmed) else {
            throw FactError("nproc says no number")
        }
        let profiles = try Profile.all(in: site.root)
        guard !profiles.isEmpty else {
            return .failed(
                "none in \(site.root)/profiles", needs: needs, fix: "put at least one profile there: docs say how")
        }
        var faults: [String] = []
        for profile in profiles {
            let (cpu, bytes) = (profile.cpu.of(cores), profile.memory.of(Double(memory)))
            if bytes > Double(memory - .gib(1)) {
                faults.append("\(profile.name) takes \(Int64(bytes).asBytes) of \(memory.asBytes)")
            }
            guard site.settings.enableResourceQuota else { continue }
            if bytes > Double(site.settings.limitrangeMaxMemory.bytes) {
                faults.append(
                    "\(profile.name) takes \(Int64(bytes).asBytes), LIMITRANGE_MAX_MEMORY is \(site.settings.limitrangeMaxMemory)"
                )
            }
            if cpu > Double(site.settings.limitrangeMaxCpu.millis) / 1000 {
                faults.append(
                    "\(profile.name) takes \(Int(cpu)) cores, LIMITRANGE_MAX_CPU is \(site.settings.limitrangeMaxCpu)")
            }
        }
        return faults.isEmpty
            ? .passed(profiles.map(\.name).joined(separator: ", "), needs: needs)
            : .warning(
                faults.joined(separator: "; "), needs: needs,
                fix: "lower share or atMost in that file of \(site.root)/profiles, or raise the limit in jhub.env")
    }
}

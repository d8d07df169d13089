import SystemPackage

/// What two keys say of each other.
extension SettingsReader {
    /// Values that follow from others, and old ways of writing them.
    mutating func settle() {
        if settings.singleuserStorageClass == "hostpath" {
            settings.put(Settings.storage.singleuserStorageClass, "microk8s-hostpath")
            say(
                .note, "SINGLEUSER_STORAGE_CLASS",
                "'hostpath' is taken for microk8s-hostpath, the class that MicroK8s has")
        }
        let lists =
            switch settings.authMode {
            case .native: ["ALLOWED_USERS_CSV"]
            case .github: ["ALLOWED_USERS_CSV", "GITHUB_ALLOWED_USERS", "GITHUB_ALLOWED_ORGS"]
            case .azuread: ["ALLOWED_USERS_CSV", "AZUREAD_ALLOWED_USERS"]
            }
        let given = lists.filter { !settings.text(of: $0).isEmpty }
        if !given.isEmpty, settings.allowAllUsers {
            if settings.source(of: "ALLOW_ALL_USERS") != .standard {
                say(
                    .warning, "ALLOW_ALL_USERS",
                    "is true, but \(given.joined(separator: ", ")) counts: only those may log in")
            }
            settings.put(Settings.login.allowAllUsers, false, .derived(from: given))
        }
        let strangers = settings.adminUsersCsv.filter { !settings.allowedUsersCsv.contains($0) }
        if !settings.allowedUsersCsv.isEmpty, !strangers.isEmpty {
            let names = strangers.joined(separator: ", ")
            say(.note, "ALLOWED_USERS_CSV", "lacks the admins \(names), who may log in all the same")
            settings.put(Settings.login.allowedUsersCsv, settings.allowedUsersCsv + strangers)
        }
    }

    mutating func check() {
        unreadable = broken
        checkCluster()
        checkLogin()
        checkStorage()
        checkLimits()
        checkAccess()
    }

    /// Says it unless one of the keys has a fault of its own, which may be the cause.
    private mutating func object(_ weight: Fault.Weight, _ keys: [String], _ reason: String, when isSo: Bool) {
        guard isSo, unreadable.isDisjoint(with: keys) else { return }
        say(weight, keys.first(where: { written[$0] != nil }) ?? keys.first, reason)
    }

    private mutating func checkCluster() {
        object(
            .fault, ["CLUSTER_PROVIDER", "KUBECONFIG_FILE"], "existing needs KUBECONFIG_FILE",
            when: settings.clusterProvider == .existing && settings.kubeconfigFile == nil)
        object(
            .note, ["KUBECONFIG_FILE", "CLUSTER_PROVIDER"], "is not used: MicroK8s has its own",
            when: settings.clusterProvider == .microk8s && settings.kubeconfigFile != nil)
        object(
            .fault, ["DNS_UPSTREAM"], "a loopback address is the name server's own pod; give the address of a resolver",
            when: settings.dnsUpstream.contains { $0.hasPrefix("127.") || $0 == "::1" })
        let own = ["default", "kube-system", "kube-public", "kube-node-lease"]
        object(
            .fault, ["JHUB_NS"], "\(settings.jhubNs) belongs to Kubernetes; take another",
            when: own.contains(settings.jhubNs))
        let policies = [
            ("HUB_IMAGE_PULL_POLICY", settings.hubImagePullPolicy),
            ("PROXY_IMAGE_PULL_POLICY", settings.proxyImagePullPolicy),
            ("SINGLEUSER_IMAGE_PULL_POLICY", settings.singleuserImagePullPolicy),
        ]
        for (name, policy) in policies {
            object(
                .warning, [name], "Always asks a registry at each start and fails without one", when: policy == .always)
        }
    }

    private mutating func checkLogin() {
        let name = settings.authMode.rawValue
        switch settings.authMode {
        case .native: return
        case .github:
            need(["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "GITHUB_CALLBACK_URL"])
            checkCallback("GITHUB_CALLBACK_URL", settings.githubCallbackUrl)
        case .azuread:
            need(["AZUREAD_CLIENT_ID", "AZUREAD_CLIENT_SECRET", "AZUREAD_CALLBACK_URL"])
            checkCallback("AZUREAD_CALLBACK_URL", settings.azureadCallbackUrl)
        }
        let whoever =
            settings.authMode == .github
            ? "anybody with a GitHub account" : "anybody with an account of the tenant \(settings.azureadTenantId)"
        object(
            .warning, ["AUTH_MODE", "ALLOW_ALL_USERS"],
            "with \(name) and no list of users \(whoever) may log in; ALLOW_ALL_USERS=true says that it is meant",
            when: settings.allowAllUsers && written["ALLOW_ALL_USERS"] == nil)
    }

    private mutating func need(_ names: [String]) {
        for name in names {
            let isSecret = Settings.keysByName[name]?.isSecret ?? false
            let places = isSecret ? [name, name + "_FILE"] : [name]
            object(
                .fault, ["AUTH_MODE"] + places,
                "\(settings.authMode.rawValue) needs \(places.joined(separator: " or "))",
                when: places.allSatisfy { settings.text(of: $0).isEmpty })
        }
    }

    private mutating func checkCallback(_ name: String, _ url: String?) {
        guard let url else { return }
        object(.warning, [name], "should end in /hub/oauth_callback", when: !url.hasSuffix("/hub/oauth_callback"))
    }

    private mutating func checkStorage() {
        object(
            .fault, ["SINGLEUSER_STORAGE_TYPE", "SINGLEUSER_STORAGE_CLAIM"], "static needs SINGLEUSER_STORAGE_CLAIM",
            when: settings.singleuserStorageType == .static && settings.singleuserStorageClaim == nil)
        let (request, limit) = (settings.singleuserEphemeralStorageRequest, settings.singleuserEphemeralStorageLimit)
        object(
            .fault, ["SINGLEUSER_EPHEMERAL_STORAGE_REQUEST", "SINGLEUSER_EPHEMERAL_STORAGE_LIMIT"],
            "the request is above the limit", when: limit.map { request ?? .zero > $0 } ?? false)
        let path = settings.sharedStoragePath.string
        let system = [
            "/", "/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var",
        ]
        object(
            .fault, ["SHARED_STORAGE_PATH"], "\(path) belongs to the system; give a folder of its own",
            when: system.contains(path))
        object(
            .warning, ["CULL_EVERY_SECONDS", "CULL_TIMEOUT_SECONDS"],
            "is above CULL_TIMEOUT_SECONDS: servers may stand idle for twice as long as meant",
            when: settings.enableIdleCuller && settings.cullEverySeconds > settings.cullTimeoutSeconds)
    }

    private mutating func checkLimits() {
        guard settings.enableResourceQuota else { return }
        let kinds: [(String, Quantity, Quantity, Quantity, Quantity)] = [
            (
                "CPU", settings.limitrangeDefaultCpu, settings.limitrangeMaxCpu, settings.rqRequestsCpu,
                settings.rqLimitsCpu
            ),
            (
                "MEMORY", settings.limitrangeDefaultMemory, settings.limitrangeMaxMemory, settings.rqRequestsMemory,
                settings.rqLimitsMemory
            ),
        ]
        for (kind, usual, most, requests, limits) in kinds {
            let (usualKey, mostKey) = ("LIMITRANGE_DEFAULT_\(kind)", "LIMITRANGE_MAX_\(kind)")
            let (requestsKey, limitsKey) = ("RQ_REQUESTS_\(kind)", "RQ_LIMITS_\(kind)")
            object(
                .fault, [mostKey, usualKey], "the maximum \(most) is below the default \(usual)", when: most < usual)
            object(
                .fault, [mostKey, limitsKey],
                "the maximum \(most) is above the quota \(limits) of \(limitsKey): it can never be had",
                when: most > limits)
            object(
                .fault, [requestsKey, usualKey],
                "\(requests) for all is less than the \(usual) of one server (\(usualKey))",
                when: requests < usual)
            object(
                .fault, [requestsKey, limitsKey], "\(requests) is above \(limitsKey)=\(limits)", when: requests > limits
            )
        }
        object(
            .fault, ["RQ_PODS"], "the hub and its proxy take 2 pods and one server a third", when: settings.rqPods < 3)
    }

    private mutating func checkAccess() {
        for pair in [("TLS_CERT_FILE", "TLS_KEY_FILE"), ("NGINX_PROXY_CERT_FILE", "NGINX_PROXY_KEY_FILE")] {
            let (cert, key) = (settings.text(of: pair.0), settings.text(of: pair.1))
            // Where both came from the general pair, the fault has been said there.
            let isOwn = written[pair.0] != nil || written[pair.1] != nil
            object(.fault, [pair.0, pair.1], "needs \(pair.1) with it", when: isOwn && !cert.isEmpty && key.isEmpty)
            object(.fault, [pair.1, pair.0], "needs \(pair.0) with it", when: isOwn && cert.isEmpty && !key.isEmpty)
        }
        guard settings.enableNginxProxy else { return }
        let (plain, secure) = (settings.nginxProxyHttpPort, settings.nginxProxyHttpsPort)
        object(
            .fault, ["NGINX_PROXY_HTTPS_PORT", "NGINX_PROXY_HTTP_PORT"], "HTTP and HTTPS cannot share port \(plain)",
            when: plain == secure)
        for (name, port) in [("NGINX_PROXY_HTTP_PORT", plain), ("NGINX_PROXY_HTTPS_PORT", secure)] {
            object(
                .fault, [name, "NODEPORT_FALLBACK_PORT"], "port \(port) is the hub's own NodePort",
                when: port == settings.nodeportFallbackPort)
        }
    }
}

extension Settings {
    /// Sets what follows from other keys; where the key's value came from stays, unless it is said.
    fileprivate mutating func put<Value>(_ key: Key<Value>, _ value: Value, _ source: Source? = nil) {
        let before = self.source(of: key.name)
        set(key, to: value)
        entries[key.name]?.source = source ?? before
    }
}

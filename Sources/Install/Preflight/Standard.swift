extension Preflight {
    /// What is asked before an installation.
    package static func standard(for site: Site) -> Preflight { standard(for: site.settings) }

    static func standard(for settings: Settings, _ carried: Carried = Carried()) -> Preflight {
        var checks = system + network + identity + disk(carried) + application(carried)
        switch settings.clusterProvider {
        case .microk8s: checks += microK8s
        case .existing: checks += existing
        }
        checks.append(FreePorts.node(settings.nodeportFallbackPort))
        if settings.enableAgent { checks.append(FreePorts.agent(settings.agentPort)) }
        if settings.enableNginxProxy {
            checks.append(FreePorts.nginx([settings.nginxProxyHttpPort, settings.nginxProxyHttpsPort]))
        }
        return Preflight(checks: checks)
    }

    /// What is asked of a machine before it becomes a worker. `others` are those from whom it must differ.
    package static func worker(for settings: Settings, beside others: [NodeIdentity]) -> Preflight {
        worker(for: settings, beside: others, Carried())
    }

    static func worker(for settings: Settings, beside others: [NodeIdentity], _ carried: Carried) -> Preflight {
        let own: [any Check] = [
            NotTheHead(), UniqueNode(others: others), ClocksAgree(), HeadReachable(), NodeReachable(), SameMTU(),
            NoOtherMicroK8s(), SameRevision(), SharedFolderIsShared(),
        ]
        let identity: [any Check] = [RightHostname(), FindsItself(), ClockKept(), SameNodeName()]
        let microK8s: [any Check] = [
            NoForeignCluster(), FreePorts.ofMicroK8s, FreeRange.pods, FreeRange.services, SnapdRuns(), SnapsMountable(),
            RefreshHeld(), MicroK8sRuns(), NoLeftovers(), FoldersForLinks(),
        ]
        return Preflight(
            checks: own + system + network + identity + machineDisk(carried) + microK8s
                + [FreePorts.node(settings.nodeportFallbackPort)]
                + (settings.enableAgent ? [FreePorts.agent(settings.agentPort)] : []))
    }

    private static let system: [any Check] =
        [
            RunsAsRoot(), KnownRelease(), KnownArchitecture(), NewEnoughLibc(), NewEnoughKernel(), RunsSystemd(),
            EnoughCores(), ProcessorLevel(), EnoughMemory(), NoSwap(),
            ControlGroups(), ControlGroupVersion(), WholeMachine(), AppArmor(), NoSELinux(), ProcessesVisible(),
            ToolsThere(),
            OpenFiles(), OpenUmask(), Locale(),
            NoRebootPending(), NewestKernelRuns(), NoUnattendedUpgrades(), NoMeddlers(),
        ] + KernelNumber.all

    private static let network: [any Check] = [
        DefaultRoute(), NodeAddressKept(), ReversePathFilter(), ModulesThere(),
        Resolvers(), LocalhostResolves(), NoProxy(), NoFirewall(), CalicoUnmanaged(),
    ]

    private static let identity: [any Check] = [RightHostname(), FindsItself(), ClockKept(), SaneClock()]

    private static func disk(_ carried: Carried) -> [any Check] {
        [BundleThere(), SpaceForUsers()] + machineDisk(carried)
    }

    private static func machineDisk(_ carried: Carried) -> [any Check] {
        [
            SpaceForImages(carried: carried), BelowCollection(carried: carried), AboveEviction(carried: carried),
            InodesFree(), RightFileSystem(), NoLinkedFolders(), RightMountOptions(), OneFileSystem(), NoDiskErrors(),
            WriteSpeed(),
        ]
    }

    private static func application(_ carried: Carried) -> [any Check] {
        [
            OwnFiles(), ChartThere(), ImagesComplete(carried: carried), WebCertificate(), NothingForLater(),
            PullsNothing(), LoginReachable(), ProfilesFit(),
        ]
    }

    private static let microK8s: [any Check] = [
        NoForeignCluster(), FreePorts.ofMicroK8s, FreeRange.pods, FreeRange.services,
        SnapdRuns(), SnapsMountable(), SnapsThere(), SnapAssertions(), BasesThere(), RefreshHeld(),
        RightMicroK8s(), NotSomebodysWorker(), MicroK8sRuns(), NoLeftovers(), FoldersForLinks(),
        ClusterCertificates(), SameNodeName(),
    ]

    private static let existing: [any Check] = [KubeconfigThere(), ContainerdAnswers(), HelmThere()]
}

extension Settings {
    /// What all servers together, and each one, may take.
    package struct LimitKeys: Sendable {
        package let enableResourceQuota = Key(
            "ENABLE_RESOURCE_QUOTA", .flag, default: "false", .storage,
            "A ResourceQuota and a LimitRange for the namespace.")
        package let rqRequestsCpu = Key(
            "RQ_REQUESTS_CPU", .cores, default: "32", .storage, "Cores that all may ask for.")
        package let rqRequestsMemory = Key(
            "RQ_REQUESTS_MEMORY", .bytes, default: "128Gi", .storage, "Memory that all may ask for.")
        package let rqLimitsCpu = Key("RQ_LIMITS_CPU", .cores, default: "64", .storage, "Cores that all may use.")
        package let rqLimitsMemory = Key(
            "RQ_LIMITS_MEMORY", .bytes, default: "256Gi", .storage, "Memory that all may use.")
        package let rqPods = Key(
            "RQ_PODS", .count(), default: "50", .storage, "Pods in the namespace, the hub's own included.")
        package let rqGpus = Key("RQ_GPUS", .count(), default: "8", .storage, "GPUs that all may ask for.")
        package let limitrangeDefaultCpu = Key(
            "LIMITRANGE_DEFAULT_CPU", .cores, default: "1", .storage, "Cores of a container that says nothing.")
        package let limitrangeDefaultMemory = Key(
            "LIMITRANGE_DEFAULT_MEMORY", .bytes, default: "4Gi", .storage, "Memory of a container that says nothing."
        )
        package let limitrangeMaxCpu = Key(
            "LIMITRANGE_MAX_CPU", .cores, default: "32", .storage, "Cores of any one container.")
        package let limitrangeMaxMemory = Key(
            "LIMITRANGE_MAX_MEMORY", .bytes, default: "64Gi", .storage, "Memory of any one container.")
        package let enableNetworkPolicy = Key(
            "ENABLE_NETWORK_POLICY", .flag, default: "true", .storage, "Keep the servers' networks apart.")
    }
}

extension Settings {
    /// What watches the GPUs.
    package struct AgentKeys: Sendable {
        package let enableAgent = Key(
            "ENABLE_AGENT", .flag, default: "true", .agent,
            "jhub-agent on every node: what its GPUs are, do and suffer, and for whom.")
        package let agentPort = Key(
            "AGENT_PORT", .port, default: "9450", .agent, "The port on which it answers Prometheus and the portal.")
    }
}

package import Kube
package import SystemPackage

extension Settings {
    /// The hub and the chart that brings it.
    package struct HubKeys: Sendable {
        package let jhubNs = Key("JHUB_NS", .name, default: "jhub", .hub, "The namespace.")
        package let jhubRelease = Key("JHUB_RELEASE", .release, default: "jhub", .hub, "The Helm release.")
        package let jhubChartVersion = Key(
            "JHUB_CHART_VERSION", .version, default: "4.2.0", .hub, "The version of the JupyterHub chart in the bundle."
        )
        package let helmTimeout = Key("HELM_TIMEOUT", .span, default: "25m0s", .hub, "How long Helm may take.")
        package let helmBinary = Key(
            "HELM_BINARY", .optional(.path), .hub, "The helm to call; without it, the bundle's or MicroK8s' own.")

        package let hubImage = Key(
            "HUB_IMAGE", .image, default: "quay.io/jupyterhub/k8s-hub:${JHUB_CHART_VERSION}", .images,
            "The hub's image.")
        package let hubImagePullPolicy = Key(
            "HUB_IMAGE_PULL_POLICY", .word(PullPolicy.never), default: "Never", .hub,
            "IfNotPresent, Never or Always.")
        package let proxyImage = Key(
            "PROXY_IMAGE", .image, default: "quay.io/jupyterhub/configurable-http-proxy:4.6.3", .images,
            "The proxy's image.")
        package let proxyImagePullPolicy = Key(
            "PROXY_IMAGE_PULL_POLICY", .word(PullPolicy.never), default: "Never", .hub,
            "IfNotPresent, Never or Always.")

        package let hubNodeSelectorJson = Key(
            "HUB_NODE_SELECTOR_JSON", .nodeSelector, default: "{}", .hub, "The labels that the hub's node must have.")
        package let hubTolerationsJson = Key(
            "HUB_TOLERATIONS_JSON", .tolerations, default: "[]", .hub, "The taints that the hub puts up with.")
        package let jhubFrameAncestors = Key(
            "JHUB_FRAME_ANCESTORS", .list(of: .origin, [" ", ","]), .hub,
            "The sites that may show the hub in a frame; without any, only the hub itself.")
        package let allowNamedServers = Key(
            "ALLOW_NAMED_SERVERS", .flag, default: "true", .hub, "May a user run several servers?")
        package let namedServerLimit = Key(
            "NAMED_SERVER_LIMIT", .count(0...1000), default: "5", .hub, "How many of them; 0 is as many as one likes.")
    }
}

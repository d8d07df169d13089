package import SystemPackage

extension Settings {
    /// How browsers reach the hub.
    package struct AccessKeys: Sendable {
        package let nodeportFallbackPort = Key(
            "NODEPORT_FALLBACK_PORT", .nodePort, default: "30080", .access, "The hub's port on every node.")
        package let nodeIp = Key(
            "NODE_IP", .optional(.address), .access, "This machine's address; without it, that of the default route.")
        package let ingressHost = Key(
            "INGRESS_HOST", .optional(.host), default: "${NODE_IP}", .access,
            "The hub's name, where NGINX_PROXY_SERVER_NAME has none.")
        package let tlsCertFile = Key("TLS_CERT_FILE", .optional(.path), .access, "The certificate and its chain, PEM.")
        package let tlsKeyFile = Key("TLS_KEY_FILE", .optional(.path), .access, "Its key, PEM.")

        package let enableNginxProxy = Key(
            "ENABLE_NGINX_PROXY", .flag, default: "false", .access, "Nginx with TLS in front of the hub.")
        package let nginxProxyServerName = Key(
            "NGINX_PROXY_SERVER_NAME", .list(of: .siteName, [" ", ","]), default: "${INGRESS_HOST}", .access,
            "The names that the site answers to; without any, this machine's address.")
        package let nginxProxyHttpPort = Key(
            "NGINX_PROXY_HTTP_PORT", .port, default: "80", .access, "Its port for HTTP.")
        package let nginxProxyHttpsPort = Key(
            "NGINX_PROXY_HTTPS_PORT", .port, default: "443", .access, "Its port for HTTPS.")
        package let nginxProxyHttpMode = Key(
            "NGINX_PROXY_HTTP_MODE", .word(PlainHTTP.redirect), default: "redirect", .access,
            "What plain HTTP gets: redirect (to HTTPS) or proxy (the hub, passwords in the clear).")
        package let nginxProxyUpstreamHost = Key(
            "NGINX_PROXY_UPSTREAM_HOST", .optional(.host), default: "${NODE_IP}", .access,
            "Where Nginx finds the hub; without it, this machine's address.")
        package let nginxProxyUpstreamPort = Key(
            "NGINX_PROXY_UPSTREAM_PORT", .port, default: "${NODEPORT_FALLBACK_PORT}", .access, "And at which port.")
        package let nginxProxyCertFile = Key(
            "NGINX_PROXY_CERT_FILE", .optional(.path), default: "${TLS_CERT_FILE}", .access,
            "Nginx's certificate; without one the installer signs one itself.")
        package let nginxProxyKeyFile = Key(
            "NGINX_PROXY_KEY_FILE", .optional(.path), default: "${TLS_KEY_FILE}", .access, "Its key.")
    }
}

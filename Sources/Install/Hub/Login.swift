import Hosts
import Kube

/// Who gets in: the part of the hub's config that `AUTH_MODE` decides.
struct Login {
    var settings: Settings

    var config: [String: JSON] {
        var config: [String: JSON] = ["Authenticator": authenticator]
        switch settings.authMode {
        case .native:
            config["NativeAuthenticator"] = [
                "open_signup": false, "minimum_password_length": 8, "check_common_password": true,
                "allowed_failed_logins": 5, "seconds_before_next_try": 600,
            ]
        case .github:
            config["GitHubOAuthenticator"] = [
                "client_id": .string(settings.githubClientId ?? ""),
                "client_secret": .string(settings.githubClientSecret?.reveal() ?? ""),
                "oauth_callback_url": .string(settings.githubCallbackUrl ?? ""),
                "allowed_organizations": .strings(settings.githubAllowedOrgs),
                "scope": .strings(settings.githubScopes),
            ]
        case .azuread:
            config["AzureAdOAuthenticator"] = [
                "client_id": .string(settings.azureadClientId ?? ""),
                "client_secret": .string(settings.azureadClientSecret?.reveal() ?? ""),
                "oauth_callback_url": .string(settings.azureadCallbackUrl ?? ""),
                "tenant_id": .string(settings.azureadTenantId),
                "scope": .strings(settings.azureadScopes),
                "login_service": .string(settings.azureadLoginService),
            ]
        }
        return config
    }

    /// The class's short name. The chart's own default lets anybody in, so one is always named,
    /// also where a file of `templates/hub/` puts a subclass in its place.
    var className: JSON {
        switch settings.authMode {
        case .native: "native"
        case .github: "github"
        case .azuread: "azuread"
        }
    }

    private var authenticator: JSON {
        let allowed = allowedUsers
        var object: [String: JSON] = [
            "admin_users": .strings(settings.admins),
            // A name becomes a folder's name: it may not lead out of the shared one.
            "username_pattern": "^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,62}$",
        ]
        if allowed.isEmpty {
            object["allow_all"] = .bool(allowsAll)
        } else {
            object["allowed_users"] = .strings(allowed)
        }
        return .object(object)
    }

    /// NativeAuthenticator has a gate of its own (an admin authorises each account) and needs this one open.
    /// Where an organisation is to decide, letting all in would decide it already.
    private var allowsAll: Bool {
        switch settings.authMode {
        case .native: true
        case .github: settings.allowAllUsers && settings.githubAllowedOrgs.isEmpty
        case .azuread: settings.allowAllUsers && settings.azureadTenantId != "common"
        }
    }

    private var allowedUsers: [String] {
        switch settings.authMode {
        case .native: settings.allowedUsersCsv
        case .github: settings.githubAllowedUsers
        case .azuread: settings.azureadAllowedUsers
        }
    }
}

extension JSON {
    static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
}

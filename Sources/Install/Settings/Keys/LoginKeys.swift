package import SystemPackage

extension Settings {
    /// Who may log in.
    package struct LoginKeys: Sendable {
        package let authMode = Key(
            "AUTH_MODE",
            .word(
                AuthMode.native,
                aliases: ["nativeauthenticator": .native, "azure": .azuread, "azure-ad": .azuread],
                refused: ["ubilink": noUbilink, "ubilink-cookie": noUbilink, "billing": noUbilink]),
            default: "native", .hub, "native (users and passwords in the hub), github or azuread.")
        // Any other login in its place would let in other people than were meant.
        private static let noUbilink = "login by Ubilink is not in this release; use native, github or azuread"

        package let adminUser = Key(
            "ADMIN_USER", .user, default: "admin", .hub, "The first admin, where ADMIN_USERS_CSV names none.")
        package let adminUsersCsv = Key(
            "ADMIN_USERS_CSV", .list(of: .user), default: "${ADMIN_USER}", .hub,
            "The admins; the first gets the initial password.")
        package let adminPasswordFile = Key(
            "ADMIN_PASSWORD_FILE", .optional(.path), .hub,
            "A file with the first admin's initial password; without it one is made and kept in /var/lib/jhub/admin-password."
        )
        package let allowedUsersCsv = Key(
            "ALLOWED_USERS_CSV", .list(of: .user), .hub, "Those who may log in, beside the admins.")
        package let allowAllUsers = Key(
            "ALLOW_ALL_USERS", .flag, default: "true", .hub,
            "May everybody in who can log in? A list of users makes it false.")

        package let githubClientId = Key("GITHUB_CLIENT_ID", .optional(.anything), .hub, "The OAuth application's id.")
        package let githubClientSecret = Key(
            "GITHUB_CLIENT_SECRET", .optional(.secret), .hub, secret: true, "The OAuth application's secret.")
        package let githubCallbackUrl = Key(
            "GITHUB_CALLBACK_URL", .optional(.url), .hub, "https://HUB/hub/oauth_callback, as GitHub knows it.")
        package let githubAllowedOrgs = Key(
            "GITHUB_ALLOWED_ORGS", .list(of: .anything), .hub, "Organisations, or ORGANISATION:TEAM, that may log in.")
        package let githubAllowedUsers = Key("GITHUB_ALLOWED_USERS", .list(of: .user), .hub, "Users that may log in.")
        package let githubScopes = Key(
            "GITHUB_SCOPES", .list(of: .anything), default: "read:org", .hub, "What is asked of GitHub.")

        package let azureadClientId = Key("AZUREAD_CLIENT_ID", .optional(.anything), .hub, "The application's id.")
        package let azureadClientSecret = Key(
            "AZUREAD_CLIENT_SECRET", .optional(.secret), .hub, secret: true, "The application's secret.")
        package let azureadCallbackUrl = Key(
            "AZUREAD_CALLBACK_URL", .optional(.url), .hub, "https://HUB/hub/oauth_callback, as Azure knows it.")
        package let azureadTenantId = Key(
            "AZUREAD_TENANT_ID", .anything, default: "common", .hub,
            "The tenant; common is every Microsoft account there is.")
        package let azureadAllowedUsers = Key("AZUREAD_ALLOWED_USERS", .list(of: .user), .hub, "Users that may log in.")
        package let azureadScopes = Key(
            "AZUREAD_SCOPES", .list(of: .anything), default: "openid,profile,offline_access", .hub,
            "What is asked of Azure.")
        package let azureadLoginService = Key(
            "AZUREAD_LOGIN_SERVICE", .anything, default: "Azure AD", .hub, "What stands on the login button.")
    }
}

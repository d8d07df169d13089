import Kube
import Testing

@testable import Install

@Suite struct LoginTests {
    private func login(_ text: String) throws -> Login { Login(settings: try Settings(parsing: text)) }

    private static let github = """
        AUTH_MODE=github
        GITHUB_CLIENT_ID=me
        GITHUB_CLIENT_SECRET=geheim
        GITHUB_CALLBACK_URL=https://hub.example.com/hub/oauth_callback

        """
    private static let azure = """
        AUTH_MODE=azuread
        AZUREAD_CLIENT_ID=me
        AZUREAD_CLIENT_SECRET=geheim
        AZUREAD_CALLBACK_URL=https://hub.example.com/hub/oauth_callback

        """

    @Test(arguments: [
        // An admin authorises each account, so this gate is open: else not even admins get in.
        ("", true), (github, true), (github + "GITHUB_ALLOWED_ORGS=acme", false),
        (github + "ALLOW_ALL_USERS=no", false),
        (azure, false), (azure + "AZUREAD_TENANT_ID=acme", true),
        (azure + "AZUREAD_TENANT_ID=acme\nALLOW_ALL_USERS=0", false),
    ])
    func whoMayLogIn(_ config: String, all: Bool) throws {
        let authenticator = try login(config).config["Authenticator"]
        #expect(authenticator?["allow_all"] == .bool(all))
        #expect(authenticator?["allowed_users"] == nil)
    }

    @Test(arguments: [
        ("ALLOWED_USERS_CSV=ann,bob\nADMIN_USER=ann", ["ann", "bob"]),
        (github + "GITHUB_ALLOWED_USERS=ann", ["ann"]), (azure + "AZUREAD_ALLOWED_USERS=ann@x.org", ["ann@x.org"]),
    ])
    func aListOfUsersCloses(_ config: String, users: [String]) throws {
        let authenticator = try login(config).config["Authenticator"]
        #expect(authenticator?["allowed_users"] == .strings(users))
        #expect(authenticator?["allow_all"] == nil)
    }

    @Test func adminsAreNamedAlways() throws {
        let config = try login("ADMIN_USERS_CSV=Ann,bob\nALLOWED_USERS_CSV=carl").config
        #expect(config["Authenticator"]?["admin_users"] == ["ann", "bob"])
        #expect(config["Authenticator"]?["allowed_users"] == ["carl", "ann", "bob"])
    }

    @Test func signUpIsClosedInNative() throws {
        let login = try login("")
        #expect(login.className == "native")
        #expect(login.config["NativeAuthenticator"]?["open_signup"] == false)
    }

    @Test func anOrganisationIsAsked() throws {
        let login = try login(Self.github + "GITHUB_ALLOWED_ORGS=acme,other:team")
        #expect(login.className == "github")
        let config = login.config["GitHubOAuthenticator"]
        #expect(config?["allowed_organizations"] == ["acme", "other:team"])
        #expect(config?["client_secret"] == "geheim")
        #expect(config?["scope"] == ["read:org"])
        #expect(login.config["NativeAuthenticator"] == nil)
    }

    @Test func aTenantIsAsked() throws {
        let login = try login(Self.azure + "AZUREAD_TENANT_ID=acme")
        #expect(login.className == "azuread")
        #expect(login.config["AzureAdOAuthenticator"]?["tenant_id"] == "acme")
    }

    @Test func aNameThatLeadsOutOfTheFolderIsNoName() throws {
        let pattern = try #require(try login("").config["Authenticator"]?["username_pattern"]?.string)
        let regex = try Regex(pattern)
        for name in ["ann", "a.b-c_d@e.org", "7"] { #expect(try regex.wholeMatch(in: name) != nil) }
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "a b", String(repeating: "a", count: 64)] {
            #expect(try regex.wholeMatch(in: name) == nil, "\(name)")
        }
    }

    @Test(arguments: ["ubilink", "ubilink-cookie", "billing"]) func anotherLoginIsRefusedByTheSettings(_ mode: String) {
        let error = #expect(throws: SettingsError.self) { try Settings(parsing: "AUTH_MODE=\(mode)") }
        #expect(error?.description.contains("login by Ubilink is not in this release") == true)
    }
}

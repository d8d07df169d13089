import SystemPackage
import Testing

@testable import Install

/// What a shell would take as assignments, and what it would run.
@Suite struct SettingsSyntaxTests {
    @Test(
        arguments: [
            ("JHUB_NS=a", "a"),
            ("export JHUB_NS=a", "a"),
            ("  \texport\tJHUB_NS=a  # why", "a"),
            ("JHUB_NS='a'", "a"),
            (#"JHUB_NS="a""#, "a"),
            (#"JHUB_NS=a"b"'c'd"#, "abcd"),
            ("JHUB_NS=a#b", "a#b"),
            (#"JHUB_NS="a # b" # c"#, "a # b"),
            ("JHUB_NS=a\\\nb", "ab"),
            ("JHUB_NS=\"a\\\nb\"", "ab"),
            ("export \\\n JHUB_NS=a", "a"),
            (#"JHUB_NS="\$a \"b\" \\ \` \n""#, #"$a "b" \ ` \n"#),
            (#"JHUB_NS='\$a "b" $(c) `d`'"#, #"\$a "b" $(c) `d`"#),
            (#"JHUB_NS=a\ b\$c\'d"#, "a b$c'd"),
            ("JHUB_NS=a$", "a$"),
            ("JHUB_NS=\"a$ b\"", "a$ b"),
            ("JHUB_NS=a\r\nADMIN_USER=b\r\n", "a"),
            ("\u{FEFF}JHUB_NS=a", "a"),
            ("# only a comment\n\n\nJHUB_NS=a", "a"),
            ("ADMIN_USER=x JHUB_NS=a", "a"),
            ("JHUB_NS=a\nexport JHUB_NS", "a"),
            ("JHUB_NS=\"a\nb\"", "a\nb"),
            ("JHUB_NS=*?[x]{a,b}", "*?[x]{a,b}"),
            ("JHUB_NS=ä秒", "ä秒"),
            ("JHUB_NS=", ""),
            ("JHUB_NS=a=b", "a=b"),
        ])
    func aShellWouldReadTheSame(_ text: String, _ value: String) {
        let file = EnvFile(parsing: text)
        #expect(file.refusals == [])
        let pieces = file.assignments.last { $0.key == "JHUB_NS" }?.pieces
        #expect(pieces == (value.isEmpty ? [] : [.text(value)]))
    }

    @Test(arguments: [
        ("ADMIN_USER=a\nJHUB_NS=$ADMIN_USER-x", "a-x"),
        ("ADMIN_USER=a\nJHUB_NS=\"${ADMIN_USER}x\"", "ax"),
        ("JHUB_NS=${JHUB_NS:-hub}", "hub"),
        ("ADMIN_USER=a\nJHUB_NS=${ADMIN_USER:-hub}", "a"),
        ("ADMIN_USER=\nJHUB_NS=${ADMIN_USER:-hub}", "hub"),
        ("ADMIN_USER=a\nJHUB_NS=${JHUB_RELEASE:-${ADMIN_USER}b}", "ab"),
        ("JHUB_NS=x$JHUB_RELEASE", "xjhub"),
        ("ADMIN_USER=a\nADMIN_USER=b\nJHUB_NS=$ADMIN_USER", "b"),
    ])
    func referencesAreFilledIn(_ text: String, _ value: String) throws {
        #expect(try Settings(parsing: text).jhubNs == value)
    }

    @Test func aDefaultFollowsWhatItRefersTo() throws {
        let settings = try Settings(parsing: "JHUB_CHART_VERSION=4.3.1\nTLS_CERT_FILE=/c\nTLS_KEY_FILE=/k")
        #expect(settings.hubImage == "quay.io/jupyterhub/k8s-hub:4.3.1")
        #expect(settings.nginxProxyKeyFile == "/k")
        #expect(settings.source(of: "NGINX_PROXY_KEY_FILE") == .derived(from: ["TLS_KEY_FILE"]))
    }

    @Test(arguments: [
        ("JHUB_NS=$(id)", 1, "command substitution"),
        ("JHUB_NS=\"a $(id)\"", 1, "command substitution"),
        ("JHUB_NS=`id`", 1, "command substitution"),
        ("JHUB_NS=$((1+1))", 1, "command substitution"),
        ("\nJHUB_NS=a; rm -rf /", 2, "';' is refused"),
        ("JHUB_NS=a && true", 1, "'&' is refused"),
        ("JHUB_NS=a | b", 1, "'|' is refused"),
        ("JHUB_NS=a > b", 1, "'>' is refused"),
        ("JHUB_NS=(a b)", 1, "arrays are refused"),
        ("JHUB_NS[0]=a", 1, "no arrays"),
        ("JHUB_NS+=a", 1, "write the whole value"),
        ("JHUB_NS = a", 1, "no blank"),
        ("JHUB_NS: a", 1, "not KEY=VALUE"),
        ("JHUB-NS=a", 1, "not KEY=VALUE"),
        ("source other.env", 1, "'source' is refused"),
        (". other.env", 1, "'source' is refused"),
        ("echo hi", 1, "'echo' is a command"),
        ("if true; then", 1, "'if' is a command"),
        ("ADMIN_USERS_CSV=a, b", 1, "put the value in quotes"),
        ("\n\nJHUB_NS='a\n", 3, "the ' is not closed"),
        ("JHUB_NS=\"a\nexport ADMIN_USER=b\n", 1, "the \" is not closed"),
        ("JHUB_NS=${JHUB_RELEASE", 1, "only $NAME"),
        ("JHUB_NS=${JHUB_RELEASE:-x", 1, "not closed"),
        ("JHUB_NS=${JHUB_RELEASE:=x}", 1, "only $NAME"),
        ("JHUB_NS=${#JHUB_RELEASE}", 1, "only $NAME"),
        ("JHUB_NS=$1", 1, "only a running shell"),
        ("JHUB_NS=$'a'", 1, "$ before a quote"),
        ("export JHUB_NS", 1, "no value"),
        ("export -n JHUB_NS=a", 1, "not KEY=VALUE"),
        ("JHUB_NS=a\\", 1, "ends in a backslash"),
        ("JHUB_NS=$HOME", 1, "refers to HOME, which is no key"),
        ("JHUB_NS=${HOME:-a}", 1, "refers to HOME, which is no key"),
    ])
    func whatAShellWouldRunIsRefusedWithItsLine(_ text: String, _ line: Int, _ reason: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: text) }
        #expect(error.faults.count == 1, "\(error)")
        #expect(error.faults.first?.line == line)
        #expect(error.faults.first?.reason.contains(reason) == true, "\(error)")
    }

    @Test func allFaultsComeAtOnceInTheirOrder() throws {
        let text = """
            JHUB_NS=$(whoami)
            SINGLUSER_IMAGE=a:1
            NODEPORT_FALLBACK_PORT=80
            PVC_SIZE="lots
            ENABLE_NGINX_PROXY=maybe
            """
        let error = try #require(throws: SettingsError.self) { try Settings(parsing: text) }
        #expect(error.faults.map(\.line) == [1, 2, 3, 4, 5])
        #expect(
            "\(error)".split(separator: "\n")[1]
                == "jhub.env:2: SINGLUSER_IMAGE: no such key; the nearest is SINGLEUSER_IMAGE")
    }

    @Test func aSecretIsNotRepeatedInAnyFault() throws {
        let lines = [
            "GITHUB_CLIENT_SECRET=hunter2 hunter3", "GITHUB_CLIENT_SECRET=\"hunter2", "GITHUB_CLIENT_SECRT=hunter2",
            "GITHUB_CLIENT_SECRET=hunter2;hunter3", "GITHUB_CLIENT_SECRET=$(hunter2)",
            "GITHUB_CLIENT_SECRET='hunter2\nhunter3'",
        ]
        for line in lines {
            let error = try #require(throws: SettingsError.self) { try Settings(parsing: line) }
            #expect(!"\(error)".contains("hunter"), "\(error)")
        }
    }

    @Test func aKeySetTwiceIsAWarningAndTheSecondCounts() throws {
        let settings = try Settings(parsing: "PVC_SIZE=1Gi\n\nPVC_SIZE=2Gi")
        #expect(settings.pvcSize.text == "2Gi")
        #expect(settings.remarks.map(\.description) == ["jhub.env:3: PVC_SIZE: is set on line 1 too; this one counts"])
    }

    @Test func aReferenceToWhatComesLaterIsAWarning() throws {
        let settings = try Settings(parsing: "JHUB_NS=x$ADMIN_USER\nADMIN_USER=b")
        #expect(settings.jhubNs == "xadmin")
        #expect(settings.remarks.map(\.weight) == [.warning])
    }
}

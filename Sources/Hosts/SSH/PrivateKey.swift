/// What can be told of a private key file without opening it.
struct PrivateKey {
    let isRSA: Bool
    let isEncrypted: Bool

    init(_ text: String) {
        let letters = text.filter { !$0.isWhitespace }
        // The word ssh-rsa in Base64, at each of its three places in a group. It stands in the public half, which is
        // not encrypted.
        let rsa = ["c3NoLXJzY", "NzaC1yc2", "zc2gtcnNh"]
        isRSA = letters.contains("BEGINRSAPRIVATEKEY") || rsa.contains(where: letters.contains)
        // "bcrypt" likewise; or PEM's own words.
        let locked = ["YmNyeXB0", "Jjcnlwd", "iY3J5cH"]
        isEncrypted = letters.contains("ENCRYPTED") || locked.contains(where: letters.contains)
    }
}

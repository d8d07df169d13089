import CSSH2

/// libssh2's session, never blocking, on a wire of its own.
struct Session: ~Copyable {
    let raw: OpaquePointer
    let wire: Wire

    /// `hostKeyTypes` are the only ones that the host may prove itself with.
    init(on wire: Wire, hostKeyTypes: [String], compresses: Bool) {
        Self.startLibrary
        self.wire = wire
        raw = libssh2_session_init_ex(nil, nil, nil, Unmanaged.passUnretained(wire).toOpaque())!
        libssh2_session_set_blocking(raw, 0)
        libssh2_session_callback_set(
            raw, LIBSSH2_CALLBACK_SEND, unsafeBitCast(Wire.send, to: UnsafeMutableRawPointer.self))
        libssh2_session_callback_set(
            raw, LIBSSH2_CALLBACK_RECV, unsafeBitCast(Wire.receive, to: UnsafeMutableRawPointer.self))
        libssh2_session_method_pref(raw, LIBSSH2_METHOD_HOSTKEY, hostKeyTypes.joined(separator: ","))
        // The fastest first; without those that nobody should use any more.
        for method in [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC] {
            libssh2_session_method_pref(raw, method, "aes128-ctr,aes256-ctr,aes192-ctr")
        }
        for method in [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC] {
            libssh2_session_method_pref(raw, method, "hmac-sha2-256,hmac-sha2-512,hmac-sha1")
        }
        if compresses { libssh2_session_flag(raw, LIBSSH2_FLAG_COMPRESS, 1) }
        libssh2_keepalive_config(raw, 1, 2)
    }

    deinit {
        // Freeing closes what is open, and would wait for the host.
        wire.cut()
        libssh2_session_free(raw)
    }

    private static let startLibrary: Void = {
        // OPENSSL_INIT_NO_ATEXIT: at the end of the program it would tidy up below threads that still run.
        _ = OPENSSL_init_crypto(0x80000, nil)
        libssh2_init(0)
    }()

    /// libssh2's own words for what went wrong last.
    var complaint: String {
        var text: UnsafeMutablePointer<CChar>?
        libssh2_session_last_error(raw, &text, nil, 0)
        return text.map { String(cString: $0) } ?? "unknown error"
    }

    /// What the host has proved itself with.
    var hostKey: HostKey? {
        var (size, type) = (0, Int32(0))
        guard libssh2_session_hostkey(raw, &size, &type) != nil,
            let digest = libssh2_hostkey_hash(raw, LIBSSH2_HOSTKEY_HASH_SHA256)
        else { return nil }
        let bytes = UnsafeRawBufferPointer(start: digest, count: 32)
        let name = libssh2_session_methods(raw, LIBSSH2_METHOD_HOSTKEY).map { String(cString: $0) }
        return HostKey(type: name ?? "unknown", fingerprint: Fingerprint(sha256: Array(bytes)))
    }
}

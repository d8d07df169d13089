import CCurl

extension Transfer {
    /// Sets every option; the first that libcurl refuses is the error.
    func configure(_ handle: inout EasyHandle, for answer: Answer) throws(HTTPError) {
        guard request.url.hasPrefix("http://") || request.url.hasPrefix("https://") else {
            throw failure("this is no HTTP address")
        }
        let raw = handle.raw
        try set(jhub_curl_set_string(raw, CURLOPT_URL, request.url))
        try set(jhub_curl_set_long(raw, CURLOPT_NOSIGNAL, 1))
        // One request a connection: HTTP/2 has nothing to add.
        try set(jhub_curl_set_long(raw, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1))
        if !usesEnvironmentProxy { try set(jhub_curl_set_string(raw, CURLOPT_PROXY, "")) }
        try configureLimits(raw)
        try configureTrust(raw)
        try configureBody(raw)
        try set(handle.send(try headerLines()))
        if let address = request.address { try set(handle.connect(to: address)) }
        try configureCallbacks(raw, answer)
    }

    private func configureLimits(_ raw: UnsafeMutableRawPointer) throws(HTTPError) {
        let milliseconds = max(1, Int(request.limit / .milliseconds(1)))
        switch sink {
        case .keep:
            try set(jhub_curl_set_long(raw, CURLOPT_TIMEOUT_MS, milliseconds))
        case .handOver:
            try set(jhub_curl_set_long(raw, CURLOPT_CONNECTTIMEOUT_MS, milliseconds))
            try set(jhub_curl_set_long(raw, CURLOPT_LOW_SPEED_LIMIT, 1))
            try set(jhub_curl_set_long(raw, CURLOPT_LOW_SPEED_TIME, (milliseconds + 999) / 1000))
        }
    }

    private func configureTrust(_ raw: UnsafeMutableRawPointer) throws(HTTPError) {
        if let authority = request.trust.authority {
            try set(jhub_curl_set_blob(raw, CURLOPT_CAINFO_BLOB, authority, authority.count))
            // The blob stands in for the file of authorities only; the system's folder would still be believed.
            try set(jhub_curl_set_string(raw, CURLOPT_CAPATH, nil))
        }
        if let certificate = request.trust.certificate {
            try set(jhub_curl_set_blob(raw, CURLOPT_SSLCERT_BLOB, certificate, certificate.count))
        }
        if let key = request.trust.key {
            try set(jhub_curl_set_blob(raw, CURLOPT_SSLKEY_BLOB, key, key.count))
        }
    }

    private var carriesBody: Bool { !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) }

    private func configureBody(_ raw: UnsafeMutableRawPointer) throws(HTTPError) {
        if request.method == "HEAD" { try set(jhub_curl_set_long(raw, CURLOPT_NOBODY, 1)) }
        if carriesBody {
            // The size first: the bytes are copied by it, zeros included.
            try set(jhub_curl_set_long(raw, CURLOPT_POSTFIELDSIZE, request.body.count))
            // One zero more, since an empty array has no address to point to.
            var bytes = request.body + [0]
            try set(bytes.withUnsafeMutableBytes { jhub_curl_set_pointer(raw, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) })
        }
        try set(jhub_curl_set_string(raw, CURLOPT_CUSTOMREQUEST, request.method))
    }

    private func headerLines() throws(HTTPError) -> [String] {
        let names = Set(request.headers.keys.map { $0.lowercased() })
        var lines: [String] = []
        for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) {
            let line = value.isEmpty ? "\(name);" : "\(name): \(value)"
            guard !line.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D || $0 == 0 }) else {
                throw failure("the header \(name) would break the line")
            }
            lines.append(line)
        }
        if !names.contains("user-agent") { lines.append("User-Agent: jhub") }
        // libcurl would call a body a form, and would ask leave to send a large one.
        if !names.contains("content-type") { lines.append("Content-Type:") }
        return lines + ["Expect:"]
    }

    private func configureCallbacks(_ raw: UnsafeMutableRawPointer, _ answer: Answer) throws(HTTPError) {
        let context = Unmanaged.passUnretained(answer).toOpaque()
        try set(jhub_curl_set_pointer(raw, CURLOPT_WRITEDATA, context))
        try set(
            jhub_curl_set_callback(raw, CURLOPT_WRITEFUNCTION) { data, size, count, context in
                guard let context else { return 0 }
                let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                return Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue().take(bytes) ? bytes.count : 0
            })
        try set(jhub_curl_set_pointer(raw, CURLOPT_HEADERDATA, context))
        try set(
            jhub_curl_set_callback(raw, CURLOPT_HEADERFUNCTION) { data, size, count, context in
                guard let context else { return 0 }
                let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                let line = String(decoding: bytes, as: UTF8.self)
                Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue().takeHeader(line)
                return bytes.count
            })
        try set(
            jhub_curl_set_progress(
                raw,
                { context, _, _, _, _ in
                    guard let context else { return 1 }
                    return Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue().cancellation.isRequested ? 1 : 0
                }, context))
    }

    private func set(_ code: CURLcode) throws(HTTPError) {
        guard code == CURLE_OK else { throw failure(String(cString: curl_easy_strerror(code))) }
    }
}

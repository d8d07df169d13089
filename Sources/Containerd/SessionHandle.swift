import CNghttp2

/// nghttp2's session of one call, freed once.
struct SessionHandle: ~Copyable {
    let raw: OpaquePointer

    init(for call: Call) {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameLength, value, length, _, context in
            let name = String(decoding: UnsafeBufferPointer(start: name, count: nameLength), as: UTF8.self)
            let value = String(decoding: UnsafeBufferPointer(start: value, count: length), as: UTF8.self)
            SessionHandle.call(context)?.takeHeader(name, value)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, _, data, length, context in
            SessionHandle.call(context)?.take(UnsafeBufferPointer(start: data, count: length))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, _, _, context in
            SessionHandle.call(context)?.close()
            return 0
        }
        var session: OpaquePointer?
        // The call outlives its session, which is made and freed in one of its functions.
        nghttp2_session_client_new(&session, callbacks, Unmanaged.passUnretained(call).toOpaque())
        nghttp2_session_callbacks_del(callbacks)
        raw = session!
    }

    deinit { nghttp2_session_del(raw) }

    /// The stream's number, or an error below zero.
    func request(_ path: String, _ more: [String: String]) -> Int32 {
        let lines =
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
                ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "jhub"),
            ] + more.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        var provider = nghttp2_data_provider()
        provider.read_callback = { _, _, buffer, length, flags, _, context in
            let room = UnsafeMutableBufferPointer(start: buffer, count: length)
            switch SessionHandle.call(context)?.supply(room) {
            case .bytes(let count): return count
            case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            case .end:
                flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
                return 0
            case .failure, nil: return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
            }
        }
        // nghttp2 copies names and values, so they need to stay for this call only.
        var text = lines.flatMap { Array($0.0.utf8) + Array($0.1.utf8) }
        return text.withUnsafeMutableBufferPointer { text in
            var place = 0
            func next(_ length: Int) -> UnsafeMutablePointer<UInt8>? {
                defer { place += length }
                return text.baseAddress.map { $0 + place }
            }
            let pairs = lines.map { name, value in
                nghttp2_nv(
                    name: next(name.utf8.count), value: next(value.utf8.count), namelen: name.utf8.count,
                    valuelen: value.utf8.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            return nghttp2_submit_request(raw, nil, pairs, pairs.count, &provider, nil)
        }
    }

    private static func call(_ context: UnsafeMutableRawPointer?) -> Call? {
        context.map { Unmanaged<Call>.fromOpaque($0).takeUnretainedValue() }
    }
}

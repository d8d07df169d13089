import CCurl
import Glibc

/// libcurl's handle of one transfer, freed once.
struct EasyHandle: ~Copyable {
    let raw = curl_easy_init()!
    /// libcurl wants the header lines to stay until the transfer is over.
    private var lines: UnsafeMutablePointer<curl_slist>?
    private var ways: UnsafeMutablePointer<curl_slist>?
    private let words = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init() {
        words.initialize(repeating: 0)
        _ = jhub_curl_set_pointer(raw, CURLOPT_ERRORBUFFER, words.baseAddress)
    }

    deinit {
        curl_easy_cleanup(raw)
        curl_slist_free_all(lines)
        curl_slist_free_all(ways)
        words.deallocate()
    }

    mutating func send(_ headerLines: [String]) -> CURLcode {
        for line in headerLines { lines = curl_slist_append(lines, line) }
        return jhub_curl_set_list(raw, CURLOPT_HTTPHEADER, lines)
    }

    /// Any host and port of the URL, at this address, at the same port.
    mutating func connect(to address: String) -> CURLcode {
        ways = curl_slist_append(ways, "::\(address):")
        return jhub_curl_set_list(raw, CURLOPT_CONNECT_TO, ways)
    }

    func perform() -> CURLcode { curl_easy_perform(raw) }

    var status: Int { number(CURLINFO_RESPONSE_CODE) }

    /// Why the transfer ended so, in libcurl's words and the system's.
    func reason(_ code: CURLcode) -> String {
        let said = String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let reason = said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
        let system = number(CURLINFO_OS_ERRNO)
        guard code == CURLE_COULDNT_CONNECT, system != 0 else { return reason }
        return "\(reason) (\(String(cString: strerror(Int32(system)))))"
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        return jhub_curl_get_long(raw, info, &value) == CURLE_OK ? value : 0
    }
}

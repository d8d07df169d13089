#pragma once
#include <curl/curl.h>
#include <openssl/crypto.h>

// Once for the whole process. At its end OpenSSL would tidy up below threads that still run: as CSSH2's users, whoever
// comes first has to forbid that.
static inline CURLcode jhub_curl_start(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift does not import: one function per argument type.
static inline CURLcode jhub_curl_set_long(CURL *curl, CURLoption option, long value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode jhub_curl_set_string(CURL *curl, CURLoption option, const char *value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode jhub_curl_set_pointer(CURL *curl, CURLoption option, void *value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode jhub_curl_set_list(CURL *curl, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode jhub_curl_set_blob(CURL *curl, CURLoption option, const void *data, size_t length) {
    // COPY: the bytes need not outlive this call.
    struct curl_blob blob = { .data = (void *)data, .len = length, .flags = CURL_BLOB_COPY };
    return curl_easy_setopt(curl, option, &blob);
}
typedef size_t (*jhub_curl_callback)(char *data, size_t size, size_t count, void *context);
static inline CURLcode jhub_curl_set_callback(CURL *curl, CURLoption option, jhub_curl_callback value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode jhub_curl_set_progress(CURL *curl, curl_xferinfo_callback value, void *context) {
    CURLcode code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, value);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    return code;
}
static inline CURLcode jhub_curl_get_long(CURL *curl, CURLINFO info, long *value) {
    return curl_easy_getinfo(curl, info, value);
}

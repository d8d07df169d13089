#pragma once
#include <libssh2.h>

// Of OpenSSL, which libssh2 stands on: <openssl/crypto.h>.
int OPENSSL_init_crypto(uint64_t options, const void *settings);

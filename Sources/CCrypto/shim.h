#pragma once
// OpenSSL 3 would rather have all hashes behind EVP, which hides the state.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

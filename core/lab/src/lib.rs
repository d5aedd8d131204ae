//! Test PKI: root, intermediates, delegate and TLS certificates. For the command and for tests only.

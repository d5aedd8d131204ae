//! TLS configuration, the HTTP client, address rules and the fast crypto provider.

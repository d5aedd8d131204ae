//! The TLS side of a service: what it accepts as its certificate, and replacing that while it runs.
#![cfg(test)]

#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the tests of the client")]
mod service;

use std::sync::Arc;

use ringtrue_net::{ReloadableCertificate, reloadable_server_config, server_config};
use ringtrue_stir::Reason;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, NamedGroup, RootCertStore, ServerConnection};
use service::TestAuthority;

#[test]
fn refuses_chains_and_keys_that_are_none_or_do_not_match() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let other = authority.identity(&["localhost"]);
    let reason = |chain: &str, key: &str| server_config(chain, key).err();
    let (chain, key) = (identity.chain_pem.as_str(), identity.key_pem.as_str());
    assert_eq!(reason(chain, key), None);
    assert_eq!(reason(chain, &other.key_pem), Some(Reason::KeyMismatch));
    assert_eq!(reason("", key), Some(Reason::MalformedPem));
    assert_eq!(reason(chain, ""), Some(Reason::MalformedPem));
    assert_eq!(reason(key, chain), Some(Reason::MalformedPem));
    assert_eq!(reason(chain, chain), Some(Reason::MalformedPem));
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(reason(not_der, key), Some(Reason::MalformedCertificate));
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(reason(chain, no_key), Some(Reason::MalformedKey));
}

/// The certificate that a client sees, and the group that was agreed on.
fn shake_hands(config: &Arc<rustls::ServerConfig>, root_pem: &str) -> (Vec<u8>, NamedGroup) {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets().unwrap();
    }
    let certificate = client.peer_certificates().unwrap()[0].to_vec();
    let group = client.negotiated_key_exchange_group().unwrap().name();
    (certificate, group)
}

#[test]
fn a_replaced_certificate_serves_the_next_handshake_and_a_bad_one_changes_nothing() {
    let authority = TestAuthority::new();
    let root = authority.root_pem();
    let [first, second] = [
        authority.identity(&["localhost"]),
        authority.identity(&["localhost"]),
    ];
    let certificate =
        Arc::new(ReloadableCertificate::from_pem(&first.chain_pem, &first.key_pem).unwrap());
    let config = Arc::new(reloadable_server_config(Arc::clone(&certificate)).unwrap());

    let (seen_first, _) = shake_hands(&config, &root);
    let refused = certificate.replace(&second.chain_pem, &first.key_pem);
    assert_eq!(refused, Err(Reason::KeyMismatch));
    assert_eq!(certificate.replace("", ""), Err(Reason::MalformedPem));
    assert_eq!(shake_hands(&config, &root).0, seen_first);

    certificate
        .replace(&second.chain_pem, &second.key_pem)
        .unwrap();
    assert_ne!(shake_hands(&config, &root).0, seen_first);
    assert_eq!(format!("{certificate:?}"), "ReloadableCertificate(..)");
}

#[test]
fn agrees_on_a_group_with_a_client_of_other_preferences() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let config = Arc::new(server_config(&identity.chain_pem, &identity.key_pem).unwrap());
    let (_, group) = shake_hands(&config, &authority.root_pem());
    assert!(
        matches!(group, NamedGroup::X25519MLKEM768 | NamedGroup::X25519),
        "{group:?}"
    );
}

//! An application that goes on stating the credential that it began with, long after it was renewed.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{CredentialState, Endpoint, MemoryStore, Reason, RequestSubject};
use ringtrue_lab::Validity;
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve};

use crate::support::ends;
use crate::support::keys::{DeviceSigner, Form, Temper};
use crate::support::world::{World, X5U, number};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installed_credential_carries_on_when_the_configured_one_has_expired() {
    let world = World::new().await;
    let secret = AwsLcCrypto.generate(Curve::P256).unwrap().secret;
    let store = Arc::new(MemoryStore::new());
    let start = |configured: Option<&str>, of: usize| -> Result<Endpoint, Reason> {
        let builder = world.unsigned(&number(of)).store(store.clone());
        let signer = DeviceSigner::new(&secret, Form::Der, Temper::Works);
        let builder = match configured {
            Some(chain) => builder.credential(chain, X5U),
            None => builder,
        };
        builder.signer(signer).build()
    };
    let first = start(None, 0).unwrap();
    let request = ends(first.certificate_request(&RequestSubject::empty())).await;
    let request = request.unwrap();
    let issue = |not_before, not_after| {
        let validity = Validity {
            not_before,
            not_after,
        };
        let ca = &world.authority.intermediate;
        ca.issue_request(&request, validity).unwrap().chain_pem
    };
    let expired = issue(world.now.minus(DAY * 2), world.now.minus(DAY));
    // Nothing has taken its place yet.
    let refused = start(Some(&expired), 0).err();
    assert_eq!(refused, Some(Reason::CertificateExpired));
    let renewed = issue(world.now.minus(DAY), world.now.plus(DAY * 30));
    ends(first.install_certificate(&renewed, X5U))
        .await
        .unwrap();
    let status = start(Some(&expired), 0).unwrap().credential_status();
    assert_eq!(status.state, CredentialState::Valid);
    assert_eq!(status.expires, Some(world.now.plus(DAY * 30)));
    // For another number it is none that could carry on.
    let refused = start(Some(&expired), 1).err();
    assert_eq!(refused, Some(Reason::CertificateExpired));
}

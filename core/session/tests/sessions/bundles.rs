//! An operator who makes trust bundles and revocation lists, and telephones that use them.

use std::sync::Arc;

use core::time::Duration;

use ringtrue_lab::{CrlSpec, RevocationAuthority, Revoked, Validity};
use ringtrue_session::{TrustSource, TrustUpdate, TrustUpdateSession};
use ringtrue_stir::certificate::{Certificate, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto, SecretKey};
use ringtrue_stir::trust_bundle::{CrlIssuer, TrustBundleDraft, TrustData};
use ringtrue_stir::{Reason, UnixTime, X5u};

use crate::phone::Phone;
use crate::sim::run;
use crate::world::World;

pub(crate) const BUNDLE_URL: &str = "https://trust.example/bundle.jwt";
pub(crate) const LIST_URL: &str = "https://trust.example/all.crl";

pub(crate) const DAY: u64 = 86_400;

/// Who signs bundles, and who signs revocation lists.
pub(crate) struct Operator {
    secret: SecretKey,
    pub(crate) public: P256PublicKey,
    pub(crate) lists: RevocationAuthority,
}

impl Operator {
    pub(crate) fn new(world: &World) -> Self {
        let pair = RustCrypto.generate(Curve::P256).unwrap();
        let validity = Validity::days(world.unix(), 366);
        Self {
            public: P256PublicKey::from_sec1(&pair.public).unwrap(),
            secret: pair.secret,
            lists: world
                .authority
                .root
                .revocation_authority("Lists", validity)
                .unwrap(),
        }
    }

    pub(crate) fn source(&self) -> TrustSource {
        TrustSource {
            url: BUNDLE_URL.to_owned(),
            keys: vec![self.public],
            shipped: None,
        }
    }

    /// A bundle of 30 days, made now.
    pub(crate) fn bundle(&self, world: &World, version: u64, data: TrustData) -> String {
        self.bundle_for(world, version, data, Duration::from_secs(30 * DAY))
    }

    pub(crate) fn bundle_for(
        &self,
        world: &World,
        version: u64,
        data: TrustData,
        life: Duration,
    ) -> String {
        let draft = TrustBundleDraft {
            version,
            iat: world.unix(),
            exp: world.unix().plus(life),
            data,
        };
        let unsigned = draft.build().unwrap();
        let signature = RustCrypto.sign_es256(&self.secret, unsigned.signing_input().as_bytes());
        unsigned
            .complete(&RustCrypto, &self.public, &signature.unwrap())
            .unwrap()
    }

    /// Publishes a bundle.
    pub(crate) fn serve(&self, world: &mut World, version: u64, data: TrustData) {
        let text = self.bundle(world, version, data);
        serve(world, BUNDLE_URL, text);
    }

    /// Publishes a bundle of the lab's root.
    pub(crate) fn serve_own(&self, world: &mut World, version: u64) {
        let data = own_data(world);
        self.serve(world, version, data);
    }

    /// The data with this operator's revocation lists.
    pub(crate) fn with_lists(&self, mut data: TrustData) -> TrustData {
        data.crl_issuers.push(CrlIssuer {
            certificate: Certificate::from_der(self.lists.der()).unwrap(),
            urls: vec![X5u::parse(LIST_URL).unwrap()],
        });
        data
    }

    /// A list of a day, made at `at`, with these certificates on it.
    pub(crate) fn list(&self, revoked: &[&[u8]], at: UnixTime) -> Vec<u8> {
        let revoked = revoked.iter().map(|der| Revoked::certificate(der, at));
        let revoked = revoked.collect::<Result<_, _>>().unwrap();
        let spec = CrlSpec::indirect(revoked, at);
        self.lists.revocation_list(&spec).unwrap()
    }
}

/// The lab's root as the only anchor.
pub(crate) fn own_data(world: &World) -> TrustData {
    TrustData::new(world.authority.anchors().unwrap())
}

/// Somebody else's root as the only anchor.
pub(crate) fn other_data() -> TrustData {
    TrustData::new(World::new().authority.anchors().unwrap())
}

pub(crate) fn serve(world: &mut World, url: &str, octets: impl Into<Vec<u8>>) {
    world.net.trust_files.insert(url.to_owned(), octets.into());
}

/// Lets a telephone update, and use what came.
pub(crate) fn update(world: &mut World, phone: &mut Phone, source: &TrustSource) -> TrustUpdate {
    let context = Arc::clone(&phone.context);
    let session = TrustUpdateSession::new(context, source.clone(), world.in_ms(30_000)).unwrap();
    let update = run(world, phone, session);
    if let Some(trust) = &update.trust {
        let context = phone.context.as_ref().clone();
        let now = Some(world.unix());
        phone.context = Arc::new(context.with_trust(trust.clone(), now));
    }
    update
}

/// An update that has to succeed.
pub(crate) fn update_well(world: &mut World, phone: &mut Phone, source: &TrustSource) {
    let updated = update(world, phone, source).result.unwrap();
    assert_eq!(updated.reasons, []);
}

/// An update that has to fail.
pub(crate) fn refused(world: &mut World, phone: &mut Phone, source: &TrustSource) -> Reason {
    update(world, phone, source).result.unwrap_err()
}

/// The same telephone after a restart, with `anchors` configured.
pub(crate) fn restarted(
    world: &World,
    mut phone: Phone,
    source: &TrustSource,
    anchors: TrustAnchors,
) -> Phone {
    let numbers: Vec<String> = phone
        .context
        .numbers()
        .iter()
        .map(|number| number.as_str().to_owned())
        .collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let services = [crate::world::CPS_CALLEE];
    let own = phone.credential.clone();
    let credential = phone.context.credential().unwrap().clone();
    let context = world
        .context(&numbers, &services, &own, |builder| {
            builder.anchors = anchors;
            builder.credential = None;
        })
        .unwrap();
    let load = |record: &ringtrue_session::RecordName| {
        let held = phone.records.get(record.as_str()).cloned();
        Ok(held.map(zeroize::Zeroizing::new))
    };
    let now = Some(world.unix());
    let trust = source.restore(&RustCrypto, now, load).unwrap();
    let context = context.as_ref().clone();
    let context = match trust {
        Some(trust) => context.with_trust(trust, now),
        None => context,
    };
    phone.context = Arc::new(context.with_untried_credential(credential, now));
    phone
}

//! `stir-constructed`: the indirect revocation list.

use std::collections::BTreeMap;

use ringtrue_stir::certificate::{
    CertificateBag, PathRules, Profile, RevocationList, TrustAnchors, VerifiedRevocationList,
    verify_path,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, UnixTime};
use serde_json::Value;

use crate::Folder;

/// Consumes the list's record of `chains.json` against every chain of it.
pub(crate) fn check(
    folder: &mut Folder,
    file: &Value,
    anchors: &TrustAnchors,
    bags: &BTreeMap<&str, &CertificateBag>,
    at: UnixTime,
) {
    let record = &file["crl"];
    let list = folder.text(record["file"].as_str().unwrap());
    let list = RevocationList::parse(list.as_bytes()).unwrap();
    let issuer = folder.text(record["issuer"].as_str().unwrap());
    let issuer = CertificateBag::from_pem(&issuer).unwrap();
    let issuer = &issuer.certificates()[0];
    assert_eq!(record["indirect"], list.is_indirect());
    assert_eq!(list.len(), 1);
    assert_eq!(record["signature_verified"], true);
    assert_eq!(
        record["revokes"],
        "the end-entity certificate of the chain named one"
    );
    let verified = list.verify(&RustCrypto, issuer, at).unwrap();

    let outcome = |id: &str, lists: &[VerifiedRevocationList], at| {
        let mut rules = PathRules::new(Profile::Stir);
        rules.revocation = Some(lists);
        let bag = bags[id];
        verify_path(&RustCrypto, &bag.certificates()[0], bag, anchors, at, rules)
            .map(|path| path.revocation())
    };
    let current = [verified];
    for (id, bag) in bags {
        let without = verify_path(
            &RustCrypto,
            &bag.certificates()[0],
            bag,
            anchors,
            at,
            Profile::Stir,
        );
        let expected = match without {
            Ok(_) if *id == "one" => Err(Reason::CertificateRevoked),
            Ok(_) => Ok(Ok(())),
            Err(reason) => Err(reason),
        };
        assert_eq!(outcome(id, &current, at), expected, "{id}");
    }
    // Past its next update the list still revokes what it lists, and says too little of the rest.
    let late = UnixTime::from_secs(list.next_update().as_secs() + 1);
    assert_eq!(
        outcome("one", &current, late),
        Err(Reason::CertificateRevoked)
    );
    assert_eq!(outcome("sp", &current, late), Ok(Err(Reason::CrlStale)));
    assert_eq!(outcome("sp", &[], at), Ok(Err(Reason::CrlUnavailable)));
    // Nobody but the configured administrator speaks for it, the root of all chains neither.
    let root = &anchors.certificates()[0];
    let refused = list.verify(&RustCrypto, root, at).unwrap_err();
    assert_eq!(refused, Reason::CrlUntrusted);
}

//! Identifiers of items: random for stored blobs, derived for dummies, the same to look at.

use ringtrue_oob::http::route::ItemId;
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::CryptoProvider;

use crate::secret::derive;

/// Draws the identifier of a blob that was just stored.
pub(crate) fn random_id(provider: &dyn CryptoProvider) -> Result<ItemId, Reason> {
    let mut octets = [0; 16];
    provider.fill_random(&mut octets)?;
    Ok(ItemId::from_octets(octets))
}

/// The identifier of the dummy that is made of `seed`.
pub(crate) fn dummy_id(seed: &[u8; 32]) -> ItemId {
    let derived = derive(seed, &[b"item identifier"]);
    let octets = derived.first_chunk().copied().unwrap_or_default();
    ItemId::from_octets(octets)
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::crypto::RustCrypto;

    use super::{dummy_id, random_id};

    #[test]
    fn identifiers_differ_and_those_of_dummies_are_stable() {
        let random = random_id(&RustCrypto).unwrap();
        assert_ne!(random, random_id(&RustCrypto).unwrap());
        assert_eq!(dummy_id(&[3; 32]), dummy_id(&[3; 32]));
        assert_ne!(dummy_id(&[3; 32]), dummy_id(&[4; 32]));
        assert_eq!(random.to_text().len(), dummy_id(&[3; 32]).to_text().len());
    }
}

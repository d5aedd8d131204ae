use proptest::prelude::*;
use ringtrue_stir::Reason;

use super::{
    KeyConfig, MAX_KEY_CONFIGS, MAX_KEY_CONFIGS_LEN, SymmetricSuite, encode_key_configs,
    parse_key_configs,
};

fn config(key_id: u8) -> KeyConfig {
    KeyConfig::new(key_id, [key_id.wrapping_add(7); 32])
}

fn refused(octets: &[u8]) {
    assert_eq!(
        parse_key_configs(octets),
        Err(Reason::MalformedGatewayKeys),
        "{octets:?}"
    );
}

/// A list with one configuration, changed.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut octets = config(3).to_octets();
    change(&mut octets);
    let mut list = u16::try_from(octets.len()).unwrap().to_be_bytes().to_vec();
    list.extend_from_slice(&octets);
    list
}

#[test]
fn a_list_is_exactly_this() {
    let list = encode_key_configs(&[KeyConfig::new(0x2a, [0x11; 32])]);
    let mut expected = vec![0, 45, 0x2a, 0, 0x20];
    expected.extend_from_slice(&[0x11; 32]);
    expected.extend_from_slice(&[0, 8, 0, 1, 0, 3, 0, 1, 0, 1]);
    assert_eq!(list, expected);
}

#[test]
fn a_list_keeps_the_gateways_order() {
    let configs = [config(9), config(2), config(200)];
    assert_eq!(
        parse_key_configs(&encode_key_configs(&configs)),
        Ok(configs.to_vec())
    );
}

#[test]
fn what_is_not_known_is_passed_over() {
    // Another KEM, with a key of another length, in front.
    let mut list = vec![0, 5, 1, 0, 0x10, 4, 4];
    list.extend_from_slice(&encode_key_configs(&[config(1)]));
    assert_eq!(parse_key_configs(&list), Ok(vec![config(1)]));
    // Another KDF and another AEAD beside a known pair.
    let list = changed(|octets| {
        octets.truncate(35);
        octets.extend_from_slice(&[0, 12, 0, 2, 0, 1, 0, 1, 0, 2, 0, 1, 0, 1]);
    });
    let parsed = parse_key_configs(&list).unwrap();
    assert_eq!(parsed[0].suites(), [SymmetricSuite::Aes128Gcm]);
}

#[test]
fn a_list_without_anything_usable_is_refused() {
    refused(&[]);
    refused(&[0, 5, 1, 0, 0x10, 4, 4]);
    refused(&changed(|octets| {
        octets.truncate(35);
        octets.extend_from_slice(&[0, 4, 0, 3, 0, 1]);
    }));
}

#[test]
fn lists_of_the_wrong_form_are_refused() {
    let good = encode_key_configs(&[config(1)]);
    for len in 1..good.len() {
        refused(&good[..len]);
    }
    refused(&[good.as_slice(), &[0]].concat());
    // Lengths of the pairs: none, not whole, beyond the end, short of it.
    for len in [0, 3, 7, 12] {
        refused(&changed(|octets| octets[36] = len));
    }
    refused(&changed(|octets| octets.push(0)));
    // One name for two keys.
    refused(&encode_key_configs(&[
        config(1),
        KeyConfig::new(1, [9; 32]),
    ]));
}

#[test]
fn lists_over_their_limits_are_refused() {
    let many: Vec<_> = (0..=MAX_KEY_CONFIGS)
        .map(|id| config(u8::try_from(id).unwrap()))
        .collect();
    refused(&encode_key_configs(&many));
    assert!(parse_key_configs(&encode_key_configs(&many[1..])).is_ok());
    refused(&vec![0; MAX_KEY_CONFIGS_LEN + 1]);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(keys in prop::collection::hash_map(any::<u8>(), any::<[u8; 32]>(), 1..=MAX_KEY_CONFIGS)) {
        let configs: Vec<_> = keys.into_iter().map(|(id, key)| KeyConfig::new(id, key)).collect();
        prop_assert_eq!(parse_key_configs(&encode_key_configs(&configs)), Ok(configs));
    }

    #[test]
    fn parsing_never_panics(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_key_configs(&octets);
        let _ = KeyConfig::parse(&octets);
    }
}

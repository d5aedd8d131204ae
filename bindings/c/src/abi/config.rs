//! Copying a configuration out of the caller's memory.

use core::ptr;

use ringtrue_stir::Reason;
use ringtrue_stir::certificate::Profile;
use zeroize::Zeroizing;

use super::borrow;
use crate::code::Code;
use crate::configuration::Settings;
use crate::types::{self, Config, Octets, RINGTRUE_ABI_VERSION, Text};

/// No later version needs more.
const MAX_SIZE: usize = 4096;

const MAX_NUMBERS: usize = 32;
const MAX_SERVICES: usize = 4;
const MAX_TEXT: usize = 2048;
const MAX_PEM: usize = 262_144;

/// Whether two versions have the same major one.
const fn is_compatible(version: u32) -> bool {
    version >> 16 == RINGTRUE_ABI_VERSION >> 16
}

/// Reads the structure itself.
///
/// # Safety
///
/// `config` is NULL or leads to a structure of the size that its first member says.
unsafe fn structure(config: *const Config) -> Result<Config, Code> {
    if config.is_null() || !config.is_aligned() {
        return Err(Code::NULL);
    }
    // SAFETY: not NULL and aligned; every version begins with these two members.
    let (size, version) = unsafe { ((*config).size, (*config).abi_version) };
    if !is_compatible(version) || !(size_of::<Config>()..=MAX_SIZE).contains(&size) {
        return Err(Code::VERSION);
    }
    let rest = Octets {
        data: config.cast::<u8>().wrapping_add(size_of::<Config>()),
        len: size.saturating_sub(size_of::<Config>()),
    };
    // SAFETY: the caller says that the structure is this long.
    let unknown = unsafe { borrow::octets(rest, MAX_SIZE) }?;
    // A later version's member that is set cannot be honoured.
    if unknown.iter().any(|octet| *octet != 0) {
        return Err(Code::VERSION);
    }
    // SAFETY: at least as long as this version's structure, which is plain data.
    Ok(unsafe { ptr::read(config) })
}

/// Copies everything that a configuration leads to.
///
/// # Safety
///
/// `config` is NULL or leads to a structure of the size that its first member says; its pointers are
/// NULL or lead to as much as their lengths say. Nobody changes any of it meanwhile.
pub(super) unsafe fn settings(config: *const Config) -> Result<Settings, Code> {
    // SAFETY: the same contract.
    let config = unsafe { structure(config) }?;
    let text = |text: Text, max: usize| {
        // SAFETY: the same contract.
        unsafe { borrow::text(text, max, Reason::ConfigurationInvalid) }
    };
    let octets = |octets: Octets, max: usize| {
        // SAFETY: the same contract.
        unsafe { borrow::octets(octets, max) }
    };
    let texts = |data: *const Text, len: usize, max: usize| -> Result<Vec<String>, Code> {
        // SAFETY: the same contract.
        let array = unsafe { borrow::array(data, len, max) }?;
        let owned = array
            .iter()
            .map(|it| text(*it, MAX_TEXT).map(str::to_owned));
        owned.collect()
    };
    if config.allow_direct > 1 || config.no_store_jitter > 1 {
        return Err(Code::UNKNOWN);
    }
    let profile = match config.profile {
        0 | types::RINGTRUE_PROFILE_STIR => Profile::Stir,
        types::RINGTRUE_PROFILE_SHAKEN => Profile::Shaken,
        types::RINGTRUE_PROFILE_DELEGATE => Profile::Delegate,
        _ => return Err(Code::UNKNOWN),
    };
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(Settings {
        allow_direct: config.allow_direct == 1,
        numbers: texts(config.numbers, config.numbers_len, MAX_NUMBERS)?,
        services: texts(config.services, config.services_len, MAX_SERVICES)?,
        directory: text(config.directory, MAX_TEXT)?.to_owned(),
        placement: text(config.placement, MAX_TEXT)?.to_owned(),
        relay: text(config.relay, MAX_TEXT)?.to_owned(),
        country_code: text(config.country_code, MAX_TEXT)?.to_owned(),
        trunk_prefix: text(config.trunk_prefix, MAX_TEXT)?.to_owned(),
        international_prefix: text(config.international_prefix, MAX_TEXT)?.to_owned(),
        national_digits: config.national_digits,
        token_issuer: text(config.token_issuer, MAX_TEXT)?.to_owned(),
        anchors_pem: text(config.anchors_pem, MAX_PEM)?.to_owned(),
        credential_chain_pem: text(config.credential_chain_pem, MAX_PEM)?.to_owned(),
        credential_x5u: text(config.credential_x5u, MAX_TEXT)?.to_owned(),
        credential_key_pem: Zeroizing::new(text(config.credential_key_pem, MAX_TEXT)?.to_owned()),
        agreement_public_key: octets(config.agreement_public_key, 65)?.to_vec(),
        state_key: Zeroizing::new(octets(config.state_key, 32)?.to_vec()),
        max_sessions: size(config.max_sessions),
        max_blobs: size(config.max_blobs),
        max_answer_octets: size(config.max_answer_octets),
        ring_deadline_ms: config.ring_deadline_ms,
        place_deadline_ms: config.place_deadline_ms,
        answer_deadline_ms: config.answer_deadline_ms,
        await_answer_ms: config.await_answer_ms,
        directory_deadline_ms: config.directory_deadline_ms,
        profile,
        store_jitter: config.no_store_jitter == 0,
    })
}

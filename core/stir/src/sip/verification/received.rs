//! Header fields as they came, with what has to be looked up for them.

use super::super::call::CallDescription;
use super::super::compact;
use super::super::identity_header::{IdentityHeader, TokenForm};
use super::VerificationService;
use crate::certificate::CertificateBag;
use crate::passport::{Passport, PassportType};
use crate::{Reason, Strictness};

/// One header field value.
#[derive(Default)]
pub(super) struct Received {
    pub(super) header: Option<IdentityHeader>,
    /// The token in full form.
    pub(super) token: Option<String>,
    /// The token, if any reader can read it.
    pub(super) passport: Option<Passport>,
    /// The certificates for it and for what is inside it.
    pub(super) chains: Vec<CertificateBag>,
    /// Whether the signer's own are at hand, here or in the token.
    pub(super) has_credential: bool,
    pub(super) reasons: Vec<Reason>,
    pub(super) warnings: Vec<Reason>,
}

impl VerificationService<'_> {
    /// Reads a value of a request. What stands in [`Received::reasons`] refuses it, whatever verification
    /// finds.
    pub(super) fn receive(&self, value: &str, call: &CallDescription) -> Received {
        self.read(value, |header| {
            if PassportType::from_ppt(header.ppt()) == PassportType::Rsp {
                return Err(Reason::UnexpectedRsp);
            }
            match header.form() {
                TokenForm::Full => Ok(header.digest().to_owned()),
                TokenForm::Compact => compact::rebuild(header, call),
            }
        })
    }

    /// Reads a value of a response, where the compact form has nothing to be rebuilt from.
    pub(super) fn receive_answer(&self, value: &str) -> Received {
        self.read(value, |header| match header.form() {
            TokenForm::Full => Ok(header.digest().to_owned()),
            TokenForm::Compact => Err(Reason::CompactFormNotAllowed),
        })
    }

    fn read(
        &self,
        value: &str,
        text_of: impl Fn(&IdentityHeader) -> Result<String, Reason>,
    ) -> Received {
        let strictness = self.policy.strictness;
        let mut received = Received::default();
        let header = match IdentityHeader::parse(value, strictness) {
            Ok(header) => header,
            Err(reason) => {
                received.reasons.push(reason);
                return received;
            }
        };
        received.warnings.extend(header.warnings());
        // Types that are not read here are told by the parameter, which a token of such a type must have
        // (SIP-4); nothing else of them is looked at.
        let text = match PassportType::from_ppt(header.ppt()) {
            PassportType::Unsupported => Err(Reason::PptUnsupported),
            _ => text_of(&header),
        };
        match text {
            Ok(token) => {
                received.passport = Passport::parse_with(&token, Strictness::Lenient).ok();
                received.token = Some(token);
            }
            Err(reason) => received.reasons.push(reason),
        }
        if let Some(passport) = &received.passport {
            match header.check_agreement(passport, strictness) {
                Ok(warning) => received.warnings.extend(warning),
                Err(reason) => received.reasons.push(reason),
            }
            let own = self.credentials.certificates(header.info());
            let brings_own = || passport.header_x5c().is_ok_and(|own| own.is_some());
            received.has_credential = own.is_some() || brings_own();
            let nested = passport.nested();
            let nested = nested.filter_map(|inner| self.credentials.certificates(inner.x5u()));
            received.chains = own.into_iter().chain(nested).collect();
        }
        received.header = Some(header);
        received
    }
}

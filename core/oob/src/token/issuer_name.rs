//! The name of a token issuer.

use core::fmt;

use ringtrue_stir::Reason;

use crate::BaseUrl;

/// A host name has at most 253 characters; with brackets and a port 261 are enough.
const MAX_LEN: usize = 261;

/// The name of a token issuer: the authority of its base URL, lower-case, `:port` unless 443.
///
/// It names a service, not a person; [`fmt::Debug`] shows it.
///
/// Source: docs/protocol.md section 19.1 (W-30).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerName(BaseUrl);

impl IssuerName {
    /// Reads a name, as a key statement's `tok` or a challenge holds it.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] unless it is an authority in normal form of at most 261 characters.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.len() > MAX_LEN {
            return Err(Reason::MalformedUrl);
        }
        let base = BaseUrl::parse(&format!("https://{text}"))?;
        if base.authority() == text && base.prefix().is_empty() {
            Ok(Self(base))
        } else {
            Err(Reason::MalformedUrl)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.authority()
    }

    /// Where the issuer is: an issuer's base URL has no path.
    #[must_use]
    pub const fn base_url(&self) -> &BaseUrl {
        &self.0
    }
}

impl fmt::Debug for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerName({})", self.as_str())
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::Reason;

    use super::IssuerName;

    #[test]
    fn a_name_is_an_authority_in_normal_form() {
        for text in [
            "issuer.example",
            "issuer.example:8443",
            "127.0.0.1:9443",
            "[::1]:9443",
        ] {
            let name = IssuerName::parse(text).unwrap();
            assert_eq!(name.as_str(), text);
            assert_eq!(name.base_url().as_str(), format!("https://{text}"));
        }
        let long = format!("{}.example", "a".repeat(260));
        for text in [
            "",
            "Issuer.example",
            "issuer.example:443",
            "issuer.example/",
            "issuer.example/path",
            "https://issuer.example",
            "user@issuer.example",
            "issuer.example?x",
            "issuer example",
            "issuer.example:0",
            long.as_str(),
        ] {
            assert_eq!(
                IssuerName::parse(text),
                Err(Reason::MalformedUrl),
                "{text:?}"
            );
        }
    }
}

//! `lab.toml`: what the commands need to know beside the keys.

use ringtrue_stir::certificate::Profile;
use ringtrue_stir::{Reason, TelephoneNumber, X5u};
use serde::{Deserialize, Serialize};

use crate::LabError;

/// Where a lab's service listens if nothing else is said.
pub const DEFAULT_BASE_URL: &str = "https://localhost:8443";

/// What a lab's certificate references begin with. Nothing is there and nothing is fetched from it:
/// the certificates travel with the tokens.
pub const DEFAULT_X5U_BASE: &str = "https://lab.ringtrue.example";

/// The content of `lab.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabConfig {
    /// Base URL of the placement service and key directory.
    pub base_url: String,
    /// What certificate references begin with, without a slash at the end.
    pub x5u_base: String,
    /// Whether the service takes stores with storage tokens only, which it signs itself.
    pub storage_tokens: bool,
    /// Which addresses and certificates are accepted.
    pub policy: LabPolicy,
}

/// The section `[policy]` of `lab.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabPolicy {
    /// Whether connections to the same machine are allowed.
    pub allow_loopback: bool,
    /// Whether connections to private networks are allowed.
    pub allow_private: bool,
    /// The rules for certificates.
    pub profile: LabProfile,
}

/// The rules for certificates, as `lab.toml` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabProfile {
    /// Certificates of endpoints.
    Delegate,
    /// Service-provider certificates as they are in use.
    Shaken,
    /// RFC 8226 and RFC 9060 as they stand.
    Stir,
}

impl From<LabProfile> for Profile {
    fn from(profile: LabProfile) -> Self {
        match profile {
            LabProfile::Delegate => Self::Delegate,
            LabProfile::Shaken => Self::Shaken,
            LabProfile::Stir => Self::Stir,
        }
    }
}

impl Default for LabConfig {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            x5u_base: DEFAULT_X5U_BASE.to_owned(),
            storage_tokens: false,
            policy: LabPolicy::default(),
        }
    }
}

impl Default for LabPolicy {
    fn default() -> Self {
        Self {
            allow_loopback: true,
            allow_private: false,
            profile: LabProfile::Delegate,
        }
    }
}

impl LabConfig {
    /// The certificate reference of a number: a URL in the form of CRT-40, at which nothing is.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] if the configured beginning is not one.
    pub fn x5u(&self, number: &TelephoneNumber) -> Result<X5u, Reason> {
        // In a URL a number sign begins a fragment.
        let number = number.as_str().replace('#', "%23").replace('*', "%2A");
        X5u::parse(&format!("{}/{number}.pem", self.x5u_base))
    }

    /// Reads `lab.toml`. Members that are absent have their defaults.
    ///
    /// # Errors
    ///
    /// [`LabError::Configuration`] for anything else, unknown members included.
    pub(crate) fn from_toml(text: &str) -> Result<Self, LabError> {
        let config: Self = toml::from_str(text).map_err(|_| LabError::Configuration)?;
        config.checked()
    }

    pub(crate) fn to_toml(&self) -> Result<String, LabError> {
        let members = toml::to_string(self).map_err(|_| LabError::Configuration)?;
        Ok(format!(
            "# A RingTrue laboratory: test keys and certificates, for no real telephone number.\n\n\
             {members}"
        ))
    }

    fn checked(self) -> Result<Self, LabError> {
        let number = TelephoneNumber::from_canonical("0").map_err(LabError::Issuing)?;
        if self.base_url.starts_with("https://") && self.x5u(&number).is_ok() {
            Ok(self)
        } else {
            Err(LabError::Configuration)
        }
    }
}

/// How a lab is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabOptions {
    /// The content of `lab.toml`.
    pub config: LabConfig,
    /// Whether a lab that is in the folder is replaced: new root, new keys. State that endpoints left
    /// there stays.
    pub overwrite: bool,
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::TelephoneNumber;

    use super::{LabConfig, LabProfile};
    use crate::LabError;

    #[test]
    fn an_empty_file_means_the_defaults_and_what_is_written_is_read_back() {
        let default = LabConfig::default();
        assert!(default.policy.allow_loopback && !default.policy.allow_private);
        assert_eq!(LabConfig::from_toml(""), Ok(default.clone()));
        let mut other = default;
        other.base_url = "https://cps.example:9000/prefix".to_owned();
        other.policy.profile = LabProfile::Shaken;
        other.policy.allow_loopback = false;
        assert_eq!(LabConfig::from_toml(&other.to_toml().unwrap()), Ok(other));
    }

    #[test]
    fn refuses_what_is_no_configuration() {
        for text in [
            "base_url = 1",
            "base_url = \"http://localhost\"",
            "base_url = \"\"",
            "x5u_base = \"http://lab.example\"",
            "x5u_base = \"https://lab.example:99\"",
            "x5u_base = \"https://lab.example?q\"",
            "x5u_base = \"\"",
            "unknown = true",
            "[policy]\nallow_everything = true",
            "[policy]\nprofile = \"Delegate\"",
            "[policy]\nallow_loopback = \"yes\"",
            "[",
        ] {
            let found = LabConfig::from_toml(text);
            assert_eq!(found, Err(LabError::Configuration), "{text}");
        }
    }

    #[test]
    fn references_are_urls_for_service_codes_too() {
        let x5u = |number: &str| {
            let number = TelephoneNumber::from_canonical(number).unwrap();
            let x5u = LabConfig::default().x5u(&number).unwrap();
            x5u.as_str().to_owned()
        };
        assert_eq!(
            x5u("12025550143"),
            "https://lab.ringtrue.example/12025550143.pem"
        );
        assert_eq!(x5u("*67#"), "https://lab.ringtrue.example/%2A67%23.pem");
    }
}

//! How the built-in HTTP client connects.

use std::time::Duration;

use ringtrue::AddressPolicy;

use crate::optional::set;

/// How the built-in HTTP client connects.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpSettings {
    /// Roots in addition to the web's, each text PEM with one or more certificates.
    #[uniffi(default)]
    pub extra_roots_pem: Vec<String>,
    /// Whether the roots of the web, as built in, are trusted. They are unless this says no.
    #[uniffi(default)]
    pub web_roots: Option<bool>,
    /// Allows connections to the same machine. For tests.
    #[uniffi(default)]
    pub allow_loopback: bool,
    /// Allows connections to private networks. For services inside one.
    #[uniffi(default)]
    pub allow_private: bool,
    /// The longest time for one connection: name resolution, TCP and TLS.
    #[uniffi(default)]
    pub connect_timeout_ms: Option<u64>,
}

impl HttpSettings {
    pub(crate) fn into_core(self) -> ringtrue::HttpSettings {
        let mut settings = ringtrue::HttpSettings {
            extra_roots_pem: self.extra_roots_pem,
            ..ringtrue::HttpSettings::default()
        };
        if self.allow_loopback {
            settings.addresses = AddressPolicy::allow_loopback(settings.addresses);
        }
        if self.allow_private {
            settings.addresses = AddressPolicy::allow_private(settings.addresses);
        }
        set(&mut settings.web_roots, self.web_roots, |roots| roots);
        set(
            &mut settings.connect_timeout,
            self.connect_timeout_ms,
            Duration::from_millis,
        );
        settings
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue::AddressPolicy;

    use super::HttpSettings;

    fn settings() -> HttpSettings {
        HttpSettings {
            extra_roots_pem: Vec::new(),
            web_roots: None,
            allow_loopback: false,
            allow_private: false,
            connect_timeout_ms: None,
        }
    }

    #[test]
    fn http_settings_without_members_are_the_core_s() {
        let converted = settings().into_core();
        let default = ringtrue::HttpSettings::default();
        assert_eq!(converted.addresses, default.addresses);
        assert_eq!(converted.connect_timeout, default.connect_timeout);
        assert_eq!(converted.extra_roots_pem, default.extra_roots_pem);
        assert_eq!(converted.web_roots, default.web_roots);
    }

    #[test]
    fn every_member_of_http_settings_arrives_where_it_belongs() {
        let converted = HttpSettings {
            extra_roots_pem: vec!["root".to_owned()],
            web_roots: Some(false),
            allow_loopback: true,
            allow_private: false,
            connect_timeout_ms: Some(700),
        }
        .into_core();
        assert_eq!(
            converted.addresses,
            AddressPolicy::public_only().allow_loopback()
        );
        assert_eq!(converted.connect_timeout, Duration::from_millis(700));
        assert_eq!(converted.extra_roots_pem, ["root"]);
        assert!(!converted.web_roots);
        let private = HttpSettings {
            allow_private: true,
            ..settings()
        }
        .into_core();
        assert_eq!(
            private.addresses,
            AddressPolicy::public_only().allow_private()
        );
    }
}

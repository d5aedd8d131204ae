//! A lab's folder: everything a person, or another implementation, needs to try the pieces by hand.

use std::fs;
use std::path::{Path, PathBuf};

use core::time::Duration;

use ringtrue_stir::certificate::{Certificate, CertificateBag};
use ringtrue_stir::tn_auth_list::{Encompass, Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::authority::{INTERMEDIATE_NAME, ROOT_NAME};
use crate::files::{self, Access};
use crate::tls::LOCAL_NAMES;
use crate::{
    Authority, Ca, CaSpec, Credential, LabConfig, LabError, LabOptions, LeafSpec, TlsIdentity,
    Validity, blocks_around, issuing, tls_identity,
};

const CA_KEY: &str = "ca.key";
const CA_PEM: &str = "ca.pem";
const CHAIN_PEM: &str = "chain.pem";
const KEY_PEM: &str = "key.pem";
const LAB_TOML: &str = "lab.toml";
const NUMBER_DIR: &str = "the folder of a number";
const ROOT_KEY: &str = "root.key";
const ROOT_PEM: &str = "root.pem";
const TLS_KEY: &str = "tls.key";
const TLS_PEM: &str = "tls.pem";
const TLS_ROOT_PEM: &str = "tls-root.pem";

/// A TLS certificate that ends sooner is replaced when numbers are added.
const TLS_RENEWAL: Duration = Duration::from_secs(30 * 86_400);

/// A lab in a folder.
///
/// | File | Content |
/// |---|---|
/// | `root.pem`, `root.key` | test STI anchor |
/// | `ca.pem`, `ca.key` | intermediate; its TNAuthList holds the block of 100 around each number |
/// | `N/chain.pem`, `N/key.pem` | per number: delegate certificate then intermediate, PKCS#8 key |
/// | `N/state/` | made by endpoints, not here |
/// | `tls-root.pem`, `tls.pem`, `tls.key` | for `localhost`, `127.0.0.1` and `::1` |
/// | `lab.toml` | [`LabConfig`] |
/// | `bundle.key` | signs trust bundles; made with the first one |
///
/// Private keys are readable by their owner only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    dir: PathBuf,
    config: LabConfig,
}

impl Lab {
    /// Makes a lab for `numbers` in `dir`, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// [`LabError::Exists`] if there is one already and [`LabOptions::overwrite`] is off;
    /// [`LabError::Issuing`] without a number or for a time beyond the year 9999;
    /// [`LabError::Configuration`] for a configuration that could not be read back;
    /// [`LabError::Io`] if the folder cannot be written.
    pub fn create(
        dir: impl Into<PathBuf>,
        numbers: &[TelephoneNumber],
        options: &LabOptions,
        now: UnixTime,
    ) -> Result<Self, LabError> {
        let dir = dir.into();
        let exists = [LAB_TOML, ROOT_KEY]
            .iter()
            .any(|file| dir.join(file).exists());
        if exists && !options.overwrite {
            return Err(LabError::Exists);
        }
        let config = options.config.to_toml()?;
        let lab = Self {
            config: LabConfig::from_toml(&config)?,
            dir,
        };
        let authority = Authority::for_numbers(numbers, now).map_err(LabError::Issuing)?;
        let tls = tls_identity(&LOCAL_NAMES, now).map_err(LabError::Issuing)?;
        fs::create_dir_all(&lab.dir).map_err(files::failed("the folder"))?;
        lab.write_ca(ROOT_PEM, ROOT_KEY, &authority.root)?;
        lab.write_ca(CA_PEM, CA_KEY, &authority.intermediate)?;
        lab.write_tls(&tls)?;
        for number in numbers {
            lab.write_credential(number, &issue(&authority, number, None, now)?)?;
        }
        // The last file: a folder with it is complete.
        files::write(&lab.dir, LAB_TOML, &config, Access::Default)?;
        Ok(lab)
    }

    /// Opens the lab in `dir`.
    ///
    /// # Errors
    ///
    /// [`LabError::Io`] if there is none, [`LabError::Configuration`] if its `lab.toml` is damaged.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, LabError> {
        let dir = dir.into();
        let config = LabConfig::from_toml(&files::read(&dir, LAB_TOML)?)?;
        Ok(Self { dir, config })
    }

    /// Adds `numbers`, or renews the certificates of those that are there, with their old keys.
    ///
    /// The root stays, so that whoever trusts the lab need not be told. The intermediate keeps its key
    /// and is issued anew if its scope lacks a block or it ends before the new certificates do.
    ///
    /// # Errors
    ///
    /// As [`Lab::create`], and [`LabError::Damaged`] for files that are not what a lab wrote.
    pub fn add_numbers(&self, numbers: &[TelephoneNumber], now: UnixTime) -> Result<(), LabError> {
        let mut authority = self.authority()?;
        if let Some(spec) = renewed_intermediate(&authority, numbers, now)? {
            let key = self.key(CA_KEY, &self.dir)?;
            authority.intermediate = authority
                .root
                .subordinate_with_key(&spec, key)
                .map_err(LabError::Issuing)?;
            let pem = authority.intermediate.pem();
            files::write(&self.dir, CA_PEM, &pem, Access::Default)?;
        }
        for number in numbers {
            let dir = self.number_dir(number);
            let old_key = if dir.join(KEY_PEM).exists() {
                Some(self.key(KEY_PEM, &dir)?)
            } else {
                None
            };
            let credential = issue(&authority, number, old_key.as_ref(), now)?;
            self.write_credential(number, &credential)?;
        }
        if certificate(TLS_PEM, &self.dir)?.not_after() < now.plus(TLS_RENEWAL) {
            self.write_tls(&tls_identity(&LOCAL_NAMES, now).map_err(LabError::Issuing)?)?;
        }
        Ok(())
    }

    /// The content of `lab.toml`.
    #[must_use]
    pub const fn config(&self) -> &LabConfig {
        &self.config
    }

    /// The lab's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of a number, whether it exists or not.
    #[must_use]
    pub fn number_dir(&self, number: &TelephoneNumber) -> PathBuf {
        self.dir.join(number.as_str())
    }

    /// The folder for the state of a number's endpoint, whether it exists or not.
    #[must_use]
    pub fn state_dir(&self, number: &TelephoneNumber) -> PathBuf {
        self.number_dir(number).join("state")
    }

    /// The numbers that the lab has certificates for, sorted.
    ///
    /// # Errors
    ///
    /// [`LabError::Io`] if the folder cannot be read.
    pub fn numbers(&self) -> Result<Vec<TelephoneNumber>, LabError> {
        let failed = files::failed("the folder");
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let name = entry.file_name();
            let number = name
                .to_str()
                .and_then(|name| TelephoneNumber::from_canonical(name).ok());
            if let Some(number) = number
                && entry.path().join(CHAIN_PEM).exists()
            {
                numbers.push(number);
            }
        }
        numbers.sort();
        Ok(numbers)
    }

    /// The credential of a number.
    ///
    /// # Errors
    ///
    /// [`LabError::UnknownNumber`] if the lab has none, [`LabError::Io`] or [`LabError::Damaged`] for
    /// its files.
    pub fn credential(&self, number: &TelephoneNumber) -> Result<Credential, LabError> {
        let dir = self.number_dir(number);
        if !dir.join(CHAIN_PEM).exists() {
            return Err(LabError::UnknownNumber);
        }
        let key = self.key(KEY_PEM, &dir)?;
        let chain_pem = files::read(&dir, CHAIN_PEM)?.to_string();
        let bag = CertificateBag::from_pem(&chain_pem).map_err(damaged(CHAIN_PEM))?;
        Ok(Credential {
            chain_der: bag
                .certificates()
                .iter()
                .map(|certificate| certificate.der().to_vec())
                .collect(),
            chain_pem,
            key_pem: issuing::key_pem(&key),
            secret: issuing::secret_of(&key).map_err(damaged(KEY_PEM))?,
        })
    }

    /// The STI anchor, PEM.
    ///
    /// # Errors
    ///
    /// [`LabError::Io`] if it cannot be read.
    pub fn anchor_pem(&self) -> Result<String, LabError> {
        Ok(files::read(&self.dir, ROOT_PEM)?.to_string())
    }

    /// The TLS certificate of the lab's service and the root to trust for it.
    ///
    /// # Errors
    ///
    /// [`LabError::Io`] if they cannot be read.
    pub fn tls_identity(&self) -> Result<TlsIdentity, LabError> {
        Ok(TlsIdentity {
            chain_pem: files::read(&self.dir, TLS_PEM)?.to_string(),
            key_pem: files::read(&self.dir, TLS_KEY)?,
            root_pem: files::read(&self.dir, TLS_ROOT_PEM)?.to_string(),
        })
    }

    /// Root and intermediate with their keys, to issue more.
    ///
    /// # Errors
    ///
    /// [`LabError::Io`] or [`LabError::Damaged`] for their files.
    pub fn authority(&self) -> Result<Authority, LabError> {
        let root = certificate(ROOT_PEM, &self.dir)?.der().to_vec();
        let ca = certificate(CA_PEM, &self.dir)?.der().to_vec();
        let root_key = self.key(ROOT_KEY, &self.dir)?;
        let ca_key = self.key(CA_KEY, &self.dir)?;
        Ok(Authority {
            root: Ca::from_parts(ROOT_NAME, root_key, root, Vec::new()),
            intermediate: Ca::from_parts(INTERMEDIATE_NAME, ca_key, ca.clone(), vec![ca]),
        })
    }

    fn key(&self, file: &'static str, dir: &Path) -> Result<rcgen::KeyPair, LabError> {
        issuing::key_from_pem(&files::read(dir, file)?).map_err(damaged(file))
    }

    fn write_ca(
        &self,
        pem_file: &'static str,
        key_file: &'static str,
        ca: &Ca,
    ) -> Result<(), LabError> {
        files::write(&self.dir, key_file, &ca.key_pem(), Access::Owner)?;
        files::write(&self.dir, pem_file, &ca.pem(), Access::Default)
    }

    fn write_tls(&self, tls: &TlsIdentity) -> Result<(), LabError> {
        files::write(&self.dir, TLS_ROOT_PEM, &tls.root_pem, Access::Default)?;
        files::write(&self.dir, TLS_KEY, &tls.key_pem, Access::Owner)?;
        files::write(&self.dir, TLS_PEM, &tls.chain_pem, Access::Default)
    }

    fn write_credential(
        &self,
        number: &TelephoneNumber,
        credential: &Credential,
    ) -> Result<(), LabError> {
        let dir = self.number_dir(number);
        fs::create_dir_all(&dir).map_err(files::failed(NUMBER_DIR))?;
        files::write(&dir, KEY_PEM, &credential.key_pem, Access::Owner)?;
        files::write(&dir, CHAIN_PEM, &credential.chain_pem, Access::Default)
    }
}

fn damaged(file: &'static str) -> impl Fn(Reason) -> LabError {
    move |reason| LabError::Damaged { file, reason }
}

/// The first certificate of a file.
fn certificate(file: &'static str, dir: &Path) -> Result<Certificate, LabError> {
    CertificateBag::from_pem(&files::read(dir, file)?)
        .and_then(|bag| {
            let first = bag.certificates().first().cloned();
            first.ok_or(Reason::MalformedPem)
        })
        .map_err(damaged(file))
}

fn issue(
    authority: &Authority,
    number: &TelephoneNumber,
    key: Option<&rcgen::KeyPair>,
    now: UnixTime,
) -> Result<Credential, LabError> {
    let spec = LeafSpec::for_number(number, now);
    match key {
        Some(key) => authority.intermediate.issue_with_key(&spec, key),
        None => authority.intermediate.issue(&spec),
    }
    .map_err(LabError::Issuing)
}

/// What the intermediate has to say so that it may delegate `numbers` too; nothing if it does already.
fn renewed_intermediate(
    authority: &Authority,
    numbers: &[TelephoneNumber],
    now: UnixTime,
) -> Result<Option<CaSpec>, LabError> {
    let current = Certificate::from_der(authority.intermediate.der()).map_err(damaged(CA_PEM))?;
    let mut entries: Vec<Entry> = current
        .tn_auth_list()
        .map(|list| list.entries().to_vec())
        .unwrap_or_default();
    let wanted = blocks_around(numbers);
    let is_covered = match (current.tn_auth_list(), TnAuthList::new(wanted.clone())) {
        (Some(list), Ok(wanted)) => list.encompasses(&wanted) == Encompass::Inside,
        _ => wanted.is_empty(),
    };
    if is_covered && current.not_after() >= Validity::of_leaf(now).not_after {
        return Ok(None);
    }
    for entry in wanted {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let scope = TnAuthList::new(entries).map_err(LabError::Issuing)?;
    Ok(Some(CaSpec::new(Some(scope), now)))
}

//! Who takes part: the caller C, the callee D, the attacker with a number M of its own and, in some
//! worlds, K, whom the certificate authorities trust with D's number as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringtrue_lab::{Authority, Credential as LabCredential, LeafSpec};
use ringtrue_oob::http::directory;
use ringtrue_oob::statement::{KeyStatement, StatementDraft};
use ringtrue_oob::{BaseUrl, Destination, RecipientKey, Suite};
use ringtrue_session::{
    Action, Context, ContextBuilder, Credential, Input, LookupSession, Monotonic, Now, PeerKeys,
    Policy, PublishMode, PublishSession, Role, Saved, Services, Session, Step, WallClock,
};
use ringtrue_stir::crypto::{
    CryptoProvider as _, Curve, DeviceSignature, P256PublicKey, SecretKey,
};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{TelephoneNumber, UnixTime, X5u, base64url};
use zeroize::Zeroizing;

use crate::symbolic::SymbolicCrypto;

/// What the calendar shows when the monotonic clock shows nought: a whole second.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// Where every party's certificates are said to be. Nobody fetches.
pub(crate) const X5U: &str = "https://certs.example/chain.pem";

/// A party with a number and a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    /// The caller.
    C,
    /// The callee.
    D,
    /// The attacker, at the number that it rightly has.
    M,
}

impl Who {
    pub(crate) const ALL: [Self; 3] = [Self::C, Self::D, Self::M];

    pub(crate) const fn digits(self) -> &'static str {
        match self {
            Self::C => "12025550143",
            Self::D => "12025550199",
            Self::M => "12025550111",
        }
    }

    pub(crate) fn number(self) -> TelephoneNumber {
        TelephoneNumber::from_canonical(self.digits()).unwrap()
    }

    pub(crate) fn destination(self) -> Destination {
        Destination::TelephoneNumber(self.number())
    }

    pub(crate) const fn authority(self) -> &'static str {
        match self {
            Self::C => "cps-c.example",
            Self::D => "cps-d.example",
            Self::M => "cps-m.example",
        }
    }

    pub(crate) fn service(self) -> BaseUrl {
        BaseUrl::parse(&format!("https://{}", self.authority())).unwrap()
    }

    /// Whose mailbox a request is about.
    pub(crate) fn of_url(url: &str) -> Self {
        let of = Self::ALL
            .into_iter()
            .find(|who| url.contains(who.authority()));
        let who = of.unwrap();
        assert!(
            url.contains(who.digits()),
            "a number is looked for at its own service"
        );
        who
    }
}

/// The times that a session is told when `ms` have passed since the world began.
pub(crate) fn now(ms: u64) -> Now {
    Now {
        monotonic: Monotonic::from_ms(ms),
        wall: WallClock::UnixMs(START_MS + ms),
    }
}

pub(crate) fn unix(ms: u64) -> UnixTime {
    UnixTime::from_secs((START_MS + ms) / 1000)
}

/// A certificate with its private key.
pub(crate) struct Signer {
    pub(crate) credential: LabCredential,
    pub(crate) public: P256PublicKey,
}

impl Signer {
    fn new(authority: &Authority, who: Who) -> Self {
        let scope = TnAuthList::new(vec![Entry::One(who.number())]).unwrap();
        let spec = LeafSpec::for_scope(Some(scope), unix(0));
        let credential = authority.issue(&spec).unwrap();
        let bag = credential.bag().unwrap();
        let public = *bag.certificates()[0].public_key().unwrap();
        Self { credential, public }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> DeviceSignature {
        DeviceSignature::Raw(
            SymbolicCrypto::signature_by(&self.public, message)
                .as_raw()
                .to_vec(),
        )
    }

    pub(crate) fn x5c(&self) -> Vec<String> {
        self.credential.bag().unwrap().to_x5c()
    }
}

/// A key that opens blobs.
pub(crate) struct Opener {
    pub(crate) key: RecipientKey,
    pub(crate) secret: SecretKey,
}

/// One party.
pub(crate) struct Party {
    pub(crate) signer: Signer,
    pub(crate) context: Arc<Context>,
    /// The state records that the sessions of this model read. What they write is not kept: nothing
    /// in the model depends on it.
    pub(crate) records: BTreeMap<String, Vec<u8>>,
    pub(crate) opener: Opener,
    /// The key statement, as a directory has it.
    statement: String,
}

/// Everybody.
pub(crate) struct Cast {
    pub(crate) crypto: Arc<SymbolicCrypto>,
    pub(crate) c: Party,
    pub(crate) d: Party,
    pub(crate) m: Party,
    /// The key of K, a second holder of a credential for D's number.
    pub(crate) k_opener: Opener,
    /// What C knows of D's keys: D's alone, and with K's.
    pub(crate) keys_of_d: [PeerKeys; 2],
    /// What C knows of M's keys.
    pub(crate) keys_of_m: PeerKeys,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let crypto = Arc::new(SymbolicCrypto::default());
        let numbers = Who::ALL.map(Who::number);
        let authority = Authority::for_numbers(&numbers, unix(0)).unwrap();
        let [c, d, m] = Who::ALL.map(|who| Party::new(&crypto, &authority, who));
        let k = Signer::new(&authority, Who::D);
        let (k_opener, k_statement) = second_reader(&crypto, &k);
        let found = |texts: &[&str], of| look_up(&c, of, texts);
        let keys_of_d = [
            found(&[&d.statement], Who::D),
            found(&[&k_statement, &d.statement], Who::D),
        ];
        let keys_of_m = found(&[&m.statement], Who::M);
        Self {
            crypto,
            c,
            d,
            m,
            k_opener,
            keys_of_d,
            keys_of_m,
        }
    }

    pub(crate) const fn party(&self, who: Who) -> &Party {
        match who {
            Who::C => &self.c,
            Who::D => &self.d,
            Who::M => &self.m,
        }
    }
}

impl Party {
    fn new(crypto: &Arc<SymbolicCrypto>, authority: &Authority, who: Who) -> Self {
        let signer = Signer::new(authority, who);
        let mut policy = Policy::default();
        policy.suites = vec![Suite::S2];
        let builder = ContextBuilder {
            provider: Arc::clone(crypto) as _,
            anchors: authority.anchors().unwrap(),
            policy,
            numbers: vec![who.number()],
            services: Services {
                own: vec![who.service()],
                directory: BaseUrl::parse("https://keys.example").unwrap(),
                placement: None,
                mirror: None,
            },
            credential: Some(Credential::new(signer.credential.bag().unwrap(), X5U).unwrap()),
            hardware_key: None,
        };
        let context = Arc::new(builder.build(Some(unix(0))).unwrap());
        crypto.draw_from(format!("keys of {who:?}").as_bytes());
        let session = PublishSession::new(
            Arc::clone(&context),
            PublishMode::Publish,
            Monotonic::from_ms(9000),
        );
        let mut records = BTreeMap::new();
        let mut statement = String::new();
        let published = run(session, &signer, &mut records, |id, role, body| {
            assert_eq!(role, Role::Publish);
            String::from_utf8(body.to_vec())
                .unwrap()
                .clone_into(&mut statement);
            Input::Response(id, Ok(directory::encode_published()))
        });
        published.unwrap();
        let opener = opener(&records);
        Self {
            signer,
            context,
            records,
            opener,
            statement,
        }
    }
}

/// The current key in the record of the own keys.
fn opener(records: &BTreeMap<String, Vec<u8>>) -> Opener {
    let (_, record) = records
        .iter()
        .find(|(name, _)| name.starts_with("keys."))
        .unwrap();
    let record: serde_json::Value = serde_json::from_slice(record).unwrap();
    let octets =
        |member: &str| base64url::decode(record["current"][0][member].as_str().unwrap()).unwrap();
    Opener {
        key: RecipientKey::new(Suite::S2, &octets("public")).unwrap(),
        secret: SecretKey::from_slice(&octets("secret")).unwrap(),
    }
}

/// The key and the statement by which K reads what is meant for D.
fn second_reader(crypto: &Arc<SymbolicCrypto>, k: &Signer) -> (Opener, String) {
    crypto.draw_from(b"keys of K");
    let generated = crypto.generate(Curve::X25519).unwrap();
    let key = RecipientKey::new(Suite::S2, &generated.public).unwrap();
    let draft = StatementDraft {
        iat: unix(0),
        exp: UnixTime::from_secs(unix(0).as_secs() + 3600),
        seq: 1,
        numbers: vec![Who::D.number()],
        cps: vec![Who::D.service()],
        keys: vec![key.clone()],
        prev: None,
        tok: None,
    };
    let x5u = X5u::parse(X5U).unwrap();
    let unsigned = draft.build(&x5u, &k.credential.bag().unwrap()).unwrap();
    let sign = |input: &str| SymbolicCrypto::signature_by(&k.public, input.as_bytes());
    let directory = sign(unsigned.directory_signing_input());
    let inline = sign(unsigned.inline_signing_input());
    let signed = unsigned
        .complete(crypto.as_ref(), &k.public, &directory, &inline)
        .unwrap();
    KeyStatement::parse(&signed.directory).unwrap();
    let opener = Opener {
        key,
        secret: generated.secret,
    };
    (opener, signed.directory)
}

fn look_up(by: &Party, of: Who, texts: &[&str]) -> PeerKeys {
    let session = LookupSession::new(
        Arc::clone(&by.context),
        of.number(),
        true,
        Monotonic::from_ms(9000),
    );
    let answer = directory::encode_statements(texts);
    let found = run(session, &by.signer, &mut BTreeMap::new(), |id, role, _| {
        assert_eq!(role, Role::Lookup);
        Input::Response(id, Ok(answer.clone()))
    });
    assert_eq!(found.notices, []);
    found.keys
}

/// Runs a session that only prepares the world to its end, at the beginning of time.
fn run<S: Session>(
    mut session: S,
    signer: &Signer,
    records: &mut BTreeMap<String, Vec<u8>>,
    mut asked: impl FnMut(ringtrue_session::ActionId, Role, &[u8]) -> Input,
) -> S::Output {
    loop {
        let input = match session.next(now(0)) {
            Step::Act(Action::Request {
                id, role, request, ..
            }) => asked(id, role, &request.body),
            Step::Act(Action::Sign { id, message }) => {
                Input::Signature(id, Ok(signer.sign(&message)))
            }
            Step::Act(Action::Load { id, record }) => {
                let value = records.get(record.as_str()).cloned();
                Input::Loaded(id, Ok(value.map(Zeroizing::new)))
            }
            Step::Act(Action::Save {
                id, record, value, ..
            }) => {
                records.insert(record.as_str().to_owned(), value.to_vec());
                Input::Saved(id, Ok(Saved::Written))
            }
            Step::Act(Action::Claim { id, .. }) => Input::Claimed(id, Ok(true)),
            Step::Done(output) => return output,
            other => panic!("nothing to prepare with {}", name_of(&other)),
        };
        session.input(input, now(0));
    }
}

fn name_of<O, R>(step: &Step<O, R>) -> &'static str {
    match step {
        Step::Act(_) => "this action",
        Step::Report(_) => "a report",
        Step::Wait(_) => "a wait",
        _ => "the end",
    }
}

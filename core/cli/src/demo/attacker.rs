//! What somebody without the right keys can do: everything that the service lets anybody do, with
//! messages made by the same libraries.

use std::sync::Arc;

use ringtrue::{BaseUrl, HttpRequest, HttpResponse, Reason, TelephoneNumber};
use ringtrue_lab::Credential;
use ringtrue_net::{AwsLcCrypto, HttpClient, Role};
use ringtrue_oob::http::directory;
use ringtrue_oob::http::placement::{self, RetrieveForm};
use ringtrue_oob::statement::{KeyStatement, VerifiedStatement, VerifyStatement};
use ringtrue_oob::token::issuance::{self, AuthorizationDraft};
use ringtrue_oob::token::issuer_directory::{self, ROTATION};
use ringtrue_oob::token::redemption::{self, StoreProof};
use ringtrue_oob::token::{IssuerName, OneTimeKey, PendingToken, TokenChallenge};
use ringtrue_oob::{Blob, CallNonce, Content, Destination, seal};
use ringtrue_stir::certificate::Profile;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey};
use ringtrue_stir::passport::{Destinations, Identity, PassportBuilder, UnsignedPassport};

use super::world::{PATIENCE, SUITE, Stage, World};
use crate::exit::Failure;
use crate::settings::unix_now;

/// Room for a whole mailbox.
const MAX_ANSWER: usize = placement::MAX_ANSWER_LEN;

/// Somebody with an HTTP client.
pub(super) struct Attacker {
    client: HttpClient,
    base: BaseUrl,
    stage: Arc<Stage>,
}

impl Attacker {
    /// At the service of `world`.
    pub(super) fn at(world: &World) -> Result<Self, Failure> {
        Ok(Self {
            client: world.stage.client()?,
            base: world.service.base_url().clone(),
            stage: Arc::clone(&world.stage),
        })
    }

    async fn send(&self, role: Role, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let sending = self.client.execute(role, request, MAX_ANSWER);
        tokio::time::timeout(PATIENCE, sending)
            .await
            .unwrap_or(Err(Reason::DeadlinePassed))
            .map_err(Failure::of("asking the service"))
    }

    /// Fetches a mailbox: the service asks nobody who he is.
    pub(super) async fn fetch(&self, number: &TelephoneNumber) -> Result<Vec<Blob>, Failure> {
        let request = placement::encode_retrieve(&self.base, number, RetrieveForm::Blobs);
        let answer = self.send(Role::Retrieve, request).await?;
        let retrieved = placement::decode_blobs(&answer);
        Ok(retrieved.map_err(Failure::of("fetching a mailbox"))?.blobs)
    }

    /// Copies everything that lies in one mailbox to another. Which of it is real cannot be told.
    pub(super) async fn copy(
        &self,
        from: &TelephoneNumber,
        to: &TelephoneNumber,
    ) -> Result<(), Failure> {
        let mut blobs = self.fetch(from).await?;
        // The telephones have keys of this suite; the service takes no blob of another for them,
        // and so all of another suite are dummies.
        blobs.retain(|blob| blob.suite() == SUITE);
        self.leave(to, &blobs).await
    }

    /// Leaves blobs for a number; all of them, in as many requests as it takes.
    pub(super) async fn leave(
        &self,
        number: &TelephoneNumber,
        blobs: &[Blob],
    ) -> Result<(), Failure> {
        for some in blobs.chunks(placement::MAX_STORE_BLOBS) {
            let mut request = placement::encode_store(&self.base, number, some)
                .map_err(Failure::of("leaving blobs"))?;
            request.headers.extend(self.payment(number, some).await?);
            let answer = self.send(Role::Store, request).await?;
            placement::decode_stored(&self.base, &answer, some.len())
                .map_err(Failure::of("leaving blobs"))?;
        }
        Ok(())
    }

    /// What pays for a store: a storage token, which Mallory gets like anybody who has a number.
    async fn payment(
        &self,
        number: &TelephoneNumber,
        blobs: &[Blob],
    ) -> Result<Vec<(String, String)>, Failure> {
        let failed = Failure::of("getting a storage token");
        let issuer = IssuerName::parse(self.base.authority()).map_err(&failed)?;
        let shown = issuer_directory::encode_request(&self.base);
        let shown = self.send(Role::Configuration, shown).await?;
        let directory = issuer_directory::decode(&issuer, &shown).map_err(&failed)?;
        let key = directory.current(unix_now(), ROTATION).map_err(&failed)?;
        let challenge = TokenChallenge::new(&issuer, self.base.authority()).map_err(&failed)?;
        let pending = OneTimeKey::generate(&AwsLcCrypto)
            .and_then(|one_time| PendingToken::new(&AwsLcCrypto, &key.key, &challenge, one_time))
            .map_err(&failed)?;
        let body = issuance::request_body(&pending);
        let authorization = self.authorization(&issuer, &body).map_err(&failed)?;
        let asked = issuance::encode_request(&directory.request_url, &authorization, body);
        let answer = self.send(Role::Issue, asked).await?;
        let destination = Destination::TelephoneNumber(number.clone());
        issuance::decode_response(&answer)
            .and_then(|signature| pending.complete(&signature))
            .and_then(|(token, one_time)| {
                StoreProof::new(self.base.authority(), &destination, blobs)?.redeem(
                    &AwsLcCrypto,
                    &token,
                    &one_time,
                    0,
                )
            })
            .and_then(|redemption| redemption::encode(&[redemption]))
            .map_err(&failed)
    }

    /// Mallory's credential asks for a token.
    fn authorization(&self, issuer: &IssuerName, body: &[u8]) -> Result<String, Reason> {
        let credential = self
            .stage
            .credential(&self.stage.mallory)
            .map_err(|_| Reason::CredentialMissing)?;
        let unsigned = AuthorizationDraft {
            issuer,
            number: &self.stage.mallory,
            now: unix_now(),
            body,
        }
        .build(&AwsLcCrypto, &credential.bag()?)?;
        let input = unsigned.signing_input().as_bytes();
        let signature = AwsLcCrypto.sign_es256(&credential.secret, input)?;
        let public = AwsLcCrypto.public_key(Curve::P256, &credential.secret)?;
        let public = P256PublicKey::from_sec1(&public)?;
        unsigned.complete(&AwsLcCrypto, &public, &signature)
    }

    /// Seals `content` to every key that `number` has published and leaves it there.
    pub(super) async fn leave_sealed(
        &self,
        number: &TelephoneNumber,
        content: &Content,
    ) -> Result<(), Failure> {
        let octets = content.to_octets().map_err(Failure::of("the content"))?;
        let destination = Destination::TelephoneNumber(number.clone());
        let mut blobs = Vec::new();
        for statement in self.look_up(number).await? {
            for key in statement.recipients() {
                let blob = seal(&AwsLcCrypto, key, &destination, &octets);
                blobs.push(blob.map_err(Failure::of("sealing"))?);
            }
        }
        self.leave(number, &blobs).await
    }

    /// The published keys of a number.
    async fn look_up(&self, number: &TelephoneNumber) -> Result<Vec<VerifiedStatement>, Failure> {
        let request = directory::encode_lookup(&self.base, number);
        let answer = self.send(Role::Lookup, request).await?;
        let anchors = self.stage.authority.anchors();
        let anchors = anchors.map_err(Failure::of("the anchors"))?;
        directory::decode_statements(&answer)
            .and_then(|texts| {
                texts
                    .iter()
                    .map(|text| {
                        KeyStatement::parse(text)?.verify(&VerifyStatement {
                            provider: &AwsLcCrypto,
                            anchors: &anchors,
                            rules: Profile::Delegate.into(),
                            number,
                            bag: None,
                            now: unix_now(),
                        })
                    })
                    .collect()
            })
            .map_err(Failure::of("looking up keys"))
    }

    /// Content with this token, its signer's certificates and everything else as it should be.
    pub(super) fn content(
        &self,
        token: String,
        credential: &Credential,
        call: CallNonce,
    ) -> Result<Content, Failure> {
        let bag = credential.bag().map_err(Failure::of("certificates"))?;
        Ok(Content {
            ppts: vec![token],
            x5c: bag.to_x5c(),
            cps: Some(self.base.authority().to_owned()),
            ..Content::new(call)
        })
    }

    /// "`orig` calls `dest`", signed with whatever key there is.
    pub(super) fn forge(
        &self,
        orig: &TelephoneNumber,
        dest: &TelephoneNumber,
        credential: &Credential,
    ) -> Result<String, Failure> {
        let unsigned = PassportBuilder::base(
            &Identity::Tn(orig.clone()),
            Destinations::of(dest.clone()),
            unix_now(),
            &self.stage.x5u(orig)?,
        )
        .build()
        .map_err(Failure::of("a PASSporT"))?;
        signed(unsigned, credential)
    }
}

/// Signs with the key of `credential`.
pub(super) fn signed(
    unsigned: UnsignedPassport,
    credential: &Credential,
) -> Result<String, Failure> {
    ringtrue::SoftwareSigner::from_pkcs8_pem(&credential.key_pem)
        .and_then(|signer| unsigned.sign(&AwsLcCrypto, &signer))
        .map_err(Failure::of("signing"))
}

/// A fresh call attempt.
pub(super) fn new_call() -> Result<CallNonce, Failure> {
    CallNonce::generate(&AwsLcCrypto).map_err(Failure::of("randomness"))
}

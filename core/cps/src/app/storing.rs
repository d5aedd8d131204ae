//! Stores, with and without storage tokens, and the tokens for them.

use hyper::header::HeaderMap;
use ringtrue_oob::Blob;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::{HttpResponse, placement};
use ringtrue_oob::token::redemption::Redemption;
use ringtrue_stir::{Reason, TelephoneNumber};

use super::{App, lock};
use crate::tokens::issuer::{Issuer, Judge};
use crate::tokens::price::{price, units_of};
use crate::tokens::redemption::{Outcome, RedemptionDesk};

impl App {
    pub(super) fn store(
        &self,
        number: &TelephoneNumber,
        content_type: Option<&str>,
        body: &[u8],
        redemptions: &[Redemption],
    ) -> Result<HttpResponse, HttpResponse> {
        let blobs = placement::decode_store(content_type, body).map_err(Problem::encode);
        let now_ms = self.clock.steady_ms();
        let Some(desk) = self.desk() else {
            return self.store_blobs(number, blobs?, now_ms, None);
        };
        let paid = self.redeem(desk, number, blobs, redemptions, now_ms);
        if let Err(refusal) = &paid
            && refusal.status == Problem::TokenRejected.status()
        {
            self.metrics.token_refusals.inc();
        }
        paid
    }

    /// Stores for tokens: what the tokens say first, then the body, then whether they were spent, then
    /// the price, then the suites (docs/protocol.md section 19.1).
    fn redeem(
        &self,
        desk: &RedemptionDesk,
        number: &TelephoneNumber,
        blobs: Result<Vec<Blob>, HttpResponse>,
        redemptions: &[Redemption],
        now_ms: u64,
    ) -> Result<HttpResponse, HttpResponse> {
        let now = self.now();
        let blobs = match blobs {
            Ok(blobs) => blobs,
            Err(refusal) => {
                desk.check_tokens(redemptions, now)?;
                return Err(refusal);
            }
        };
        let tokens = desk.check(&*self.provider.0, number, &blobs, redemptions, now)?;
        desk.spend(&tokens, now_ms, |paid| {
            match self.store_blobs(number, blobs, now_ms, Some(paid)) {
                Ok(answer) => {
                    let spent = u64::try_from(paid).unwrap_or_default();
                    self.metrics.tokens_spent.inc_by(spent);
                    Outcome::Done(answer)
                }
                Err(refusal) => Outcome::NotDone(refusal),
            }
        })
    }

    /// Stores blobs, for the price if there is one. Price and store are one step: nobody comes between.
    fn store_blobs(
        &self,
        number: &TelephoneNumber,
        blobs: Vec<Blob>,
        now_ms: u64,
        paid: Option<usize>,
    ) -> Result<HttpResponse, HttpResponse> {
        let count = u64::try_from(blobs.len()).unwrap_or_default();
        let units = blobs.iter().map(units_of).sum();
        let stored = {
            let mut placement = lock(&self.placement);
            let price = price(placement.load(number, now_ms), units);
            let paid = paid.map(|paid| u32::try_from(paid).unwrap_or(u32::MAX));
            if paid.is_some_and(|paid| paid < price) {
                self.metrics.prices_named.inc();
                return Err(Problem::encode_price(price));
            }
            placement.store(number, blobs, now_ms)
        };
        match stored {
            Ok(ids) => {
                self.metrics.stores.inc();
                self.metrics.blobs_stored.inc_by(count);
                Ok(placement::encode_stored(&self.prefix, number, &ids))
            }
            Err(Reason::MalformedBlob) => Err(Problem::MalformedBlob.encode()),
            Err(_) => Err(Problem::Unavailable.encode_with_retry_after(self.lifetime)),
        }
    }

    pub(super) fn issuer_directory(
        &self,
        accept: Option<&str>,
    ) -> Result<HttpResponse, HttpResponse> {
        self.issuer()
            .ok_or_else(|| Problem::NotFound.encode())?
            .directory(accept)
    }

    pub(super) fn sign_token(
        &self,
        headers: &HeaderMap,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let issuer = self.issuer().ok_or_else(|| Problem::NotFound.encode())?;
        let judge = Judge {
            provider: &*self.provider.0,
            anchors: &self.anchors,
            rules: self.profile.into(),
            now: self.now(),
        };
        let authorization = headers
            .get(hyper::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let answer = issuer.sign(&judge, content_type, authorization, body)?;
        self.metrics.tokens_issued.inc();
        Ok(answer)
    }

    pub(super) fn desk(&self) -> Option<&RedemptionDesk> {
        self.tokens.as_ref()?.desk()
    }

    pub(super) fn issuer(&self) -> Option<&Issuer> {
        self.tokens.as_ref()?.issuer()
    }
}

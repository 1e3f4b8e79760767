//! Sealed tokens: what the gateway gives to a caller to be handed back to any replica.
//!
//! A token is encrypted and authenticated, bound to what it was given for, and dated. It holds no
//! authority: whoever presents it must still be allowed what he asks.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const DATE: usize = 8;
/// Room for a hundred signed ARM operation URLs of 4 KiB, or for what was told of thousands of points.
const LONGEST: usize = 1024 * 1024;

/// What a token is for: one given as the one cannot be used as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The next page of a list.
    Page,
    /// The resumption of a watch.
    Resume,
}

/// Why a token was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// Forged, damaged, of another key, another purpose or another request.
    Foreign,
    /// Once valid.
    Expired,
}

/// Seals and opens tokens with a key that all replicas share.
pub struct Sealer {
    key: RandomizedNonceKey,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// A sealer whose key is derived from `secret`, which may be of any length.
    ///
    /// # Errors
    /// When the cryptography library refuses a key of the right length, which it does not.
    pub fn new(secret: &[u8]) -> Result<Self, String> {
        let key = digest(&SHA256, &[b"restore-point-gateway token v1\0", secret].concat());
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_ref())
            .map_err(|_| "the token key cannot be set up".to_owned())?;
        Ok(Self { key })
    }

    /// A sealer with a key that nobody else has: its tokens die with this process.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, String> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| "no randomness".to_owned())?;
        Self::new(&secret)
    }

    /// Seals `content`, bound to `purpose` and to `request`.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn seal(
        &self,
        purpose: Purpose,
        request: &[u8],
        content: &[u8],
        now: Timestamp,
    ) -> Result<String, String> {
        let mut sealed = now.as_second().to_be_bytes().to_vec();
        sealed.extend_from_slice(content);
        let nonce = self
            .key
            .seal_in_place_append_tag(bound(purpose, request), &mut sealed)
            .map_err(|_| "a token cannot be sealed".to_owned())?;
        Ok(URL_SAFE_NO_PAD.encode([&[VERSION][..], nonce.as_ref(), &sealed].concat()))
    }

    /// Opens a token that was sealed for the same purpose and request, at most `life` ago.
    ///
    /// # Errors
    /// [`Unopened`] says whether it ever was valid.
    pub fn open(
        &self,
        purpose: Purpose,
        request: &[u8],
        token: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Vec<u8>, Unopened> {
        if token.len() > LONGEST {
            return Err(Unopened::Foreign);
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| Unopened::Foreign)?;
        let (&[VERSION], rest) = token.split_first_chunk::<1>().ok_or(Unopened::Foreign)? else {
            return Err(Unopened::Foreign);
        };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Unopened::Foreign)?;
        let mut sealed = sealed.to_vec();
        let opened = self
            .key
            .open_in_place(Nonce::from(nonce), bound(purpose, request), &mut sealed)
            .map_err(|_| Unopened::Foreign)?;
        let (date, content) = opened.split_first_chunk::<DATE>().ok_or(Unopened::Foreign)?;
        let age = now.as_second().saturating_sub(i64::from_be_bytes(*date));
        if age > i64::try_from(life.as_secs()).unwrap_or(i64::MAX) {
            return Err(Unopened::Expired);
        }
        Ok(content.to_vec())
    }
}

fn bound(purpose: Purpose, request: &[u8]) -> Aad<Vec<u8>> {
    let purpose: &[u8] = match purpose {
        Purpose::Page => b"page\0",
        Purpose::Resume => b"resume\0",
    };
    Aad::from([purpose, request].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_replica_with_the_same_key_opens_it() {
        let (a, b) = (Sealer::new(b"k").expect("a key"), Sealer::new(b"k").expect("a key"));
        let token = a.seal(Purpose::Page, b"list", b"content", now()).expect("sealed");
        assert_eq!(b.open(Purpose::Page, b"list", &token, now(), DAY), Ok(b"content".to_vec()));
        assert!(!token.contains(&URL_SAFE_NO_PAD.encode(b"content")));
    }

    #[test]
    fn nothing_else_opens_it() {
        let sealer = Sealer::new(b"k").expect("a key");
        let token = sealer.seal(Purpose::Page, b"list", b"content", now()).expect("sealed");
        let open = |sealer: &Sealer, purpose, request: &[u8], token: &str| {
            sealer.open(purpose, request, token, now(), DAY)
        };
        let foreign = Err(Unopened::Foreign);
        assert_eq!(open(&sealer, Purpose::Resume, b"list", &token), foreign);
        assert_eq!(open(&sealer, Purpose::Page, b"other", &token), foreign);
        assert_eq!(
            open(&Sealer::random().expect("a key"), Purpose::Page, b"list", &token),
            foreign
        );
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert_eq!(open(&sealer, Purpose::Page, b"list", &forged), foreign);
        }
        for short in ["", "AQ", "!!", &token[..20]] {
            assert_eq!(open(&sealer, Purpose::Page, b"list", short), foreign);
        }
    }

    #[test]
    fn it_ends() {
        let sealer = Sealer::new(b"k").expect("a key");
        let token = sealer.seal(Purpose::Page, b"", b"", now()).expect("sealed");
        let later = now() + jiff::SignedDuration::from_hours(25);
        assert_eq!(sealer.open(Purpose::Page, b"", &token, later, DAY), Err(Unopened::Expired));
    }
}

//! Sealed tokens: page and resume tokens that a client hands back to any replica.
//!
//! A token is encrypted and authenticated (AES-256-GCM), bound to its purpose and request, and dated. It carries no
//! authority: the caller must still be allowed what the request asks.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, iter};

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::Error;

/// The layout of a token: this byte, the nonce, then the sealed seconds since 1970 and content.
const VERSION: u8 = 2;
const NONCE_LENGTH: usize = 12;
const DATE_LENGTH: usize = 8;
const KEY_LENGTH: usize = 32;
/// In bytes: a hundred signed ARM operation URLs of 4 KiB, or the fingerprints of thousands of points.
const MAX_TOKEN: usize = 1024 * 1024;

/// What a token is for: one of another purpose is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The next page of a list.
    Page,
    /// The resumption of a watch.
    Resume,
}

/// Why a token cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Forged, damaged, or sealed with a key that is not known, for another purpose or for another request.
    Invalid,
    /// Once valid.
    Expired,
}

/// Why a secret cannot be the key of a [`Sealer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is too short to withstand guessing.
    #[error(
        "the token key has {0} bytes: expected at least {KEY_LENGTH}, such as the output of `openssl rand -base64 32`"
    )]
    TooShort(usize),
    /// The cryptography library or the system's random number generator failed.
    #[error("the token key cannot be set up")]
    Crypto,
}

/// A key that seals and opens tokens.
pub struct TokenKey(RandomizedNonceKey);

/// Seals tokens with the current key, and opens those of the keys before it too, so that a key can be replaced while its
/// tokens are in use. All replicas share the keys.
pub struct Sealer {
    keys: ArcSwap<Keys>,
}

struct Keys {
    current: TokenKey,
    previous: Vec<TokenKey>,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl TokenKey {
    /// The key that is derived from `secret` (HKDF-SHA-256, RFC 5869).
    ///
    /// # Errors
    /// A secret of less than 32 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < KEY_LENGTH {
            return Err(KeyError::TooShort(secret.len()));
        }
        let mut key = [0; KEY_LENGTH];
        Salt::new(HKDF_SHA256, b"restore-point-gateway")
            .extract(secret)
            .expand(&[b"page and resume tokens, version 2"], &AES_256_GCM)
            .and_then(|derived| derived.fill(&mut key))
            .map_err(|_| KeyError::Crypto)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key).map(Self).map_err(|_| KeyError::Crypto)
    }

    /// A random key: its tokens are invalid once this process has ended.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random() -> Result<Self, KeyError> {
        let mut secret = [0; KEY_LENGTH];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| KeyError::Crypto)?;
        Self::new(&secret)
    }
}

impl Sealer {
    /// A sealer with these keys.
    pub fn new(current: TokenKey, previous: Vec<TokenKey>) -> Self {
        Self { keys: ArcSwap::from_pointee(Keys { current, previous }) }
    }

    /// Replaces the keys. Tokens of keys that are not among the new ones become invalid.
    pub fn replace_keys(&self, current: TokenKey, previous: Vec<TokenKey>) {
        self.keys.store(Arc::new(Keys { current, previous }));
    }

    /// Seals `content`, bound to `purpose` and to `request`.
    ///
    /// # Errors
    /// INTERNAL when the system has no randomness.
    pub fn seal(
        &self,
        purpose: Purpose,
        request: &[u8],
        content: &[u8],
        now: Timestamp,
    ) -> Result<String, Error> {
        let mut sealed = now.as_second().to_be_bytes().to_vec();
        sealed.extend_from_slice(content);
        let TokenKey(key) = &self.keys.load().current;
        let nonce = key
            .seal_in_place_append_tag(binding(purpose, request), &mut sealed)
            .map_err(|_| Error::Internal { problem: "a token cannot be sealed".to_owned() })?;
        Ok(URL_SAFE_NO_PAD.encode([&[VERSION][..], nonce.as_ref(), &sealed].concat()))
    }

    /// Opens a token that was sealed for the same purpose and request at most `lifetime` ago.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn open(
        &self,
        purpose: Purpose,
        request: &[u8],
        token: &str,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Vec<u8>, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Invalid)?;
        let (&[VERSION], rest) = token.split_first_chunk::<1>().ok_or(TokenError::Invalid)? else {
            return Err(TokenError::Invalid);
        };
        let (nonce, sealed) =
            rest.split_first_chunk::<NONCE_LENGTH>().ok_or(TokenError::Invalid)?;
        let keys = self.keys.load();
        let opened = iter::once(&keys.current).chain(&keys.previous).find_map(|TokenKey(key)| {
            let mut sealed = sealed.to_vec();
            let opened = key
                .open_in_place(Nonce::from(nonce), binding(purpose, request), &mut sealed)
                .ok()?;
            let length = opened.len();
            sealed.truncate(length);
            Some(sealed)
        });
        let opened = opened.ok_or(TokenError::Invalid)?;
        let (date, content) =
            opened.split_first_chunk::<DATE_LENGTH>().ok_or(TokenError::Invalid)?;
        let age = now.as_second().saturating_sub(i64::from_be_bytes(*date));
        if age > i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX) {
            return Err(TokenError::Expired);
        }
        Ok(content.to_vec())
    }
}

fn binding(purpose: Purpose, request: &[u8]) -> Aad<Vec<u8>> {
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

    const KEY: &[u8] = b"a key that is long enough to be one";
    const DAY: Duration = Duration::from_secs(86_400);

    fn key(secret: &[u8]) -> TokenKey {
        TokenKey::new(secret).expect("a key")
    }

    fn sealer(secret: &[u8]) -> Sealer {
        Sealer::new(key(secret), Vec::new())
    }

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_replica_with_the_same_key_opens_it() {
        let (a, b) = (sealer(KEY), sealer(KEY));
        let token = a.seal(Purpose::Page, b"list", b"content", now()).expect("sealed");
        assert_eq!(b.open(Purpose::Page, b"list", &token, now(), DAY), Ok(b"content".to_vec()));
        assert!(!token.contains(&URL_SAFE_NO_PAD.encode(b"content")));
    }

    #[test]
    fn tokens_of_a_previous_key_are_valid_until_it_is_left_out() {
        const NEXT: &[u8] = b"another key that is long enough to be one";
        let sealer = sealer(KEY);
        let seal =
            |sealer: &Sealer| sealer.seal(Purpose::Page, b"", b"content", now()).expect("sealed");
        let open = |token: &str| sealer.open(Purpose::Page, b"", token, now(), DAY);
        let before = seal(&sealer);
        // First the new key is made known to all replicas, then it seals, then the old one is left out.
        sealer.replace_keys(key(KEY), vec![key(NEXT)]);
        assert_eq!(open(&seal(&self::sealer(NEXT))), Ok(b"content".to_vec()));
        sealer.replace_keys(key(NEXT), vec![key(KEY)]);
        assert_eq!(open(&before), Ok(b"content".to_vec()));
        let after = seal(&sealer);
        sealer.replace_keys(key(NEXT), Vec::new());
        assert_eq!(
            (open(&before), open(&after)),
            (Err(TokenError::Invalid), Ok(b"content".to_vec()))
        );
    }

    #[test]
    fn any_other_key_purpose_request_or_byte_is_invalid() {
        let sealer = sealer(KEY);
        let token = sealer.seal(Purpose::Page, b"list", b"content", now()).expect("sealed");
        let open = |sealer: &Sealer, purpose, request: &[u8], token: &str| {
            sealer.open(purpose, request, token, now(), DAY)
        };
        let invalid = Err(TokenError::Invalid);
        assert_eq!(open(&sealer, Purpose::Resume, b"list", &token), invalid);
        assert_eq!(open(&sealer, Purpose::Page, b"other", &token), invalid);
        assert_eq!(
            open(
                &Sealer::new(TokenKey::random().expect("a key"), Vec::new()),
                Purpose::Page,
                b"list",
                &token
            ),
            invalid
        );
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert_eq!(open(&sealer, Purpose::Page, b"list", &forged), invalid);
        }
        for short in ["", "AQ", "!!", &token[..20]] {
            assert_eq!(open(&sealer, Purpose::Page, b"list", short), invalid);
        }
    }

    #[test]
    fn a_short_key_is_refused_with_the_command_that_makes_one() {
        let error = TokenKey::new(&[b'k'; 31]).map(drop).expect_err("too short").to_string();
        assert!(error.contains("31 bytes") && error.contains("openssl rand"), "{error}");
        assert!(TokenKey::new(&[b'k'; 32]).is_ok());
    }

    #[test]
    fn it_expires() {
        let sealer = sealer(KEY);
        let token = sealer.seal(Purpose::Page, b"", b"", now()).expect("sealed");
        let later = now() + jiff::SignedDuration::from_hours(25);
        assert_eq!(sealer.open(Purpose::Page, b"", &token, later, DAY), Err(TokenError::Expired));
    }
}

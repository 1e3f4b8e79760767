//! The access token of a backend: fetched once for all callers, renewed ahead of its expiry by one caller while the
//! others use the old one, and used as long as it is valid when it cannot be renewed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

/// How long before its expiry a token is renewed.
const RENEW_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// A token that expires sooner may expire on the way to the vendor.
const MIN_VALIDITY: SignedDuration = SignedDuration::from_secs(10);
/// Between two renewals ahead of expiry: the first may fail, or return a token that expires soon as well.
const RENEWAL_INTERVAL: SignedDuration = SignedDuration::from_secs(30);

/// A bearer token.
pub(super) struct Token {
    pub(super) bearer: SecretString,
    pub(super) expires: Timestamp,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Why there is no token; the texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenSourceError {
    /// The authority refuses the credential.
    Refused(String),
    /// The authority does not respond, or not with a token.
    Unreachable(String),
}

/// Where tokens come from.
#[async_trait]
pub(super) trait TokenSource: fmt::Debug + Send + Sync {
    /// Fetches a new token.
    async fn fetch(&self) -> Result<Token, TokenSourceError>;
}

/// The token of one backend.
#[derive(Debug)]
pub(super) struct TokenCache {
    source: Arc<dyn TokenSource>,
    current: Mutex<Option<Arc<Token>>>,
    /// Held while fetching; its value is when the next renewal ahead of expiry may be tried.
    fetching: tokio::sync::Mutex<Timestamp>,
}

impl TokenCache {
    /// An empty cache.
    pub(super) fn new(source: Arc<dyn TokenSource>) -> Self {
        let fetching = tokio::sync::Mutex::new(Timestamp::MIN);
        Self { source, current: Mutex::new(None), fetching }
    }

    /// A token that is valid at `now`.
    ///
    /// # Errors
    /// When there is none and none can be fetched.
    pub(super) async fn get(&self, now: Timestamp) -> Result<Arc<Token>, TokenSourceError> {
        match self.current() {
            Some(token) if token.expires > later(now, RENEW_AHEAD) => Ok(token),
            Some(token) if token.expires > later(now, MIN_VALIDITY) => {
                Ok(self.renew_ahead(now).await.unwrap_or(token))
            }
            expired => self.newer_than(expired.as_ref()).await,
        }
    }

    /// A token in place of `refused`, which the vendor did not accept although it seemed valid.
    ///
    /// # Errors
    /// When none can be fetched.
    pub(super) async fn replace(
        &self,
        refused: &Arc<Token>,
    ) -> Result<Arc<Token>, TokenSourceError> {
        self.newer_than(Some(refused)).await
    }

    /// The token that another caller has fetched in place of `known`, or a new one.
    async fn newer_than(&self, known: Option<&Arc<Token>>) -> Result<Arc<Token>, TokenSourceError> {
        let _fetching = self.fetching.lock().await;
        let is_newer = |token: &Arc<Token>| known.is_none_or(|known| !Arc::ptr_eq(known, token));
        match self.current().filter(is_newer) {
            Some(token) => Ok(token),
            None => {
                self.set_current(None);
                self.fetch().await
            }
        }
    }

    async fn renew_ahead(&self, now: Timestamp) -> Option<Arc<Token>> {
        // While one caller renews it, the others use the old one.
        let mut fetching = self.fetching.try_lock().ok()?;
        if now < *fetching {
            return None;
        }
        *fetching = later(now, RENEWAL_INTERVAL);
        match self.fetch().await {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(?error, "cannot renew an access token that is still valid");
                None
            }
        }
    }

    async fn fetch(&self) -> Result<Arc<Token>, TokenSourceError> {
        let token = Arc::new(self.source.fetch().await?);
        self.set_current(Some(Arc::clone(&token)));
        Ok(token)
    }

    fn current(&self) -> Option<Arc<Token>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_current(&self, token: Option<Arc<Token>>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use secrecy::ExposeSecret;

    use super::*;

    /// A source of numbered tokens that are valid for an hour.
    #[derive(Debug, Default)]
    struct CountingSource {
        fetched: AtomicUsize,
        hours: AtomicUsize,
        down: std::sync::atomic::AtomicBool,
    }

    #[async_trait]
    impl TokenSource for CountingSource {
        async fn fetch(&self) -> Result<Token, TokenSourceError> {
            tokio::task::yield_now().await;
            let number = self.fetched.fetch_add(1, Ordering::SeqCst);
            if self.down.load(Ordering::SeqCst) {
                return Err(TokenSourceError::Unreachable("down".to_owned()));
            }
            let hours = self.hours.fetch_add(1, Ordering::SeqCst) + 1;
            let expires = at(i64::try_from(hours).unwrap() * 3600);
            Ok(Token { bearer: format!("t{number}").into(), expires })
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn set_up() -> (Arc<CountingSource>, TokenCache) {
        let source = Arc::new(CountingSource::default());
        let shared = Arc::clone(&source) as Arc<dyn TokenSource>;
        (source, TokenCache::new(shared))
    }

    async fn text(tokens: &TokenCache, second: i64) -> String {
        tokens.get(at(second)).await.unwrap().bearer.expose_secret().to_owned()
    }

    #[tokio::test]
    async fn concurrent_callers_share_one_fetch() {
        let (source, tokens) = set_up();
        let all = futures::future::join_all((0..50).map(|_| tokens.get(at(0)))).await;
        assert!(
            all.iter().all(|token| Arc::ptr_eq(token.as_ref().unwrap(), all[0].as_ref().unwrap()))
        );
        assert_eq!(source.fetched.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn one_caller_renews_it_ahead_of_expiry() {
        let (source, tokens) = set_up();
        assert_eq!(text(&tokens, 0).await, "t0");
        assert_eq!(text(&tokens, 3299).await, "t0");
        let both = futures::future::join(text(&tokens, 3301), text(&tokens, 3301)).await;
        assert_eq!(both, ("t1".to_owned(), "t0".to_owned()));
        assert_eq!(source.fetched.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_valid_token_is_used_when_it_cannot_be_renewed() {
        let (source, tokens) = set_up();
        assert_eq!(text(&tokens, 0).await, "t0");
        source.down.store(true, Ordering::SeqCst);
        assert_eq!(text(&tokens, 3301).await, "t0");
        assert_eq!(text(&tokens, 3302).await, "t0");
        assert_eq!(
            source.fetched.load(Ordering::SeqCst),
            2,
            "a failed renewal is not repeated at once"
        );
        let none = tokens.get(at(3599)).await.unwrap_err();
        assert_eq!(none, TokenSourceError::Unreachable("down".to_owned()));
        source.down.store(false, Ordering::SeqCst);
        assert_eq!(text(&tokens, 3599).await, "t3");
    }

    #[tokio::test]
    async fn concurrent_callers_replace_a_refused_token_once() {
        let (source, tokens) = set_up();
        let refused = tokens.get(at(0)).await.unwrap();
        let (a, b) =
            futures::future::join(tokens.replace(&refused), tokens.replace(&refused)).await;
        assert!(Arc::ptr_eq(&a.unwrap(), &b.unwrap()));
        assert_eq!(source.fetched.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn debug_output_has_no_bearer() {
        let token = Token { bearer: "SENSITIVE".into(), expires: at(0) };
        assert!(!format!("{token:?}").contains("SENSITIVE"));
    }
}

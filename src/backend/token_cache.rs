//! The access token of a backend: renewed ahead of its expiry in the background, and used as long as it is valid when it
//! cannot be renewed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::acquirer::Acquirer;
use crate::model::DEFAULT_RETRY_AFTER;

/// How long before its expiry a token is renewed.
const RENEW_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// A token that expires sooner may expire on the way to the vendor.
const MIN_VALIDITY: SignedDuration = SignedDuration::from_secs(10);
/// The pause after a failure: the retries of a read find it over. Each further one doubles it, up to the maximum.
const MIN_BACKOFF: Duration = Duration::from_millis(20);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
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
    Unreachable {
        /// What happened.
        detail: String,
        /// When to retry.
        retry_after: Duration,
    },
}

impl TokenSourceError {
    /// An authority that does not say when to retry.
    pub(super) fn unreachable(detail: impl Into<String>) -> Self {
        Self::Unreachable { detail: detail.into(), retry_after: DEFAULT_RETRY_AFTER }
    }
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
    tokens: Acquirer<Token, TokenSourceError>,
    /// When the next renewal ahead of expiry may be tried.
    next_renewal: Mutex<Timestamp>,
}

impl TokenCache {
    /// An empty cache.
    pub(super) fn new(source: Arc<dyn TokenSource>) -> Self {
        let backoff = |_: &_, previous: Option<Duration>| {
            previous.map_or(MIN_BACKOFF, |previous| (previous * 2).min(MAX_BACKOFF))
        };
        let tokens = Acquirer::new(backoff);
        Self { source, tokens, next_renewal: Mutex::new(Timestamp::MIN) }
    }

    /// A token that is valid at `now`.
    ///
    /// # Errors
    /// When there is none and none can be fetched.
    pub(super) async fn get(&self, now: Timestamp) -> Result<Arc<Token>, TokenSourceError> {
        match self.tokens.current() {
            Some(token) if token.expires > later(now, RENEW_AHEAD) => Ok(token),
            Some(token) if token.expires > later(now, MIN_VALIDITY) => {
                if self.is_renewal_due(now) {
                    self.tokens.renew(self.fetch());
                }
                Ok(token)
            }
            expired => self.tokens.acquire(expired.as_ref(), self.fetch()).await,
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
        self.tokens.acquire(Some(refused), self.fetch()).await
    }

    fn is_renewal_due(&self, now: Timestamp) -> bool {
        let mut next = self.next_renewal.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = now >= *next;
        if is_due {
            *next = later(now, RENEWAL_INTERVAL);
        }
        is_due
    }

    fn fetch(&self) -> impl Future<Output = Result<Token, TokenSourceError>> + Send + use<> {
        let source = Arc::clone(&self.source);
        async move {
            let result = source.fetch().await;
            if let Err(error) = &result {
                tracing::warn!(?error, "cannot get an access token");
            }
            result
        }
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
                return Err(TokenSourceError::unreachable("down"));
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
    async fn it_is_renewed_ahead_of_expiry_while_no_call_waits() {
        let (source, tokens) = set_up();
        assert_eq!(text(&tokens, 0).await, "t0");
        assert_eq!(text(&tokens, 3299).await, "t0");
        let both = futures::future::join(text(&tokens, 3301), text(&tokens, 3301)).await;
        assert_eq!(both, ("t0".to_owned(), "t0".to_owned()));
        tokens.tokens.settled().await;
        assert_eq!(text(&tokens, 3301).await, "t1");
        assert_eq!(source.fetched.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_valid_token_is_used_when_it_cannot_be_renewed() {
        let (source, tokens) = set_up();
        assert_eq!(text(&tokens, 0).await, "t0");
        source.down.store(true, Ordering::SeqCst);
        assert_eq!(text(&tokens, 3301).await, "t0");
        tokens.tokens.settled().await;
        assert_eq!(text(&tokens, 3302).await, "t0");
        tokens.tokens.settled().await;
        assert_eq!(
            source.fetched.load(Ordering::SeqCst),
            2,
            "a failed renewal is not repeated at once"
        );
        tokio::time::advance(MIN_BACKOFF).await;
        let none = tokens.get(at(3599)).await.unwrap_err();
        assert_eq!(none, TokenSourceError::unreachable("down"));
        source.down.store(false, Ordering::SeqCst);
        tokio::time::advance(2 * MIN_BACKOFF).await;
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

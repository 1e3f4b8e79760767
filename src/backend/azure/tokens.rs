//! The token that is in use: renewed ahead of its end by one caller while the others go on with it,
//! and kept as long as it holds when it cannot be renewed.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::credential::{NoToken, Token, TokenSource};

/// How long before its end a token is renewed.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// A token about to end may end on the way.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// Between two renewals ahead of time: the first may fail, or bring a token that is near its end too.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// The one token of a backend.
#[derive(Debug)]
pub(super) struct Tokens {
    source: Arc<dyn TokenSource>,
    current: Mutex<Option<Arc<Token>>>,
    /// Held by whoever fetches. In it, when a renewal ahead of time may be tried again.
    fetching: tokio::sync::Mutex<Timestamp>,
}

impl Tokens {
    /// No token yet.
    pub(super) fn new(source: Arc<dyn TokenSource>) -> Self {
        let fetching = tokio::sync::Mutex::new(Timestamp::MIN);
        Self { source, current: Mutex::new(None), fetching }
    }

    /// A token that holds at `now`.
    ///
    /// # Errors
    /// When there is none and none can be had.
    pub(super) async fn get(&self, now: Timestamp) -> Result<Arc<Token>, NoToken> {
        match self.current() {
            Some(token) if token.expires > later(now, AHEAD) => Ok(token),
            Some(token) if token.expires > later(now, MARGIN) => {
                Ok(self.renew_ahead(now).await.unwrap_or(token))
            }
            ended => self.newer_than(ended.as_ref()).await,
        }
    }

    /// A token in place of `refused`, which the vendor did not take though it seemed to hold.
    ///
    /// # Errors
    /// When none can be had.
    pub(super) async fn replace(&self, refused: &Arc<Token>) -> Result<Arc<Token>, NoToken> {
        self.newer_than(Some(refused)).await
    }

    /// The token that somebody has fetched since `known` was the current one, or a new one.
    async fn newer_than(&self, known: Option<&Arc<Token>>) -> Result<Arc<Token>, NoToken> {
        let _fetching = self.fetching.lock().await;
        let newer = |token: &Arc<Token>| known.is_none_or(|known| !Arc::ptr_eq(known, token));
        match self.current().filter(newer) {
            Some(token) => Ok(token),
            None => {
                self.keep(None);
                self.fetch().await
            }
        }
    }

    async fn renew_ahead(&self, now: Timestamp) -> Option<Arc<Token>> {
        // While one renews it, the others go on with the old one.
        let mut fetching = self.fetching.try_lock().ok()?;
        if now < *fetching {
            return None;
        }
        *fetching = later(now, PAUSE);
        match self.fetch().await {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(?error, "the token still holds but cannot be renewed");
                None
            }
        }
    }

    async fn fetch(&self) -> Result<Arc<Token>, NoToken> {
        let token = Arc::new(self.source.fetch().await?);
        self.keep(Some(Arc::clone(&token)));
        Ok(token)
    }

    fn current(&self) -> Option<Arc<Token>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, token: Option<Arc<Token>>) {
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

    use async_trait::async_trait;
    use secrecy::ExposeSecret;

    use super::*;

    /// Gives out tokens of an hour that are called by their numbers.
    #[derive(Debug, Default)]
    struct Counting {
        fetched: AtomicUsize,
        hours: AtomicUsize,
        down: std::sync::atomic::AtomicBool,
    }

    #[async_trait]
    impl TokenSource for Counting {
        async fn fetch(&self) -> Result<Token, NoToken> {
            tokio::task::yield_now().await;
            let number = self.fetched.fetch_add(1, Ordering::SeqCst);
            if self.down.load(Ordering::SeqCst) {
                return Err(NoToken::Unreachable("down".to_owned()));
            }
            let hours = self.hours.fetch_add(1, Ordering::SeqCst) + 1;
            let expires = at(i64::try_from(hours).unwrap() * 3600);
            Ok(Token { bearer: format!("t{number}").into(), expires })
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn set_up() -> (Arc<Counting>, Tokens) {
        let source = Arc::new(Counting::default());
        let shared = Arc::clone(&source) as Arc<dyn TokenSource>;
        (source, Tokens::new(shared))
    }

    async fn text(tokens: &Tokens, second: i64) -> String {
        tokens.get(at(second)).await.unwrap().bearer.expose_secret().to_owned()
    }

    #[tokio::test]
    async fn many_callers_fetch_once() {
        let (source, tokens) = set_up();
        let all = futures::future::join_all((0..50).map(|_| tokens.get(at(0)))).await;
        assert!(
            all.iter().all(|token| Arc::ptr_eq(token.as_ref().unwrap(), all[0].as_ref().unwrap()))
        );
        assert_eq!(source.fetched.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn it_is_renewed_ahead_by_one() {
        let (source, tokens) = set_up();
        assert_eq!(text(&tokens, 0).await, "t0");
        assert_eq!(text(&tokens, 3299).await, "t0");
        let both = futures::future::join(text(&tokens, 3301), text(&tokens, 3301)).await;
        assert_eq!(both, ("t1".to_owned(), "t0".to_owned()));
        assert_eq!(source.fetched.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn the_old_one_is_used_while_it_holds() {
        let (source, tokens) = set_up();
        assert_eq!(text(&tokens, 0).await, "t0");
        source.down.store(true, Ordering::SeqCst);
        assert_eq!(text(&tokens, 3301).await, "t0");
        assert_eq!(text(&tokens, 3302).await, "t0");
        assert_eq!(source.fetched.load(Ordering::SeqCst), 2, "a failed renewal is not hammered");
        let none = tokens.get(at(3599)).await.unwrap_err();
        assert_eq!(none, NoToken::Unreachable("down".to_owned()));
        source.down.store(false, Ordering::SeqCst);
        assert_eq!(text(&tokens, 3599).await, "t3");
    }

    #[tokio::test]
    async fn a_refused_one_is_replaced_once() {
        let (source, tokens) = set_up();
        let refused = tokens.get(at(0)).await.unwrap();
        let (a, b) =
            futures::future::join(tokens.replace(&refused), tokens.replace(&refused)).await;
        assert!(Arc::ptr_eq(&a.unwrap(), &b.unwrap()));
        assert_eq!(source.fetched.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = Token { bearer: "SENSITIVE".into(), expires: at(0) };
        assert!(!format!("{token:?}").contains("SENSITIVE"));
    }
}

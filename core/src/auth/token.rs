//! Tokens: keys that end. Each is issued again before its end, by one flight for all calls.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

#[cfg(any(feature = "azure", feature = "google"))]
use ::http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::flight::Flights;
use crate::error::{Error, ErrorKind};

/// The longest life of a token. One that says more is asked for again after it.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// The shortest time between two renewals because of a refusal, or after a failure.
const PAUSE: Duration = Duration::from_secs(10);

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    text: SecretString,
    /// The project that pays for requests with it.
    #[cfg(feature = "google")]
    project: Option<HeaderValue>,
    /// Its end, by the clock of this machine: that one counts while the machine sleeps, too.
    end: SystemTime,
    /// From when it was issued to its end.
    life: Duration,
    /// How long it is used beyond its end while no other can be issued.
    grace: Duration,
}

impl Token {
    /// A token that is valid for this long from now.
    pub(super) fn new(text: SecretString, life: Duration) -> Self {
        let life = life.min(LONGEST);
        Token {
            text,
            #[cfg(feature = "google")]
            project: None,
            end: SystemTime::now() + life,
            life,
            grace: Duration::ZERO,
        }
    }

    /// The same, with the project that pays for requests with it.
    #[cfg(feature = "google")]
    pub(super) fn paid_by(self, project: Option<HeaderValue>) -> Self {
        Token { project, ..self }
    }

    /// The header of the project that pays.
    #[cfg(any(feature = "azure", feature = "google"))]
    pub(super) fn project(&self) -> Option<(HeaderName, HeaderValue)> {
        #[cfg(feature = "google")]
        if let Some(project) = &self.project {
            return Some((HeaderName::from_static("x-goog-user-project"), project.clone()));
        }
        None
    }

    /// The same, used on beyond its end while no other can be issued.
    #[cfg(unix)]
    pub(super) fn with_grace(self, grace: Duration) -> Self {
        Token { grace, ..self }
    }

    pub(super) fn text(&self) -> &SecretString {
        &self.text
    }

    /// Whether it is valid for longer than this, or than a fifth of its life if that is less: a token
    /// of five minutes is not asked for all the time.
    fn lasts(&self, time: Duration) -> bool {
        self.end > SystemTime::now() + time.min(self.life / 5)
    }

    fn is(&self, text: &SecretString) -> bool {
        self.text.expose_secret() == text.expose_secret()
    }
}

/// What issues tokens.
pub(super) trait Issue: Send + Sync {
    /// Asks for a token. The error is the reason; it holds no secret.
    fn issue(&self) -> Issuing<'_>;

    /// Where it is from, for messages.
    fn name(&self) -> String;
}

/// A request for a token that is under way.
pub(super) type Issuing<'a> = Pin<Box<dyn Future<Output = Result<Token, String>> + Send + 'a>>;

/// The tokens of one provider.
pub(super) struct Tokens {
    issuer: Arc<dyn Issue>,
    flights: Flights<Token>,
    last: Mutex<Last>,
}

/// What is known of the past.
#[derive(Default)]
struct Last {
    /// The token that was given last.
    token: Option<Token>,
    /// When no token could be issued.
    failed: Option<Instant>,
    /// When a token was issued again because of a refusal.
    renewed: Option<Instant>,
}

impl Tokens {
    pub(super) fn new(issuer: Arc<dyn Issue>) -> Self {
        Tokens { issuer, flights: Flights::new(), last: Mutex::default() }
    }

    /// The token. `runtime` is where a flight runs; the default is the call's.
    pub(super) async fn get(
        &self,
        provider: &str,
        runtime: Option<&Handle>,
    ) -> Result<Token, Error> {
        if let Some(token) = self.lock().spared() {
            return Ok(token);
        }
        let fetch = || {
            let (issuer, provider) = (Arc::clone(&self.issuer), provider.to_owned());
            async move { issuer.issue().await.map_err(|reason| refusal(&provider, &*issuer, &reason)) }
        };
        let got = self.flights.get(runtime, Token::lasts, fetch).await;
        let mut last = self.lock();
        match got {
            Ok(token) => {
                last.failed = None;
                last.token = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                last.failed = Some(Instant::now());
                last.spared().ok_or(error)
            }
        }
    }

    /// The token, if it is known without asking for one.
    pub(super) fn known(&self) -> Option<SecretString> {
        self.lock().token.as_ref().map(|token| token.text.clone())
    }

    /// Asks for another token, because the provider refused this one. Returns whether there is
    /// another one now, so that the same request may pass.
    pub(super) async fn renew(
        &self,
        refused: &SecretString,
        provider: &str,
        runtime: Option<&Handle>,
    ) -> bool {
        {
            let mut last = self.lock();
            if last.token.as_ref().is_some_and(|token| token.is(refused)) {
                if last.renewed.is_some_and(|renewed| renewed.elapsed() < PAUSE) {
                    return false;
                }
                last.renewed = Some(Instant::now());
                last.token = None;
            }
        }
        self.flights.forget(|token| token.is(refused));
        self.get(provider, runtime).await.is_ok_and(|token| !token.is(refused))
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    /// The token beyond its end, just after no other could be issued.
    fn spared(&self) -> Option<Token> {
        let failed = self.failed.is_some_and(|failed| failed.elapsed() < PAUSE);
        let usable = |token: &&Token| token.end + token.grace > SystemTime::now();
        self.token.as_ref().filter(|_| failed).filter(usable).cloned()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokens").field(&self.issuer.name()).finish()
    }
}

fn refusal(provider: &str, issuer: &dyn Issue, reason: &str) -> Error {
    let message = format!("no key for {provider} from {}: {reason}", issuer.name());
    Error::new(ErrorKind::Authentication, message).with(|e| e.provider = Some(provider.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Issues what is listed, one after the other: a life in seconds, or none.
    struct Listed(&'static [Option<u64>], AtomicUsize);

    impl Issue for Listed {
        fn issue(&self) -> Issuing<'_> {
            Box::pin(async {
                let n = self.1.fetch_add(1, Ordering::Relaxed);
                let life = self.0.get(n).copied().flatten().ok_or_else(|| "none".to_owned())?;
                let text = SecretString::from(format!("token-{n}"));
                let grace = Duration::from_secs(3_600);
                Ok(Token::new(text, Duration::from_secs(life)).with_grace(grace))
            })
        }

        fn name(&self) -> String {
            "the list".to_owned()
        }
    }

    fn tokens(list: &'static [Option<u64>]) -> Tokens {
        Tokens::new(Arc::new(Listed(list, AtomicUsize::new(0))))
    }

    async fn got(tokens: &Tokens) -> Result<String, String> {
        let got = tokens.get("p", None).await.map_err(|error| error.message.clone())?;
        Ok(got.text().expose_secret().to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_has_ended_is_used_on_while_no_other_is_issued() {
        let tokens = tokens(&[Some(0), None, Some(300)]);
        assert_eq!(got(&tokens).await.unwrap(), "token-0");
        // It has ended: the next call asks, in vain, and those after it do not ask for a while.
        for _ in 0..3 {
            assert_eq!(got(&tokens).await.unwrap(), "token-0");
        }
        tokio::time::advance(PAUSE).await;
        for _ in 0..3 {
            assert_eq!(got(&tokens).await.unwrap(), "token-2");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_one_is_renewed_once_in_ten_seconds() {
        let tokens = tokens(&[Some(300), Some(300), Some(300)]);
        let text = |n: u32| SecretString::from(format!("token-{n}"));
        assert_eq!(got(&tokens).await.unwrap(), "token-0");
        assert!(tokens.renew(&text(0), "p", None).await);
        assert_eq!(got(&tokens).await.unwrap(), "token-1");
        // A late refusal of the first one: there is another one already.
        assert!(tokens.renew(&text(0), "p", None).await);
        assert!(!tokens.renew(&text(1), "p", None).await);
        assert_eq!(got(&tokens).await.unwrap(), "token-1");
        tokio::time::advance(PAUSE).await;
        assert!(tokens.renew(&text(1), "p", None).await);
        tokio::time::advance(PAUSE).await;
        // None is issued any more, and what was refused is not sent again.
        assert!(!tokens.renew(&text(2), "p", None).await);
        assert!(got(&tokens).await.unwrap_err().contains("no key for p from the list: none"));
    }
}

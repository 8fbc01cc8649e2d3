//! Where the secret comes from, for calls that do not wait long for it.
//!
//! A program may be slow, and a file may be on a mount that hangs. A read goes on beside the calls, one
//! at a time. A call waits for it no longer than for Redis, and once it was late nobody waits at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::auth::Secret;

type Said = Result<Option<SecretString>, String>;

/// The source of a secret.
pub(super) struct Source {
    secret: Arc<Secret>,
    under_way: Mutex<Option<UnderWay>>,
}

/// A read that goes on beside the calls.
#[derive(Clone)]
struct UnderWay {
    said: watch::Receiver<Option<Said>>,
    /// Somebody has waited for it in vain.
    late: bool,
}

/// What a call does for the secret.
enum Turn {
    Known(Said),
    Wait(watch::Receiver<Option<Said>>),
    Late,
}

impl Source {
    pub(super) fn new(secret: Secret) -> Self {
        Source { secret: Arc::new(secret), under_way: Mutex::default() }
    }

    /// The secret as it is now. It is waited for no longer than `patience`.
    pub(super) async fn read(&self, home: Option<Handle>, patience: Duration) -> Said {
        let late = || Err("cache.secret: its source did not answer in time".to_owned());
        let mut said = match self.turn(home) {
            Turn::Known(said) => return said,
            Turn::Wait(said) => said,
            Turn::Late => return late(),
        };
        match timeout(patience, said.wait_for(Option::is_some)).await {
            Ok(Ok(said)) => said.clone().unwrap_or(Ok(None)),
            Ok(Err(_)) => Err("cache.secret: its read was interrupted".to_owned()),
            Err(_) => {
                if let Some(under_way) = &mut *self.lock() {
                    under_way.late = true;
                }
                late()
            }
        }
    }

    fn turn(&self, home: Option<Handle>) -> Turn {
        let mut under_way = self.lock();
        if let Some(UnderWay { said, late }) = &*under_way {
            let ended = said.borrow().is_some() || said.has_changed().is_err();
            match (ended, late) {
                (true, _) => *under_way = None,
                (false, true) => return Turn::Late,
                (false, false) => return Turn::Wait(said.clone()),
            }
        }
        let secret = Arc::clone(&self.secret);
        let blocking = home.clone();
        let mut read = Box::pin(async move { secret.read(false, blocking.as_ref()).await });
        // What needs neither a file nor a program is there at once.
        if let Poll::Ready(said) = read.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Turn::Known(said);
        }
        let (say, said) = watch::channel(None);
        home.unwrap_or_else(Handle::current).spawn(async move {
            let said = read.await;
            let _ = say.send(Some(said));
        });
        *under_way = Some(UnderWay { said: said.clone(), late: false });
        Turn::Wait(said)
    }

    fn lock(&self) -> MutexGuard<'_, Option<UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

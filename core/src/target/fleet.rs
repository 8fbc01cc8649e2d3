//! The parts of targets and providers in the limits of a fleet, and the places of attempts there.
//! Without `fleet.limits` each is empty.

use std::pin::Pin;
#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

#[cfg(feature = "redis")]
use crate::limit::fleet::{Fleet, Place, Scope, Wish};
use crate::limit::{Gate, Limited, Limits};

/// The fleet of a client.
#[derive(Clone, Default)]
pub(crate) struct Membership {
    #[cfg(feature = "redis")]
    fleet: Option<Fleet>,
}

/// The part of a target, or of a provider.
#[derive(Default)]
pub(super) struct Part {
    #[cfg(feature = "redis")]
    scope: Option<(Fleet, Arc<Scope>)>,
}

/// An attempt's place in the fleet.
#[derive(Default)]
pub(crate) struct FleetPlace {
    /// Boxed: few clients have a fleet, and each call's future would have room for it.
    #[cfg(feature = "redis")]
    place: Option<Box<Place>>,
}

/// A place that is being taken. Boxed: few clients have a fleet, and each call's future would have
/// room for it.
pub(super) type Entering<'a> =
    Pin<Box<dyn Future<Output = Result<FleetPlace, Limited>> + Send + 'a>>;

/// What an attempt asks for.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no fleet to read them"))]
pub(super) struct Entry<'a> {
    /// The gate that learns of a pause.
    pub(super) gate: &'a Gate,
    pub(super) tokens: u64,
    pub(super) wait: bool,
    pub(super) deadline: Instant,
}

impl Membership {
    /// The member of a fleet.
    #[cfg(feature = "redis")]
    pub(crate) fn of(fleet: Fleet) -> Self {
        Membership { fleet: Some(fleet) }
    }

    /// The part of what has this name.
    pub(super) fn part(&self, name: impl FnOnce() -> String, limits: Limits) -> Part {
        #[cfg(feature = "redis")]
        if let Some(fleet) = &self.fleet {
            return Part { scope: Some((fleet.clone(), fleet.scope(&name(), limits))) };
        }
        let _ = (name, limits);
        Part::default()
    }
}

impl Part {
    /// Takes an attempt's place under the limits of this part and of its provider's. `None` means
    /// that there is no fleet. The errors are those of a gate.
    pub(super) fn enter<'a>(
        &'a self,
        provider: Option<&'a Part>,
        entry: Entry<'a>,
    ) -> Option<Entering<'a>> {
        #[cfg(feature = "redis")]
        if let Some((fleet, own)) = &self.scope {
            let provider = provider.and_then(|provider| provider.scope.as_ref());
            return Some(Box::pin(async move {
                let scopes = [Some(own), provider.map(|(_, scope)| scope)];
                let scopes: Vec<&Arc<Scope>> = scopes.into_iter().flatten().collect();
                let Entry { gate, tokens, wait, deadline } = entry;
                let wish = Wish { scopes: &scopes, gate, tokens, wait, deadline };
                Ok(FleetPlace { place: fleet.enter(wish).await?.map(Box::new) })
            }));
        }
        let _ = (provider, entry);
        None
    }

    /// Tells the fleet that the provider asked for a pause.
    pub(super) fn pause(&self, time: Duration) {
        #[cfg(feature = "redis")]
        if let Some((fleet, scope)) = &self.scope {
            fleet.pause(scope, time);
        }
        let _ = time;
    }

    /// What holds the first of the waiting calls back.
    pub(super) fn holds_back(&self) -> Option<Limited> {
        #[cfg(feature = "redis")]
        if let Some((fleet, scope)) = &self.scope {
            return fleet.holds_back(scope);
        }
        None
    }
}

impl FleetPlace {
    /// Corrects the tokens once they are known.
    pub(crate) fn settle(&mut self, actual: u64, now: Instant) {
        #[cfg(feature = "redis")]
        if let Some(place) = &mut self.place {
            place.settle(actual, now);
        }
        let _ = (actual, now);
    }

    /// The provider refused the request itself, so that it used no tokens.
    pub(crate) fn refused(&mut self, now: Instant) {
        #[cfg(feature = "redis")]
        if let Some(place) = &mut self.place {
            place.refused(now);
        }
        let _ = now;
    }

    /// Nothing was sent after all.
    pub(crate) fn unused(&mut self) {
        #[cfg(feature = "redis")]
        if let Some(place) = &mut self.place {
            place.unused();
        }
    }
}

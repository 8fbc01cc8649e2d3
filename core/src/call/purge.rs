//! `op: "cache_purge"`: what is kept for a tenant is forgotten. No provider hears of it.

use std::sync::Arc;

use crate::admission::Admission;
use crate::error::{Error, ErrorKind};
use crate::model::{CachePurge, CachePurged, CacheRemoved};
use crate::observe::{CallFacts, CallOutcome};
use crate::services::Services;

/// Forgets what is kept for a tenant.
pub(crate) fn purge(
    services: &Services,
    admission: &Admission,
    purge: CachePurge,
) -> Result<CachePurged, Error> {
    admission.began(&Arc::new(CallFacts::new(services.process, "cache_purge", None, false)));
    let Some(cache) = &services.cache else {
        let message = "op \"cache_purge\": this client has no cache, so nothing is stored";
        return Err(admission.failed(Error::new(ErrorKind::Unsupported, message)));
    };
    let removed = CacheRemoved { memory: cache.purge(&purge.tenant) };
    admission.ended(&[CallOutcome::default()]);
    Ok(CachePurged { object: "cache.purge", tenant: purge.tenant, removed })
}

//! `op: "cache_purge"`: what is kept for a tenant is forgotten. No provider hears of it.

use std::sync::Arc;

use crate::admission::Admission;
use crate::error::{Error, ErrorKind};
use crate::model::{CachePurge, CachePurged, CacheRemoved};
use crate::observe::{CallFacts, CallOutcome};
use crate::services::Services;

/// Forgets what is kept for a tenant.
pub(crate) async fn purge(
    services: &Services,
    admission: &Admission,
    purge: CachePurge,
) -> Result<CachePurged, Error> {
    admission.began(&Arc::new(CallFacts::new(services.process, "cache_purge", None, false)));
    let Some(cache) = &services.cache else {
        let message = "op \"cache_purge\": this client has no cache, so nothing is stored";
        return Err(admission.failed(Error::new(ErrorKind::Unsupported, message)));
    };
    // Boxed: without the box every call's future would have room for this one.
    let (memory, beyond) = Box::pin(cache.purge(&purge.tenant)).await;
    let redis = beyond.transpose().map_err(|why| {
        let message = format!(
            "op \"cache_purge\": {memory} answers are gone from the memory of this client, but some \
             may be left in Redis: {why}. Purge again"
        );
        let error = Error::new(ErrorKind::Unavailable, message);
        admission.failed(error.with(|e| e.code = Some("redis_away".to_owned())))
    })?;
    admission.ended(&[CallOutcome::default()]);
    let removed = CacheRemoved { memory, redis };
    Ok(CachePurged { object: "cache.purge", tenant: purge.tenant, removed })
}

//! Clients: their handles and the blocking call.

use std::ffi::c_char;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use liter_llm_core::{
    Begun, Client, Config, Environment, Error, ErrorKind, Outcome, Started, Wanted,
};

use crate::document::Document;
use crate::engine::{Engine, panicked, unsaid};
use crate::lane::Lanes;
use crate::{
    LITER_LLM_E_ARGUMENT, LITER_LLM_E_BUSY, LITER_LLM_E_CLOSED, LITER_LLM_E_DESCRIPTORS,
    LITER_LLM_E_FORKED, LITER_LLM_E_INTERNAL, LITER_LLM_FAILED, LITER_LLM_OK, bytes, engine, fork,
    guard, logs, panic, status, sys, thread,
};

/// A client: configuration, connections, limits.
pub struct liter_llm_client {
    generation: u32,
    client: Client,
    lanes: Arc<Lanes>,
    /// Its number among those whose calls are logged.
    number: u64,
}

/// The number of the client behind a handle, for its log records, or the status that says why not.
///
/// # Safety
/// As for [`client`].
pub(crate) unsafe fn number(handle: *const liter_llm_client) -> Result<u64, i32> {
    // SAFETY: as the caller promises.
    unsafe { client(handle) }?;
    // SAFETY: it was just found to be one.
    Ok(unsafe { &*handle }.number)
}

/// The client behind a handle, or the status that says why not.
///
/// # Safety
/// `handle` is NULL or came from `liter_llm_client_new` and has not been freed.
pub(crate) unsafe fn client<'a>(
    handle: *const liter_llm_client,
) -> Result<(&'a Client, &'a Arc<Lanes>), i32> {
    if thread::is_ringing() {
        return Err(LITER_LLM_E_BUSY);
    }
    // SAFETY: as the caller promises.
    let handle = unsafe { handle.as_ref() }.ok_or(LITER_LLM_E_ARGUMENT)?;
    if handle.generation != fork::generation() {
        return Err(LITER_LLM_E_FORKED);
    }
    Ok((&handle.client, &handle.lanes))
}

/// `config`: a JSON document, or NULL for the environment. 1: *error is an owned error document.
///
/// The process's environment is read here (keys, proxies, roots) and never again. As for every
/// getenv, no other thread may call setenv meanwhile. A host that cannot promise that passes the
/// variables to liter_llm_client_new_with_environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_client_new(
    config: *const c_char,
    config_len: usize,
    out: *mut *mut liter_llm_client,
    error: *mut *mut c_char,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        if out.is_null() || error.is_null() {
            return LITER_LLM_E_ARGUMENT;
        }
        // SAFETY: as the header says of every (pointer, length) pair.
        let Some(text) = (unsafe { bytes(config, config_len) }) else {
            return LITER_LLM_E_ARGUMENT;
        };
        let config = (!config.is_null()).then_some(text);
        // SAFETY: neither is NULL, and both are the caller's to write to.
        unsafe { give(make(config, &Environment::process()), out, error) }
    })
}

/// The same in an environment of the caller's: a JSON object of names and values, from which the
/// client takes what it needs. The process's own is not read. NULL is E_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_client_new_with_environment(
    config: *const c_char,
    config_len: usize,
    environment: *const c_char,
    environment_len: usize,
    out: *mut *mut liter_llm_client,
    error: *mut *mut c_char,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        if out.is_null() || error.is_null() || environment.is_null() {
            return LITER_LLM_E_ARGUMENT;
        }
        // SAFETY: as the header says of every (pointer, length) pair.
        let texts = unsafe { (bytes(config, config_len), bytes(environment, environment_len)) };
        let (Some(text), Some(environment)) = texts else { return LITER_LLM_E_ARGUMENT };
        let config = (!config.is_null()).then_some(text);
        let made = Environment::parse(environment).and_then(|given| make(config, &given));
        // SAFETY: neither is NULL, and both are the caller's to write to.
        unsafe { give(made, out, error) }
    })
}

/// A client of this configuration, or of the environment's.
fn make(config: Option<&[u8]>, environment: &Environment) -> Result<(Client, u64), Error> {
    panic::print_places_only();
    let config = match config {
        Some(text) => Config::parse_in(text, environment)?,
        None => Config::from_environment(environment)?,
    };
    engine::set_threads(environment);
    Ok(logs::client(config))
}

/// A client of the process's environment.
pub(crate) fn default_client() -> Result<Client, Error> {
    make(None, &Environment::process()).map(|(client, _)| client)
}

/// Hands a new client to the host, or the error.
///
/// # Safety
/// `out` and `error` may be written to.
unsafe fn give(
    made: Result<(Client, u64), Error>,
    out: *mut *mut liter_llm_client,
    error: *mut *mut c_char,
) -> i32 {
    match made {
        Ok((client, number)) => {
            let lanes = Arc::new(Lanes::new(client.clone()));
            let handle = liter_llm_client { generation: fork::generation(), client, lanes, number };
            // SAFETY: as the caller promises.
            unsafe { *out = Box::into_raw(Box::new(handle)) };
            LITER_LLM_OK
        }
        Err(fault) => {
            // SAFETY: as the caller promises.
            unsafe { *error = Document::copy(&fault.to_json()).give() };
            LITER_LLM_FAILED
        }
    }
}

/// Waits for the answer. 0: *out is an owned response document; 1: an owned error document.
/// `request` says what is asked: only it feeds the cache key and the audit hash. `options`, or NULL,
/// says how and where: provider, timeout_ms, traceparent, retry, fallback, fanout, cache, tags ...;
/// it wins over the request's own "options" member by member.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_client_call(
    client: *mut liter_llm_client,
    request: *const c_char,
    request_len: usize,
    options: *const c_char,
    options_len: usize,
    out: *mut *mut c_char,
    out_len: *mut usize,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: as the header says of handles and (pointer, length) pairs.
        let ((client, lanes), request, options) = unsafe {
            if request.is_null() || out.is_null() || out_len.is_null() {
                return LITER_LLM_E_ARGUMENT;
            }
            let client = match self::client(client) {
                Ok(client) => client,
                Err(status) => return status,
            };
            let (Some(request), Some(options)) =
                (bytes(request, request_len), bytes(options, options_len))
            else {
                return LITER_LLM_E_ARGUMENT;
            };
            (client, request, options)
        };
        if client.is_closed() {
            return LITER_LLM_E_CLOSED;
        }
        let (status, document) = match call(lanes, request, options) {
            Ok(answer) => (LITER_LLM_OK, Document::of(&answer)),
            Err(error) => (LITER_LLM_FAILED, Document::copy(&error.to_json())),
        };
        // SAFETY: neither is NULL, and both are the caller's to write to.
        unsafe {
            *out_len = document.len();
            *out = document.give();
        }
        status
    })
}

/// The engine, started where it is not running.
fn start() -> Result<&'static Engine, Error> {
    engine::start().map_err(|error| refused("start the library's threads", &error))
}

/// The error for what the system refused.
fn refused(what: &str, error: &std::io::Error) -> Error {
    if status::refused(error) == LITER_LLM_E_DESCRIPTORS {
        let message = format!(
            "cannot {what}: no file descriptor is left. Raise the limit of open files (ulimit -n), \
             or close clients and streams that are idle"
        );
        return Error::new(ErrorKind::Connection, message);
    }
    Error::new(ErrorKind::Internal, format!("cannot {what}: {}", error.kind()))
}

/// One call on the calling thread, which waits for it.
pub(crate) fn call(lanes: &Arc<Lanes>, request: &[u8], options: &[u8]) -> Result<Outcome, Error> {
    if thread::is_ringing() {
        let message = "a doorbell called the library: it may only wake another thread";
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    if sys::thread_is_ending() {
        return call_elsewhere(lanes, request, options);
    }
    let engine = start()?;
    if lanes.client().stores_answers() {
        return call_shared(engine, lanes.client(), request, options);
    }
    let lane = lanes.take(engine);
    let lane = lane.map_err(|error| engine.blame(refused("open what a call needs", &error)))?;
    // A lane in which a call panicked is not used again.
    let outcome = guard(None, || {
        let work = pin!(lane.client.answer(request, options));
        Some(lane.drive(engine.until_stopped(work)).unwrap_or_else(|| Err(unsaid())))
    });
    let outcome = match outcome {
        Some(outcome) => {
            lanes.give(lane);
            outcome
        }
        None => Err(panicked()),
    };
    outcome.map_err(|error| engine.blame(error))
}

/// One call of a client that stores answers: a stored one is there at once. Another call may wait for
/// the same one longer than this thread does, so that runs on the library's threads.
fn call_shared(
    engine: &'static Engine,
    client: &Client,
    request: &[u8],
    options: &[u8],
) -> Result<Outcome, Error> {
    let admission = client.admit()?;
    let waiting = match client.begin(admission, request, options, Wanted::WHOLE)? {
        Begun::Answered(outcome) => return Ok(outcome),
        Begun::Waiting(waiting) => waiting,
    };
    match engine.wait(async move { waiting.start().await })? {
        Ok(Started::Whole(outcome)) => Ok(outcome),
        // A whole answer was asked for.
        Ok(Started::Stream(_) | Started::Http(_)) => Err(unsaid()),
        Err(error) => Err(engine.blame(error)),
    }
}

/// The same on a thread made for it: in its last destructors a thread has no thread-local data any
/// more, and without that tokio cannot wait.
fn call_elsewhere(lanes: &Arc<Lanes>, request: &[u8], options: &[u8]) -> Result<Outcome, Error> {
    let outcome = sys::with_signals_blocked(|| {
        std::thread::scope(|scope| {
            thread::builder()
                .spawn_scoped(scope, || call(lanes, request, options))
                .map(|call| call.join())
        })
    });
    match outcome {
        Ok(outcome) => outcome.unwrap_or_else(|_| Err(panicked())),
        Err(error) => Err(refused("start a thread for a call", &error)),
    }
}

/// *out is an owned JSON document ("json") or Prometheus text ("prometheus") of counters so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_client_metrics(
    client: *mut liter_llm_client,
    format: *const c_char,
    out: *mut *mut c_char,
    out_len: *mut usize,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        if format.is_null() || out.is_null() || out_len.is_null() {
            return LITER_LLM_E_ARGUMENT;
        }
        // SAFETY: a handle, and a text that ends in NUL, as the header says.
        let (client, format) = unsafe {
            match self::client(client) {
                Ok((client, _)) => (client, std::ffi::CStr::from_ptr(format)),
                Err(status) => return status,
            }
        };
        let text = match format.to_bytes() {
            b"json" => client.metrics_json(),
            b"prometheus" => client.metrics_prometheus(),
            _ => return LITER_LLM_E_ARGUMENT,
        };
        // SAFETY: neither is NULL, and both are the caller's to write to.
        unsafe {
            *out = Document::copy(&text).give();
            *out_len = text.len();
        }
        LITER_LLM_OK
    })
}

/// How long a cancelled call may take to end. It takes milliseconds.
const CANCELLED: Duration = Duration::from_secs(1);

/// Stops taking requests, waits up to `grace_ms` for those in flight, cancels the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_client_close(
    client: *mut liter_llm_client,
    grace_ms: u32,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        let (client, lanes) = match unsafe { self::client(client) } {
            Ok(both) => both,
            Err(status) => return status,
        };
        // The place in flight is taken here, before the threads of the first request have started.
        let engine = match engine::running() {
            None if client.in_flight() > 0 => engine::start().ok(),
            running => running,
        };
        match engine {
            Some(engine) => {
                let closing = client.clone();
                let grace = Duration::from_millis(grace_ms.into());
                // A call that its queue's reader drives ends when that reader goes on, and the
                // reader may be the thread that waits here. The end of the engine ends the wait,
                // and the work with it.
                let close = async move {
                    let _ = tokio::time::timeout(grace + CANCELLED, closing.close(grace)).await;
                };
                if engine.wait(close).is_err() {
                    client.cancel_all();
                }
            }
            // No request is running.
            None => client.cancel_all(),
        }
        client.disconnect();
        lanes.clear();
        LITER_LLM_OK
    })
}

/// Closes at once and frees. No thread may still be inside a call on this client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_client_free(client: *mut liter_llm_client) {
    guard((), || {
        // SAFETY: a handle, as the header says; in a forked child it is left alone.
        unsafe {
            if let Ok((live, _)) = self::client(client) {
                live.cancel_all();
                drop(Box::from_raw(client));
            }
        }
    });
}

//! One call: the two functions that need no handle.

use std::ffi::{CStr, c_char, c_int};
use std::sync::Arc;

use liter_llm_core::{Error, ErrorKind};
use serde_json::{Number, json};

use crate::client::{self, call};
use crate::document::Document;
use crate::engine::panicked;
use crate::fork::Own;
use crate::guard;
use crate::lane::Lanes;
use crate::sync::{Mutex, lock};

/// The client of the process's own, made from the environment. The lock is held while it is made.
static DEFAULT: Own<Mutex<Option<Arc<Lanes>>>> = Own::new();

/// Sends one request and waits for the answer, on a client of the process's own that is made from
/// the environment at the first call (see liter_llm_client_new). `provider` ("openai"; NULL or "" to
/// route by the model) and `json_req` end in NUL. Returns an owned JSON document: the response, with
/// *out_len its length; or an error document, with *out_len minus its length. Never NULL, never
/// empty. `out_len` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_invoke(
    provider: *const c_char,
    json_req: *const c_char,
    out_len: *mut c_int,
) -> *mut c_char {
    // SAFETY: texts that end in NUL, as the header says.
    let (provider, request) = unsafe { (text(provider), text(json_req)) };
    let outcome = guarded(|| invoke(provider.unwrap_or_default(), request));
    let failed = |error: Error| (Document::copy(&error.to_json()), true);
    let (document, failed) = match outcome {
        Ok(document) if c_int::try_from(document.len()).is_ok() => (document, false),
        Ok(_) => {
            let message = "the answer is longer than INT_MAX bytes: use liter_llm_client_call";
            failed(Error::new(ErrorKind::Unsupported, message))
        }
        Err(error) => failed(error),
    };
    if !out_len.is_null() {
        // Error documents are short. Answers were measured above.
        let len = c_int::try_from(document.len()).unwrap_or(c_int::MAX);
        // SAFETY: not NULL, and the caller's to write to.
        unsafe { *out_len = if failed { -len } else { len } };
    }
    document.give()
}

/// The short form: one prompt to the environment's provider and model (LITER_LLM_PROVIDER,
/// LITER_LLM_MODEL). `max_tokens` 0 and a negative `temperature` leave them to the provider. Writes at
/// most `out_len` bytes with a NUL, cut at a character boundary, and returns the length of the whole
/// text, as snprintf does; negative: it failed, and the buffer holds the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_generate(
    prompt: *const c_char,
    max_tokens: usize,
    temperature: f32,
    out_buf: *mut c_char,
    out_len: usize,
) -> i64 {
    // SAFETY: a text that ends in NUL, as the header says.
    let prompt = unsafe { text(prompt) };
    let outcome = guarded(|| generate(prompt, max_tokens, temperature));
    let (text, failed) = match outcome {
        Ok(text) => (text, false),
        Err(error) => (error.to_string(), true),
    };
    if !out_buf.is_null() && out_len > 0 {
        let end = text.floor_char_boundary(out_len - 1);
        // SAFETY: the caller's buffer holds `out_len` bytes, more than `end`.
        unsafe {
            out_buf.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), end);
            out_buf.add(end).write(0);
        }
    }
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if failed { -len } else { len }
}

/// # Safety
/// `pointer` is NULL or a text that ends in NUL.
unsafe fn text<'a>(pointer: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Turns a panic into an error of kind `internal`.
fn guarded<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    guard(None, || Some(body())).unwrap_or_else(|| Err(panicked()))
}

fn invoke(provider: &[u8], request: Option<&[u8]>) -> Result<Document, Error> {
    let Ok(provider) = std::str::from_utf8(provider) else {
        return Err(Error::invalid("provider", "the provider's name is not UTF-8"));
    };
    let request = request.ok_or_else(|| Error::invalid("request", "json_req is NULL"))?;
    let options = match provider {
        "" => String::new(),
        name => json!({"provider": name}).to_string(),
    };
    let answer = call(&default_client()?, request, options.as_bytes())?;
    Ok(Document::of(&answer))
}

fn generate(prompt: Option<&[u8]>, max_tokens: usize, temperature: f32) -> Result<String, Error> {
    let prompt = prompt.ok_or_else(|| Error::invalid("prompt", "prompt is NULL"))?;
    let prompt = std::str::from_utf8(prompt)
        .map_err(|_| Error::invalid("prompt", "the prompt is not UTF-8"))?;
    let mut request = json!({"prompt": prompt});
    if max_tokens > 0 {
        request["max_tokens"] = max_tokens.into();
    }
    if temperature >= 0.0 || temperature.is_nan() {
        // The text of an f32 is the number that the caller wrote. Its f64 is not (0.7 →
        // 0.699999988).
        let number: Number = temperature.to_string().parse().map_err(|_| {
            Error::invalid("temperature", "the temperature is a number that JSON does not have")
        })?;
        request["temperature"] = number.into();
    }
    let outcome = call(&default_client()?, request.to_string().as_bytes(), b"")?;
    Ok(outcome.chat()?.text().to_owned())
}

fn default_client() -> Result<Arc<Lanes>, Error> {
    let mut client = lock(DEFAULT.get_or_make(Mutex::default));
    if let Some(client) = &*client {
        return Ok(Arc::clone(client));
    }
    let lanes = Arc::new(Lanes::new(client::default_client()?));
    Ok(Arc::clone(client.insert(lanes)))
}

/// Frees the process's own client; the next call makes one anew. Calls that use it go on.
pub(crate) fn free_default_client() {
    let client = DEFAULT.get().and_then(|client| lock(client).take());
    drop(client);
}

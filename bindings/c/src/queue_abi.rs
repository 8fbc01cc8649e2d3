//! Queues: their handles and functions.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{self, liter_llm_client};
use crate::queue::{Doorbell, Queue};
use crate::{
    LITER_LLM_E_ARGUMENT, LITER_LLM_E_BUSY, LITER_LLM_E_FORKED, LITER_LLM_E_INTERNAL, LITER_LLM_OK,
    fork, guard, logs, status, thread,
};

/// A completion queue.
pub struct liter_llm_queue {
    generation: u32,
    queue: Arc<Queue>,
}

/// Heads each record that liter_llm_queue_read writes: 32 bytes in native order, then len payload
/// bytes, then padding to the next multiple of 8.
#[repr(C)]
pub struct liter_llm_event {
    /// The caller's.
    pub token: u64,
    /// LITER_LLM_EVENT_*.
    pub kind: u32,
    /// ERROR: the provider's HTTP status, or 0.
    pub status: i32,
    /// Payload bytes.
    pub len: u32,
    /// CHUNK: how many documents the payload holds.
    pub count: u32,
    /// RESULT: where `,"liter":` begins in the payload, the last member of its object; 0 if there is
    /// none. What stands before it and a `}` are a document too, without that member.
    pub liter: u64,
}

const _: () = assert!(size_of::<liter_llm_event>() == crate::queue::HEAD);

/// Runs on a library thread, which holds no lock: wake somebody up and return. Functions with a
/// handle answer E_BUSY there; a free there does nothing.
pub type liter_llm_doorbell = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

const STREAM_BYTES: u32 = 262_144;

/// The queue behind a handle, or the status that says why not.
///
/// # Safety
/// `handle` is NULL or came from `liter_llm_queue_new` and has not been freed.
pub(crate) unsafe fn queue<'a>(handle: *const liter_llm_queue) -> Result<&'a Arc<Queue>, i32> {
    if thread::is_ringing() {
        return Err(LITER_LLM_E_BUSY);
    }
    // SAFETY: as the caller promises.
    let handle = unsafe { handle.as_ref() }.ok_or(LITER_LLM_E_ARGUMENT)?;
    if handle.generation != fork::generation() {
        return Err(LITER_LLM_E_FORKED);
    }
    Ok(&handle.queue)
}

/// `stream_bytes` bounds what one stream may hold unread before its socket is no longer read.
/// 0: 262144.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_new(
    stream_bytes: u32,
    out: *mut *mut liter_llm_queue,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        if out.is_null() {
            return LITER_LLM_E_ARGUMENT;
        }
        let bytes = if stream_bytes == 0 { STREAM_BYTES } else { stream_bytes };
        let queue = Arc::new(Queue::new(bytes as usize));
        let handle = liter_llm_queue { generation: fork::generation(), queue };
        // SAFETY: not NULL, and the caller's to write to.
        unsafe { *out = Box::into_raw(Box::new(handle)) };
        LITER_LLM_OK
    })
}

/// A descriptor that is readable while events wait: poll it, never read or close it. Negative:
/// LITER_LLM_E_* (E_DESCRIPTORS: none is left; ask again when there is one).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_fd(queue: *mut liter_llm_queue) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        match unsafe { self::queue(queue) } {
            Ok(queue) => queue.fd().unwrap_or_else(|error| status::refused(&error)),
            Err(status) => status,
        }
    })
}

/// Calls `doorbell` whenever the queue stops being empty. NULL ends that, and returns only when no
/// call is running and none will start: after it `user_data` may be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_notify(
    queue: *mut liter_llm_queue,
    doorbell: liter_llm_doorbell,
    user_data: *mut c_void,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        let queue = match unsafe { self::queue(queue) } {
            Ok(queue) => queue,
            Err(status) => return status,
        };
        queue.notify(doorbell.map(|call| Doorbell { call, user_data }));
        LITER_LLM_OK
    })
}

/// Moves as many whole events as fit into `buf`, waiting up to `timeout_ms` for the first (0 does
/// not wait, -1 has no limit). Returns the bytes written, 0 when time is up, or LITER_LLM_E_*
/// (E_CLOSED: closed and nothing left). What does not fit stays, and rings again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_read(
    queue: *mut liter_llm_queue,
    buf: *mut u8,
    cap: usize,
    timeout_ms: i32,
) -> i64 {
    guard(i64::from(LITER_LLM_E_INTERNAL), || {
        if buf.is_null() || cap > isize::MAX as usize {
            return i64::from(LITER_LLM_E_ARGUMENT);
        }
        // SAFETY: a handle and `cap` writable bytes, as the header says.
        let (queue, buf) = unsafe {
            match self::queue(queue) {
                Ok(queue) => (queue, std::slice::from_raw_parts_mut(buf, cap)),
                Err(status) => return i64::from(status),
            }
        };
        let wait = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        queue.read(buf, wait)
    })
}

/// Bytes that the next event needs; 0 when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_next_size(queue: *mut liter_llm_queue) -> usize {
    // SAFETY: a handle, as the header says.
    guard(0, || unsafe { self::queue(queue) }.map_or(0, |queue| queue.next_size()))
}

/// Adds log records of `level` (0 off, 1 error, 2 warn, 3 info, 4 debug) to this queue: of
/// the calls of every client. At most 10,000 records or 4 MiB of them wait unread: of more, the
/// oldest are dropped, and a record "dropped" says how many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_logs(queue: *mut liter_llm_queue, level: i32) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        let queue = match unsafe { self::queue(queue) } {
            Ok(queue) => queue,
            Err(status) => return status,
        };
        set_logs(queue, level, None)
    })
}

/// The same, of the calls of one client only. It replaces what the queue wanted before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_logs_of(
    queue: *mut liter_llm_queue,
    client: *const liter_llm_client,
    level: i32,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: handles, as the header says.
        match unsafe { (self::queue(queue), client::number(client)) } {
            (Ok(queue), Ok(number)) => set_logs(queue, level, Some(number)),
            (Err(status), _) | (_, Err(status)) => status,
        }
    })
}

fn set_logs(queue: &Arc<Queue>, level: i32, client: Option<u64>) -> i32 {
    let level = match u8::try_from(level) {
        Ok(level) if level <= 4 => level,
        _ => return LITER_LLM_E_ARGUMENT,
    };
    logs::set(&Arc::downgrade(queue), level, client);
    LITER_LLM_OK
}

/// Refuses submits, cancels what runs, wakes the reader; what is queued can still be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_close(queue: *mut liter_llm_queue) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        match unsafe { self::queue(queue) } {
            Ok(queue) => {
                queue.close();
                LITER_LLM_OK
            }
            Err(status) => status,
        }
    })
}

/// Closes, drops what is left, closes its descriptor at once and frees. No thread may be inside
/// liter_llm_queue_read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_queue_free(queue: *mut liter_llm_queue) {
    guard((), || {
        // SAFETY: a handle, as the header says; in a forked child it is left alone.
        unsafe {
            if let Ok(live) = self::queue(queue) {
                live.discard();
                drop(Box::from_raw(queue));
            }
        }
    });
}

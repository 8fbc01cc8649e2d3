//! Text that the caller owns until it hands it to `liter_llm_free`.
//!
//! A small header in front of the text holds its size, so that freeing needs no length, and a magic
//! number, so that a debug build tells a wrong or second free from a right one.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_char;

#[repr(C)]
struct Header {
    size: usize,
    magic: u64,
}

const LIVE: u64 = 0x6c69_7465_725f_6c6c;
const DEAD: u64 = 0x6465_6164_6465_6164;
const HEAD: usize = size_of::<Header>();

fn layout(size: usize) -> Layout {
    // A document has at most some 32 MiB; the sum cannot overflow.
    Layout::from_size_align(HEAD + size, align_of::<Header>()).unwrap_or(Layout::new::<Header>())
}

/// A copy of `text` with a NUL behind it, owned by the caller.
pub(crate) fn give(text: &[u8]) -> *mut c_char {
    let layout = layout(text.len() + 1);
    // SAFETY: the layout has a size; the writes stay inside it.
    unsafe {
        let base = alloc(layout);
        if base.is_null() {
            handle_alloc_error(layout);
        }
        base.cast::<Header>().write(Header { size: text.len() + 1, magic: LIVE });
        let start = base.add(HEAD);
        start.copy_from_nonoverlapping(text.as_ptr(), text.len());
        start.add(text.len()).write(0);
        start.cast()
    }
}

/// Frees any document this library returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_free(document: *mut c_char) {
    if document.is_null() {
        return;
    }
    // SAFETY: `give` put a header in front of the text.
    unsafe {
        let base = document.cast::<u8>().sub(HEAD);
        let header = base.cast::<Header>();
        if cfg!(debug_assertions) && (*header).magic != LIVE {
            eprintln!("liter_llm_free: not a document of this library, or freed twice");
            std::process::abort();
        }
        (*header).magic = DEAD;
        dealloc(base, layout((*header).size));
    }
}

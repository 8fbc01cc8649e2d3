//! Text that the caller owns until it hands it to `liter_llm_free`.
//!
//! A small head in front of the text holds the size of the memory, so that freeing needs no length.
//! It also holds a magic number, so that a debug build tells a wrong or second free from a right
//! one. Answers are written behind the head at once, and not copied.

use std::ffi::c_char;
use std::mem::ManuallyDrop;

use liter_llm_core::Outcome;

/// The capacity of the memory, then the magic number.
const HEAD: usize = 16;
const LIVE: u64 = 0x6c69_7465_725f_6c6c;
const DEAD: u64 = 0x6465_6164_6465_6164;

/// A text with room for its head in front.
pub(crate) struct Document(Vec<u8>);

impl Document {
    pub(crate) fn of(answer: &Outcome) -> Self {
        Document(answer.to_json_behind(HEAD).bytes)
    }

    pub(crate) fn copy(text: &[u8]) -> Self {
        let mut document = Vec::with_capacity(HEAD + text.len() + 1);
        document.extend_from_slice(&[0; HEAD]);
        document.extend_from_slice(text);
        Document(document)
    }

    /// Bytes of the text.
    pub(crate) fn len(&self) -> usize {
        self.0.len() - HEAD
    }

    /// The text with a NUL behind it, owned by the caller.
    pub(crate) fn give(self) -> *mut c_char {
        let mut document = ManuallyDrop::new(self.0);
        document.push(0);
        if cfg!(debug_assertions) {
            // A sanitizer then reports a read behind the text.
            document.shrink_to_fit();
        }
        let capacity = document.capacity() as u64;
        document[..8].copy_from_slice(&capacity.to_ne_bytes());
        document[8..HEAD].copy_from_slice(&LIVE.to_ne_bytes());
        // SAFETY: it is longer than its head.
        unsafe { document.as_mut_ptr().add(HEAD).cast() }
    }
}

/// Frees any document this library returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_free(document: *mut c_char) {
    if document.is_null() {
        return;
    }
    // SAFETY: `give` put a head in front of the text, and left the memory of a `Vec` to the caller.
    unsafe {
        let base = document.cast::<u8>().sub(HEAD);
        let (capacity, magic) = (base.cast::<u64>(), base.add(8).cast::<u64>());
        if cfg!(debug_assertions) && magic.read_unaligned() != LIVE {
            eprintln!("liter_llm_free: not a document of this library, or freed twice");
            std::process::abort();
        }
        magic.write_unaligned(DEAD);
        drop(Vec::from_raw_parts(base, 0, capacity.read_unaligned() as usize));
    }
}

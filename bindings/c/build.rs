//! Linker arguments of the shared library.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Library threads and the fork handler outlive any dlclose: the code must stay mapped.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libliter_llm.so");
    }
    println!("cargo::rerun-if-changed=build.rs");
}

//! Linker arguments of the shared library.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Library threads and the fork handler outlive any dlclose: the code must stay mapped.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // A release's name carries the ABI's number; in a checkout programs find the plain one.
        let soname = std::env::var("LITER_LLM_SONAME");
        let soname = soname.as_deref().unwrap_or("libliter_llm.so");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    }
    println!("cargo::rerun-if-env-changed=LITER_LLM_SONAME");
    println!("cargo::rerun-if-changed=build.rs");
}

//go:build !cgo && (liter_llm_system || (linux && amd64))

package native

// A build without cgo ends here, and the compiler says this name.
var _ = liter_llm_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler

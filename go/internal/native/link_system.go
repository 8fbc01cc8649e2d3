//go:build liter_llm_system

package native

// An installed library, by pkg-config.

// #cgo pkg-config: liter_llm
import "C"

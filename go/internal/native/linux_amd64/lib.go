//go:build linux && amd64

// Package linux_amd64 links libliter_llm.a, which `make go-lib` puts beside this file.
//
// The file is Go so that vendoring keeps the folder, and the archive with it. In a release the folder
// is a module of its own (see go/README.md): a user downloads the archive of one platform only.
package linux_amd64

// #cgo LDFLAGS: ${SRCDIR}/libliter_llm.a -lpthread -lm -ldl
import "C"

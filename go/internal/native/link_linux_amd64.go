//go:build cgo && !liter_llm_system

package native

// The archive of this platform, and how it is linked.
import _ "github.com/liter-llm/liter-llm/go/internal/native/linux_amd64"

//go:build !liter_llm_system && !(linux && amd64)

package native

// A build for a platform whose archive is not here ends here, and the compiler says this name. An
// installed library can serve it: see link_system.go.
var _ = liter_llm_has_no_archive_for_this_GOOS_and_GOARCH__install_its_library_and_build_with_tags_liter_llm_system

package literllm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a command to its good end.
func run(t *testing.T, folder string, variables []string, words ...string) string {
	t.Helper()
	command := exec.Command(words[0], words[1:]...)
	command.Dir, command.Env = folder, append(os.Environ(), variables...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, output)
	}
	return string(output)
}

// installed makes a prefix with a library, the header and a liter_llm.pc, as a packager would. The
// place is the same every time, because Go's build cache serves what it has compiled for it.
func installed(t *testing.T, name, library string) (prefix string) {
	t.Helper()
	prefix = filepath.Join(root(), "target/go", name)
	for from, to := range map[string]string{
		library: "lib/" + filepath.Base(library), filepath.Join(root(), "include/liter_llm.h"): "include/liter_llm.h",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(prefix, to), string(text))
	}
	write(t, filepath.Join(prefix, "lib/pkgconfig/liter_llm.pc"), fmt.Sprintf(
		"prefix=%s\nName: liter_llm\nDescription: liter-llm\nVersion: 0.1.0\n"+
			"Cflags: -I${prefix}/include\nLibs: -L${prefix}/lib -lliter_llm -lpthread -lm -ldl\n", prefix))
	return prefix
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// systemTests are this package's tests, linked with an installed library.
func systemTests(t *testing.T, prefix string) string {
	t.Helper()
	program := filepath.Join(prefix, "package.test")
	variables := []string{
		"PKG_CONFIG_PATH=" + filepath.Join(prefix, "lib/pkgconfig"),
		// The cache's key has the compiler's flags, but not the output of pkg-config.
		"CGO_CFLAGS=-O2 -g -I" + filepath.Join(prefix, "include"),
	}
	run(t, filepath.Join(root(), "go"), variables,
		"go", "test", "-c", "-tags", "liter_llm_system", "-o", program, ".")
	return program
}

// A build that fails says what to do: the name that the compiler does not know is the message.
func TestBuildsThatCannotBe(t *testing.T) {
	for _, row := range []struct{ variables, tags, file string }{
		{"CGO_ENABLED=0", "", "needs_cgo.go"},
		{"CGO_ENABLED=0", "liter_llm_system", "needs_cgo.go"},
		{"GOARCH=arm64", "", "needs_library.go"},
		{"GOARCH=arm64 CGO_ENABLED=1", "", "needs_library.go"},
		{"GOOS=darwin", "", "needs_library.go"},
		{"GOARCH=arm64 CGO_ENABLED=1", "liter_llm_system", ""},
		{"CGO_ENABLED=1", "", ""},
	} {
		listed := run(t, root()+"/go", strings.Fields(row.variables), "go", "list",
			"-tags", row.tags, "-f", "{{join .GoFiles \" \"}}", "./internal/native")
		needs := ""
		for _, name := range strings.Fields(listed) {
			if strings.HasPrefix(name, "needs_") {
				needs += name
			}
		}
		if needs != row.file {
			t.Errorf("%+v: %s", row, listed)
		}
	}
	notShort(t, "it compiles")
	command := exec.Command("go", "build", "./internal/native")
	command.Dir, command.Env = root()+"/go", append(os.Environ(), "CGO_ENABLED=0")
	output, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "set_CGO_ENABLED_1_and_install_a_C_compiler") {
		t.Errorf("%v %s", err, output)
	}
}

func TestAnInstalledLibrary(t *testing.T) {
	notShort(t, "it compiles other programs")
	library := os.Getenv("LITER_LLM_LIB")
	if library == "" {
		var err error
		if library, err = built("libliter_llm.so"); err != nil {
			t.Fatal(err)
		}
	}
	prefix := installed(t, "shared", library)
	program := systemTests(t, prefix)
	libraries := []string{"LD_LIBRARY_PATH=" + filepath.Join(prefix, "lib")}
	if needed := run(t, prefix, libraries, "ldd", program); !strings.Contains(needed, prefix) {
		t.Error(needed)
	}
	run(t, filepath.Join(root(), "go"), libraries, program, "-test.run", "^Test(Chat|Stream)$")
}

// debugArchive is the localised archive of the library's debug build.
func debugArchive(t *testing.T) string {
	t.Helper()
	path := filepath.Join(root(), "target/debug/static/libliter_llm.a")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: make go-lib-debug", err)
	}
	return path
}

func TestDebugArchive(t *testing.T) {
	notShort(t, "it compiles other programs")
	program := systemTests(t, installed(t, "debug", debugArchive(t)))
	debug := []string{"LITER_LLM_TEST_PROFILE=debug"}
	run(t, filepath.Join(root(), "go"), debug, program, "-test.run", "^Test(Panic|Chat|Stream)$")
}

const otherRust = `
#[unsafe(no_mangle)]
pub extern "C" fn other_catches() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(|| { if std::env::args().count() < 99 { panic!("other") } });
    i32::from(result.is_err())
}
`

const twoArchives = `
#include <stdio.h>
#include <string.h>
#include "liter_llm.h"
int other_catches(void);
int main(void) {
  int len = 0, caught = 0;
  for (int i = 0; i < 10; i++) {
    char *document = liter_llm_invoke("openai", "{\"op\":\"debug_panic\"}", &len);
    if (len < 0 && strstr(document, "\"internal\"") != NULL) caught += other_catches();
    liter_llm_free(document);
  }
  printf("%d", caught);
  return 0;
}
`

// The archive and another one of Rust's are in one program, and each catches its own panics.
func TestTwoRustArchives(t *testing.T) {
	notShort(t, "it compiles other programs")
	folder := t.TempDir()
	write(t, filepath.Join(folder, "other.rs"), otherRust)
	write(t, filepath.Join(folder, "main.c"), twoArchives)
	run(t, folder, nil, "rustc", "--edition=2024", "--crate-type=staticlib", "-O", "other.rs")
	for _, order := range [][]string{{debugArchive(t), "libother.a"}, {"libother.a", debugArchive(t)}} {
		link := []string{"cc", "main.c", "-I", filepath.Join(root(), "include"), "-o", "both"}
		link = append(append(link, order...), "-lpthread", "-lm", "-ldl")
		run(t, folder, nil, link...)
		said := run(t, folder, []string{"OPENAI_API_KEY=sk-test", "LITER_LLM_CONFIG="}, "./both")
		if !strings.HasSuffix(said, "10") {
			t.Error(said)
		}
	}
}

// Only the header's functions are global in the archive that is linked.
func TestTheArchivesSymbols(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join(root(), "go/internal/native/*/libliter_llm.a"))
	if err != nil || len(archives) == 0 {
		t.Fatal(err, archives)
	}
	for _, archive := range archives {
		for line := range strings.Lines(run(t, root(), nil, "nm", "-g", "--defined-only", archive)) {
			words := strings.Fields(line)
			if len(words) == 3 && !strings.HasPrefix(words[2], "liter_llm_") {
				t.Errorf("%s: %s", archive, words[2])
			}
		}
	}
}

package reports

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	stdhtml "html"
)

// TestHTMLInABrowser looks at pages in headless Chromium: html/test/page.mjs says what has to be seen there.
func TestHTMLInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts Chromium")
	}
	node, npm := needOneOf(t, "node"), needOneOf(t, "npm")
	chromium := needOneOf(t, "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
	modules, pages := t.TempDir(), t.TempDir()
	if err := os.CopyFS(modules, os.DirFS("html/test")); err != nil {
		t.Fatal(err)
	}
	install := exec.Command(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = modules
	if said, err := install.CombinedOutput(); err != nil {
		missing(t, "npm ci: %v\n%s", err, said)
	}
	played := sample()
	played.Suites[0].Variables = []Property{{"name", "left"}, {"net", "10.1.7"}}
	for name, r := range map[string]*Run{
		"sample": played, "guests": sampleGuests(), "outcomes": outcomesRun(), "unfinished": unfinished(),
		"passed": passed(), "hostile": hostileRun(), "large": largeRun(),
	} {
		finish(t, "html", filepath.Join(pages, name+".html"), r)
	}
	large := html(t, largeRun())
	trivial := "<!DOCTYPE html><title>trivial</title><pre>" + stdhtml.EscapeString(large) + "</pre>"
	if err := os.WriteFile(filepath.Join(pages, "trivial.html"), []byte(trivial), 0o600); err != nil {
		t.Fatal(err)
	}
	look := exec.Command(node, filepath.Join(modules, "page.mjs"), chromium, pages)
	said, err := look.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("page.mjs: %v\n%s\n%s", err, said, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	const least = 28 // checks; none is left out silently
	checks := 0
	for lines := bufio.NewScanner(strings.NewReader(string(said))); lines.Scan(); {
		var line struct{ Test, Error, Log string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("page.mjs says %q", lines.Text())
		}
		if line.Log != "" {
			t.Log(line.Log)
			continue
		}
		checks++
		t.Run(line.Test, func(t *testing.T) {
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	if checks < least {
		t.Errorf("only %d checks", checks)
	}
}

// needOneOf is the path of the first of the programs that is there. Without any the test is skipped, or fails if the
// environment requires all programs.
func needOneOf(t *testing.T, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	missing(t, "the program %s is missing", strings.Join(programs, " or "))
	return ""
}

// missing skips a test, or fails it if the environment requires all programs.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("NETNSCHECK_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

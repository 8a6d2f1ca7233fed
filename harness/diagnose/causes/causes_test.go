package causes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryWordHasAPage, and every page is on a word, once.
func TestEveryWordHasAPage(t *testing.T) {
	names := Names()
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			t.Errorf("%s is in the vocabulary twice", name)
		}
		if _, ok := Page(name); !ok {
			t.Errorf("there is no page on %s", name)
		}
	}
	files, err := pages.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), ".md"); !slices.Contains(names, name) {
			t.Errorf("the page %s is on no word of the vocabulary", f.Name())
		}
	}
}

// TestTheDiagnosisHasNoOtherWords looks for the causes that the diagnosis names.
func TestTheDiagnosisHasNoOtherWords(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	named := regexp.MustCompile(`\bcause\("([a-z0-9-]+)"`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			if _, ok := Page(m[1]); !ok && !strings.HasSuffix(m[1], "-") {
				t.Errorf("%s names the cause %s, which has no page", file, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d causes found in %d files", found, len(files))
	}
}

// TestPages: each has the same parts, and points to causes that there are.
func TestPages(t *testing.T) {
	lookAlike := regexp.MustCompile("(?m)^- ((?:`[a-z0-9-]+`(?:, | and )?)+)")
	for _, name := range Names() {
		text, _ := Page(name)
		at := 0
		for _, part := range []string{"# " + name + "\n\n", "\n## How it shows itself\n\n", "\n## What looks the same\n\n- ", "\n## Prove it\n\n```console\n$ ",
			"\n## Mend it\n\n```console\n$ ", "\nSource: "} {
			i := strings.Index(text[at:], part)
			if i < 0 {
				t.Errorf("%s: %q is missing or out of order", name, part)
				continue
			}
			at += i
		}
		if s := Summary(name); len(s) < 30 || len(s) > 200 || !strings.HasSuffix(s, ".") || strings.Contains(s, "##") {
			t.Errorf("%s: summary %q", name, s)
		}
		for _, m := range lookAlike.FindAllStringSubmatch(text, -1) {
			for _, other := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(m[1], -1) {
				if _, ok := Page(other[1]); !ok || other[1] == name {
					t.Errorf("%s: points to %s", name, other[1])
				}
			}
		}
		for i, line := range strings.Split(text, "\n") {
			if len(line) > 120 {
				t.Errorf("%s: line %d is too long", name, i+1)
			}
		}
	}
}

package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse parses any text: either the problems have lines of the file, or parsing again gives the same scenario.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, s := range []string{"", "---\n---\n# T\n", "---\nhost:\n  interfaces: {a: [10.0.0.1/8]}\n---\n",
		lesson(okStep), "# T\n> [!TIP]\n>\n",
		"1. [ ] `a`\n   ```console\n   $ x\\\n", "## S\n\t- [ ] x\n\n```console fix undo errno=E kernel>=1\n",
		"> > [!TIP]\nlazy\n```", "[x]: y\n- [x] `a`"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		sc, err := Parse("t.md", src)
		if d := ReadDraft("t.md", src); (err == nil) != (d.Scenario != nil && d.Cut == 0) {
			t.Errorf("error %v, and the draft is cut at %d", err, d.Cut)
		}
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("error %T %v", err, err)
			}
			for i, p := range problems {
				if p.Line < 1 || p.Message == "" || i > 0 && p.Line < problems[i-1].Line {
					t.Errorf("problem %+v", p)
				}
			}
			return
		}
		if sc.Title == "" || len(sc.Steps) == 0 {
			t.Errorf("title %q, %d steps", sc.Title, len(sc.Steps))
		}
		_ = Review(sc)
		again, err := Parse("t.md", []byte(sc.Source))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dump(sc), dump(again)); diff != "" {
			t.Error(diff)
		}
	})
}

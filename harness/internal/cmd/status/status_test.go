package status

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIn: kselftest has numbers for pass, fail and skip alone, and nothing that was demanded is skipped.
func TestIn(t *testing.T) {
	demanded := &Error{Status: Cannot, Demanded: true, Cause: errors.New("no busybox")}
	for name, c := range map[string]struct {
		err            error
		own, kselftest int
	}{
		"passed":                 {nil, 0, 0},
		"an error of any kind":   {errors.New("broken"), 1, 1},
		"failed":                 {&Error{Status: Failed}, 1, 1},
		"wrong usage":            {Usagef("bad"), 2, 1},
		"no machine for it":      {fmt.Errorf("run: %w", Cannotf("no room")), 3, 4},
		"no machine, a demand":   {fmt.Errorf("run: %w", demanded), 3, 1},
		"something left behind":  {&Error{Status: Leftover}, 4, 1},
		"interrupted":            {&Error{Status: Cut}, 5, 1},
		"a status of its own":    {&Error{Status: 125}, 125, 1},
		"two errors, one usage":  {errors.Join(errors.New("x"), Usagef("bad")), 2, 1},
		"no machine, and a loss": {With(Cannot, errors.Join(errors.New("no room"), errors.New("lost"))), 3, 4},
	} {
		if got := In(Own, c.err); got != c.own {
			t.Errorf("%s: status %d, want %d", name, got, c.own)
		}
		if got := In(Kselftest, c.err); got != c.kselftest {
			t.Errorf("%s: status %d of kselftest, want %d", name, got, c.kselftest)
		}
	}
	for name, says := range map[string]string{"kselftests": "did you mean kselftest?", "": "want harness or kselftest"} {
		err := CheckSet(name)
		if got, _ := Of(err); got != Usage || !strings.Contains(err.Error(), says) {
			t.Errorf("--exit-codes %q: %v", name, err)
		}
	}
	for _, name := range Sets {
		if err := CheckSet(name); err != nil {
			t.Error(err)
		}
	}
}

// TestMeanings: README and the Vagrantfile give each status the meaning that the help gives it.
func TestMeanings(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	vagrant, err := os.ReadFile(filepath.Join(root, "Vagrantfile"))
	if err != nil {
		t.Fatal(err)
	}
	for status, meaning := range Meanings {
		if row := fmt.Sprintf("\n| %d | %s", status, meaning); !strings.Contains(string(readme), row) {
			t.Errorf("README has no row%s", row)
		}
		inGuest := strings.Replace(meaning, "this machine", "this guest", 1)
		if word := fmt.Sprintf("%d => %q", status, inGuest); status != Passed &&
			!strings.Contains(string(vagrant), strings.TrimSuffix(word, `"`)) {
			t.Errorf("the Vagrantfile has no %s", word)
		}
	}
	if last := fmt.Sprintf("\n| %d | ", len(Meanings)); Cut != len(Meanings)-1 || strings.Contains(string(readme), last) {
		t.Errorf("there are %d meanings, and %d is the last status", len(Meanings), Cut)
	}
}

func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		silent bool
		says   string
	}{
		"nothing":              {nil, 0, true, ""},
		"an error of any kind": {errors.New("broken"), 1, false, "broken"},
		"wrong usage": {Usagef("read %s: %w", "x.md", fs.ErrNotExist), 2, false,
			"read x.md: file does not exist"},
		"no machine for it":  {Cannotf("no room"), 3, false, "no room"},
		"inside another one": {fmt.Errorf("run: %w", Cannotf("no room")), 3, false, "run: no room"},
		"printed already":    {&Error{Status: Leftover}, 4, true, "status 4"},
		"given a status":     {With(Usage, errors.New("bad file")), 2, false, "bad file"},
		"no error with one":  {With(Usage, nil), 0, true, ""},
	} {
		status, silent := Of(c.err)
		if status != c.status || silent != c.silent {
			t.Errorf("%s: status %d, silent %v", name, status, silent)
		}
		if c.err != nil && c.err.Error() != c.says {
			t.Errorf("%s: it says %q", name, c.err)
		}
	}
	if err := Usagef("read: %w", fs.ErrNotExist); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}

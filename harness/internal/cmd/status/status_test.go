package status

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

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

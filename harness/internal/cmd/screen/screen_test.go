package screen

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"netnscheck/harness/term"
)

// TestSheetHeedsTheWidth: on a terminal, text stands behind its label and wraps in columns, not in characters.
func TestSheetHeedsTheWidth(t *testing.T) {
	var out bytes.Buffer
	s := Plain(&out, &out, false)
	s.Terminal, s.Columns = true, 32
	sheet := s.Sheet()
	sheet.Line("世界  ", "one two three four five six")
	sheet.Line("evidence  ", "世界 世界 世界 世界 世界 世界")
	sheet.Verbatim("repair    ", "ip netns exec prodns ip link set vnic-prodns.0 up")
	sheet.Line("", "")
	want := `世界  one two three four five
      six
evidence  世界 世界 世界 世界
          世界 世界
repair    ip netns exec prodns ip link set vnic-prodns.0 up

`
	if out.String() != want || sheet.Err() != nil {
		t.Errorf("%v, got\n%s\nwant\n%s", sheet.Err(), out.String(), want)
	}
	for line := range strings.Lines(out.String()) {
		if n := term.Width(strings.TrimSuffix(line, "\n")); n > 32 && !strings.HasPrefix(line, "repair") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestSheetElsewhereKeepsLines(t *testing.T) {
	var out bytes.Buffer
	s := Plain(&out, &out, false)
	s.Columns = 20
	s.Sheet().Line("evidence  ", "one two three four five six seven")
	if want := "evidence  one two three four five six seven\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestSheetTellsTheFirstError(t *testing.T) {
	sheet := Plain(full{}, full{}, false).Sheet()
	sheet.Line("", "a")
	sheet.Line("", "b")
	if err := sheet.Err(); err == nil || err.Error() != "full" {
		t.Errorf("got %v", err)
	}
}

func TestPage(t *testing.T) {
	const text = "---\nid: a\n---\n# T\n\nSome **bold** words.\n"
	for _, c := range []struct {
		terminal, colour bool
		columns          int
		want             string
	}{
		{false, false, 80, text},
		{true, false, 80, "# T\n\nSome bold words.\n"},
		{true, true, 80, "# \x1b[1mT\x1b[0m\n\nSome \x1b[1mbold\x1b[0m words.\n"},
		{true, false, 5, "# T\n\nSome bold words.\n"}, // too narrow to heed
	} {
		var out bytes.Buffer
		s := Plain(&out, &out, false)
		s.Terminal, s.Colour, s.Columns = c.terminal, c.colour, c.columns
		if err := s.Page(text); err != nil || out.String() != c.want {
			t.Errorf("%+v: %v, got %q", c, err, out.String())
		}
	}
}

// TestOfAFile: a file is no terminal, whatever the environment says of one. In a guest it is told which.
func TestOfAFile(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		env     map[string]string
		columns int
	}{{nil, 80}, {map[string]string{"COLUMNS": "132"}, 132}, {map[string]string{"COLUMNS": "wide"}, 80},
		{map[string]string{"COLUMNS": "-3"}, 80}, {map[string]string{GuestVariable: "6.1"}, 80}} {
		s := Of(file, file, func(name string) string { return c.env[name] })
		if s.Terminal || s.Colour || s.Progress != nil || s.Columns != c.columns || s.Guest != c.env[GuestVariable] {
			t.Errorf("%v: %+v", c.env, s)
		}
	}
}

func TestInCI(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"CI", "true", true}, {"CI", "false", false}, {"CI", "0", false}, {"HOME", "/root", false},
		{"GITHUB_ACTIONS", "true", true}, {"TF_BUILD", "True", true}, {"TEAMCITY_VERSION", "2026.1", true},
	} {
		if got := inCI(func(name string) string { return map[string]string{c.name: c.value}[name] }); got != c.want {
			t.Errorf("%s=%s: %v", c.name, c.value, got)
		}
	}
}

func TestInASCII(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"LC_ALL": "C"}, true},
		{map[string]string{"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, true},
		{map[string]string{"LC_CTYPE": "C"}, true},
		{map[string]string{"LANG": "C"}, true},
		{map[string]string{"LC_ALL": "C.UTF-8", "LANG": "C"}, false},
		{map[string]string{"LC_ALL": "", "LANG": "de_DE.UTF-8"}, false},
	} {
		if got := inASCII(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %v", c.env, got)
		}
	}
}

package term

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWriter(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n":                      "plain\n",
		"::error::x\n":                 ":\\u003aerror::x\n",
		" \t\u00a0\u3000::error::x":    " \t\u00a0\u3000:\\u003aerror::x",
		"a ::error::x":                 "a ::error::x",
		"name\n::add-mask::a\n":        "name\n:\\u003aadd-mask::a\n",
		"\u00ad::error::x":             `\u00ad::error::x`,
		":\u200d:error::x":             `:\u200d:error::x`,
		"\ufe0f:\ufe0f:error::x":       "\ufe0f:\ufe0f\\u003aerror::x",
		": : no command":               ": : no command",
		":::error::x":                  `:\u003a:error::x`,
		"lo: ##[error]x, ##vso[a]":     `lo: ##\u005berror]x, ##vso\u005ba]`,
		"###[group]x #\ufe0f#[group]":  "###\\u005bgroup]x #\ufe0f#\\u005bgroup]",
		"##teamcity[testFailed]":       `##teamcity\u005btestFailed]`,
		"## Heading [x], #[a] ##a #[b": "## Heading [x], #[a] ##a #[b",
		"##\x1b[group]":                `##\x1b[group]`,
		"\x1b[31mred\x1b[0m":           `\x1b[31mred\x1b[0m`,
		"\r::error::x":                 `\x0d::error::x`,
	} {
		var out strings.Builder
		io.WriteString(NewWriter(&out, true), in)
		if out.String() != want {
			t.Errorf("%q is written as %q, want %q", in, out.String(), want)
		}
		out.Reset()
		io.WriteString(NewWriter(&out, false), in)
		if out.String() != Printable(in) {
			t.Errorf("outside CI %q is written as %q", in, out.String())
		}
	}
}

func TestPainted(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out, true)
	in := Paint("1;36", "a") + "\x1b[2J\x1b[31\x1b]0;title\a" + "\n" + Paint("2", "::error::x")
	io.WriteString(w.Painted(), in)
	want := "\x1b[1;36ma\x1b[0m" + `\x1b[2J\x1b[31\x1b]0;title\x07` + "\n\x1b[2m:" + `\u003aerror::x` + "\x1b[0m"
	if out.String() != want {
		t.Errorf("%q is written as %q, want %q", in, out.String(), want)
	}
	out.Reset()
	io.WriteString(w.Painted(), "\n:") // the same lines by both ways
	io.WriteString(w, ":error::x")
	if want := "\n:" + `\u003aerror::x`; out.String() != want {
		t.Errorf("written as %q, want %q", out.String(), want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriterTellsErrors(t *testing.T) {
	if n, err := NewWriter(broken{}, false).Write([]byte("x")); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestWriteJSON(t *testing.T) {
	in := []string{"\x1b[31m\x7f\u009b\u202e\U000e0041\ufffe", "::error::", "plain <&> ü\n\t"}
	var out strings.Builder
	if err := WriteJSON(NewWriter(&out, true), in); err != nil {
		t.Fatal(err)
	}
	want := "[\n  \"\\u001b[31m\\u007f\\u009b\\u202e\\udb40\\udc41\\ufffe\",\n  \"::error::\",\n  " +
		"\"plain <&> ü\\n\\t\"\n]\n"
	if out.String() != want {
		t.Errorf("it is written as\n%s\nwant\n%s", out.String(), want)
	}
	if err := WriteJSON(io.Discard, func() {}); err == nil {
		t.Error("a function is no JSON")
	}
}

// weightless reports whether a comparison by culture ignores a character, by the collation of Unicode.
func weightless(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point) && !unicode.IsSpace(r)
}

var bracketed = regexp.MustCompile(`##[\pL\pN-]*\[`)

// obeyed reports whether a CI runner would take a line for a command.
func obeyed(line string) bool {
	compared := strings.Map(func(r rune) rune {
		if weightless(r) {
			return -1
		}
		return r
	}, line)
	return strings.HasPrefix(strings.TrimSpace(compared), "::") || bracketed.MatchString(compared)
}

// FuzzWriter: text written in any pieces comes out without any effect on a terminal or runner; safe text is unchanged.
func FuzzWriter(f *testing.F) {
	f.Add("name\n ::error::x\u202e", uint64(1), true)
	f.Add("\x1b[31m##[group]\xff\u009b31m", uint64(2), true)
	f.Add("#\ufe0f#vso[a]\r\n:\u00ad:x", uint64(3), false)
	f.Fuzz(func(t *testing.T, text string, seed uint64, ci bool) {
		pieces := rand.New(rand.NewPCG(seed, 0))
		var out strings.Builder
		w := NewWriter(&out, ci)
		for rest := text; rest != ""; {
			n := 1 + pieces.IntN(len(rest))
			if written, err := io.WriteString(w, rest[:n]); written != n || err != nil {
				t.Fatal(written, err)
			}
			rest = rest[n:]
		}
		got := out.String()
		if !utf8.ValidString(got) {
			t.Errorf("%q is no UTF-8", got)
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || weightless(r) &&
				!unicode.Is(unicode.Variation_Selector, r)) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q has %U in it", got, r)
			}
		}
		if ci {
			for _, line := range strings.Split(got, "\n") {
				if obeyed(line) {
					t.Errorf("%q has a line that a runner obeys: %q", got, line)
				}
			}
		}
		if whole := utf8.ValidString(text); whole &&
			got == text != (Printable(text) == text && (!ci || !anyObeyed(text))) {
			t.Errorf("%q came out as %q", text, got)
		}
		js, err := json.Marshal(text)
		var shown strings.Builder
		if err2 := WriteJSON(NewWriter(&shown, ci), text); err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		var want, back string
		if err := json.Unmarshal([]byte(shown.String()), &back); err != nil || json.Unmarshal(js, &want) != nil ||
			back != want {
			t.Errorf("%q came back from JSON as %q: %v", want, back, err)
		}
		if strings.Count(shown.String(), "\n") != 1 || Printable(shown.String()) != shown.String() {
			t.Errorf("%q is not fit to be shown", shown.String())
		}
	})
}

func anyObeyed(text string) bool {
	for _, line := range strings.Split(text, "\n") {
		if obeyed(line) {
			return true
		}
	}
	return false
}

// TestCommandingPassesCommands: what is written by it reaches the runner of CI as it is, and nothing else does; control
// characters reach neither.
func TestCommandingPassesCommands(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out, true)
	fmt.Fprintln(w, "::error::x")
	fmt.Fprintln(w.Commanding(), "::error title=t::y \x1b[31m")
	fmt.Fprintln(w, "::error::z")
	want := `:\u003aerror::x` + "\n" + `::error title=t::y \x1b[31m` + "\n" + `:\u003aerror::z` + "\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

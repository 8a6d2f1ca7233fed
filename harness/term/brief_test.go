package term

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestBrief(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"expected \" one\", found  two", "expected \" one\", found  two"},
		{"a\n  b\r\nc", "a b c"},
		{"a\tb\x1b", `a\x09b\x1b`},
		{`unknown word "` + long + `" (known: fix)`,
			`unknown word "` + strings.Repeat("x", 47) + "…" + strings.Repeat("x", 22) + `" (known: fix)`},
		{strings.Repeat("word ", 10_000) + "end",
			strings.Repeat("word ", 64) + "… " + strings.Repeat("word ", 31) + "end"},
	} {
		if got := Brief(c.text); got != c.want {
			t.Errorf("%.80q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// FuzzBrief: whatever a message quotes, it is one printable line of bounded length, and a short one stays as it is.
func FuzzBrief(f *testing.F) {
	f.Add("a\n b\xff\u202e" + strings.Repeat("ä", 500))
	f.Add(strings.Repeat("two words ", 100))
	f.Fuzz(func(t *testing.T, text string) {
		got := Brief(text)
		if OneLine(got) != got || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q, which is not one printable line", text, got)
		}
		if n := utf8.RuneCountInString(got); n > longText {
			t.Errorf("%.100q becomes %d characters", text, n)
		}
		if len(text) <= longWord && OneLine(text) == text && got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}

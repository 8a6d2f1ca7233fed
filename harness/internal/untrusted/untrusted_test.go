package untrusted

import (
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		size int
		want string
	}{
		{"short", 5, "short"},
		{strings.Repeat("x", 100), 50, strings.Repeat("x", 50-len(CutMark)) + CutMark},
		{strings.Repeat("ä", 50), 50, strings.Repeat("ä", (50-len(CutMark))/2) + CutMark},
		{strings.Repeat("x", 100), 1, CutMark},
	} {
		if got := Cut(c.text, c.size); got != c.want {
			t.Errorf("%.10q to %d: got %q, want %q", c.text, c.size, got, c.want)
		}
	}
}

func TestLastWords(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"one\ntwo\n":                     "one\ntwo",
		"noise\npanic: x\n\ngoroutine 1": "panic: x\n\ngoroutine 1",
		"fatal error: all asleep\x1b":    `fatal error: all asleep\x1b`,
		"noise\nruntime: no thread\nfatal error: x\n": "runtime: no thread\nfatal error: x",
		strings.Repeat("x", 2000):                     strings.Repeat("x", 1024-len(CutMark)) + CutMark,
	} {
		if got := lastWords(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := lastWords(strings.Repeat("line\n", 100)); strings.Count(got, "\n") != 11 {
		t.Errorf("%d lines of a hundred", strings.Count(got, "\n")+1)
	}
	if got := readTail(strings.NewReader(strings.Repeat("x", 3*tailSize) + "end")); len(got) > tailSize ||
		!strings.HasSuffix(got, "end") {
		t.Errorf("kept %d bytes that end in %q", len(got), got[len(got)-3:])
	}
}

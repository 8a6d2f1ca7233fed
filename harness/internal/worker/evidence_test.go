package worker

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// TestBundleWithoutStates: what could not be read is told, and what was printed is there all the same.
func TestBundleWithoutStates(t *testing.T) {
	b := bundle(&lab.Remains{AfterErr: errors.New("list links: no"), ProcessesErr: errors.New("list processes: no"),
		Transcript: []scenario.Exchange{{Line: 7, Command: "ip link", Output: "x", Status: 1, Errno: "EPERM", Note: "wrong"}},
		Lines:      []int{7}})
	for name, want := range map[string]string{
		evidence.After: "list links: no", evidence.AfterJSON: "list links: no", evidence.Difference: "list links: no",
		evidence.Drawing: "list links: no", evidence.Processes: "list processes: no",
		evidence.Before: "nobody has read it", evidence.Diagnosis: "no check says",
	} {
		if !strings.HasPrefix(b.Lacks[name], want) || b.Files[name] != nil {
			t.Errorf("%s: %q, %q", name, b.Files[name], b.Lacks[name])
		}
	}
	want := "line 7$ ip link\nx\n[1 EPERM] after 0s\n^ wrong\n"
	if got := string(b.Files[evidence.Transcript]); got != want || len(b.Lines) != 1 {
		t.Errorf("transcript %q, lines %v", got, b.Lines)
	}
}

// TestBundleIsBounded: what has no room is told, and the transcript is cut and says so.
func TestBundleIsBounded(t *testing.T) {
	huge := strings.Repeat("x", evidence.Size)
	before := &state.State{Namespaces: []state.Namespace{{Name: huge}}}
	after := &state.State{Namespaces: []state.Namespace{{Name: "a"}}}
	b := bundle(&lab.Remains{Before: before, After: after, Transcript: []scenario.Exchange{
		{Line: 1, Command: "first", Output: "short\n"}, {Line: 2, Command: "second", Output: huge},
		{Line: 3, Command: "third", Output: "more"}}})
	total := 0
	for _, content := range b.Files {
		total += len(content)
	}
	if total > evidence.Size {
		t.Errorf("it has %d bytes", total)
	}
	if why := b.Lacks[evidence.BeforeJSON]; !strings.Contains(why, "there is no room for more than 8 MiB") {
		t.Errorf("of before.json it says %q", why)
	}
	text := string(b.Files[evidence.Transcript])
	for _, want := range []string{"line 1$ first\nshort\n[0]", "of 8388608 bytes, there is no room for more\n[0]",
		"line 3$ third\n\n… cut here: 0 of 4 bytes"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in the transcript", want)
		}
	}
}

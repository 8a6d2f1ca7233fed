package proof_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// record is what a person sees, part by part, against a golden file. A part begins with a line `== what was typed`.
type record struct {
	testing.TB
	path string
	want []part
	at   int
	got  []part // with -update
}

type part struct{ typed, shown string }

const mark = "== "

// compared opens the golden file with a name.
func compared(t testing.TB, name string) *record {
	t.Helper()
	r := &record{TB: t, path: filepath.Join("testdata", name+".txt")}
	text, err := os.ReadFile(r.path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if typed, is := strings.CutPrefix(line, mark); is {
			r.want = append(r.want, part{typed: strings.TrimSuffix(typed, "\n")})
		} else if len(r.want) > 0 {
			r.want[len(r.want)-1].shown += line
		}
	}
	return r
}

// end checks that nothing is missing, or writes the file.
func (r *record) end() {
	r.Helper()
	if !*update {
		if r.at < len(r.want) {
			r.Errorf("%s has more: %s%s", r.path, mark, r.want[r.at].typed)
		}
		return
	}
	var b strings.Builder
	for _, p := range r.got {
		fmt.Fprintf(&b, "%s%s\n%s", mark, p.typed, p.shown)
	}
	if old, err := os.ReadFile(r.path); err == nil && string(old) == b.String() {
		return
	}
	if err := os.WriteFile(r.path, []byte(b.String()), 0o644); err != nil {
		r.Error(err)
	}
}

// next is the part that is to come.
func (r *record) next(typed string) string {
	r.Helper()
	if r.at == len(r.want) || r.want[r.at].typed != typed {
		r.Fatalf("%s does not go on with %s%s; -update writes it anew", r.path, mark, typed)
	}
	r.at++
	return r.want[r.at-1].shown
}

// settled is how long the screen stays as it is before -update believes it.
const settled = 500 * time.Millisecond

// shows waits until what the person sees is the next part of the record, and nothing but it.
func (p *person) shows(r *record, typed string, see func() (shown string, whole bool)) {
	p.Helper()
	if *update {
		p.rests(func() bool { _, whole := see(); return whole })
		p.mu.Lock()
		defer p.mu.Unlock()
		shown, _ := see()
		r.got = append(r.got, part{typed, shown})
		return
	}
	want := r.next(typed)
	p.until(func() bool {
		shown, whole := see()
		return whole && shown == want
	}, func() string {
		shown, _ := see()
		return fmt.Sprintf("%s, %s%s (-want +got):\n%s", r.path, mark, typed, cmp.Diff(want, shown))
	})
}

// rests waits until the terminal shows what is right and nothing more comes.
func (p *person) rests(right func() bool) {
	p.Helper()
	p.until(right, func() string { return "it shows\n" + strings.Join(p.lines(), "\n") })
	for {
		p.mu.Lock()
		more, gone := p.more, p.gone
		p.mu.Unlock()
		if gone {
			return
		}
		select {
		case <-more:
		case <-time.After(settled):
			return
		}
	}
}

// prompts compares what stands there since the last prompt, up to the next one.
func (p *person) prompts(r *record, typed string) {
	p.Helper()
	p.shows(r, typed, func() (string, bool) {
		lines := p.lines()
		last := len(lines) - 1
		if last <= p.from && p.from > 0 || last < 0 || !prompt.MatchString(lines[last]) {
			return strings.Join(lines[min(p.from, len(lines)):], "\n"), false
		}
		return text(canonical(lines[p.from:last])), true
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from = len(p.lines()) - 1
}

// says types a command, and compares what follows up to the next prompt.
func (p *person) says(r *record, command string) {
	p.Helper()
	p.types(command + "\n")
	p.prompts(r, command)
}

// pictures compares the whole screen.
func (p *person) pictures(r *record, typed string) {
	p.Helper()
	p.shows(r, typed, func() (string, bool) { return text(p.onScreen()), true })
}

// ends compares what stands there since the last prompt when the program has ended.
func (p *person) ends(r *record, typed string, status int) {
	p.Helper()
	if got := p.leaves(); got != status {
		p.Errorf("%s: status %d, want %d", typed, got, status)
	}
	p.until(func() bool { return p.gone }, func() string { return "somebody keeps it open" })
	p.mu.Lock()
	shown := text(canonical(p.lines()[p.from:]))
	p.mu.Unlock()
	if *update {
		r.got = append(r.got, part{typed, shown})
		return
	}
	if diff := cmp.Diff(r.next(typed), shown); diff != "" {
		p.Errorf("%s, %s%s (-want +got):\n%s", r.path, mark, typed, diff)
	}
}

func text(lines []string) string { return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n" }

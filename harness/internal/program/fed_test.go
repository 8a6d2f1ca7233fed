package program_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
)

func fed(t *testing.T, shell string) *program.Fed {
	t.Helper()
	f, err := program.Feed(labtest.World(t), netns.Host, shell)
	if err != nil {
		t.Skip(err)
	}
	if err := f.Run(t.Context(), program.Prelude, '\n'); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFedShells: a script that is fed line by line runs as it would whole, and each line has ended when Run returns.
func TestFedShells(t *testing.T) {
	const script = "x=1\nfor i in 1 2\n\ndo\n  echo \"$x$i\"\ndone\ncat <<E\nin\n\nhere\nE\necho 'two\n\nlines'\n" +
		"cat\nread y\n(sleep 0.1; echo slow)\necho e\\\nnd\n"
	for _, shell := range []string{"sh", "bash"} {
		f := fed(t, shell)
		lines := strings.SplitAfter(script, "\n")
		lines[0] = "\n" + lines[0] // of which Prelude has had the first byte
		for i, line := range lines {
			next := byte('\n')
			if i+1 < len(lines) && lines[i+1] != "" {
				next = lines[i+1][0]
			}
			if err := f.Run(t.Context(), line, next); err != nil {
				t.Fatalf("%s: %q: %v", shell, line, err)
			}
			if strings.Contains(line, "slow") && !strings.Contains(f.Said(), "slow") {
				t.Errorf("%s: it came back before the line had ended", shell)
			}
		}
		f.Close()
		if status, err := f.Status(); status != 0 || err != nil {
			t.Errorf("%s: status %d, %v", shell, status, err)
		}
		if got, want := f.Said(), "11\n12\nin\n\nhere\ntwo\n\nlines\nslow\nend\n"; got != want {
			t.Errorf("%s: got %q", shell, got)
		}
	}
}

// TestFedShellsEnd: a shell that ends, is replaced, is killed or hangs is noticed.
func TestFedShellsEnd(t *testing.T) {
	for line, status := range map[string]int{"exit 7": 7, "exec true": 0, "kill -9 $$": 137, "kill -9 -1; exit 3": 3} {
		f := fed(t, "sh")
		err := f.Run(t.Context(), "\n"+line+"\n", 'x')
		if err == nil { // it may have read the line before it ended
			err = f.Run(t.Context(), "x=1\n", '\n')
		}
		if got, _ := f.Status(); !errors.Is(err, program.ErrGone) || got != status {
			t.Errorf("%s: %v, status %d", line, err, got)
		}
	}
	f := fed(t, "sh")
	late := errors.New("late")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, late)
	defer cancel()
	if err := f.Run(ctx, "\nsleep 1000\n", '\n'); !errors.Is(err, late) {
		t.Errorf("got %v", err)
	}
	if err := f.Interrupt(t.Context()); err != nil {
		t.Error(err)
	}
	if err := f.Run(t.Context(), "\necho on\n", '\n'); err != nil || f.Said() != "on\n" {
		t.Errorf("after an interrupt: %v, %q", err, f.Said())
	}
	if err := f.Kill(); err != nil {
		t.Error(err)
	}
}

package machine

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/vm/qemu"
)

// TestNoPowerOff: a kernel that does not come to its end after the exit record hangs. A guest that lied, and runs on,
// is ended without a word about its kernel.
func TestNoPowerOff(t *testing.T) {
	for name, c := range map[string]struct {
		lied bool
		want string
	}{
		"after the exit record": {false, "the kernel did not power off within 20ms"},
		"after a lie":           {true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sleep", "1000") // it stands for a qemu that does not end
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() { cmd.Wait(); close(ended) }()
			w := &witness{}
			w.up.Store(true)
			w.over.Store(true)
			w.lied.Store(c.lied)
			short := patience{every: time.Millisecond, off: 20 * time.Millisecond, told: 20 * time.Millisecond}
			hang, cut := watch(t.Context(), &qemu.Process{Process: cmd.Process, Ended: ended}, w, &short, 0)
			if hang != c.want || cut {
				t.Errorf("it hangs: %q; cut: %v", hang, cut)
			}
			end := judge(observation{witness: listened(t, ready+exit), hang: hang})
			if c.want != "" && (end.Class != Hang || !strings.Contains(end.Words, c.want)) {
				t.Errorf("it ends as %s: %s", end.Class, end.Words)
			}
		})
	}
}

// TestOwnLimit: a guest whose clock never tells that its limit has passed is ended all the same, however much it tells.
func TestOwnLimit(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	w := &witness{}
	w.up.Store(true)
	short := patience{every: time.Millisecond, silent: time.Hour, told: 20 * time.Millisecond}
	hang, cut := watch(t.Context(), &qemu.Process{Process: cmd.Process, Ended: ended}, w, &short, time.Millisecond)
	if hang != "the guest did not keep its limit of 1ms in 64 times as long" || cut {
		t.Errorf("it hangs: %q; cut: %v", hang, cut)
	}
}

func listened(t *testing.T, frames string) *witness {
	w, _ := listen(t, frames)
	return w
}

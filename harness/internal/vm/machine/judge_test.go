package machine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/kernelfault"
	"netnscheck/harness/internal/vm/wire"
)

// TestJudge: each end has one class, and only a clean exit record is a pass.
func TestJudge(t *testing.T) {
	up := func(exit *wire.Exit) *witness {
		return &witness{ready: &wire.Ready{Uptime: time.Second, Taint: 4096}, exit: exit}
	}
	clean := func() *witness { return up(&wire.Exit{Taint: 4096}) }
	for name, c := range map[string]struct {
		o     observation
		class Class
		words string
	}{
		"passed": {observation{witness: clean()}, Passed, "passed"},
		"failed": {observation{witness: up(&wire.Exit{Status: 1, Taint: 4096})},
			Failed, "status 1"},
		"a taint": {observation{witness: up(&wire.Exit{Taint: 4096 | 64})},
			Taint, "a user asked for the taint (U)"},
		"a taint of the modules": {observation{witness: clean()}, Passed, ""},
		"a warning": {observation{witness: clean(),
			faults: []kernelfault.Fault{{Class: Warn, Title: "WARNING: x", Uptime: 2 * time.Second}}},
			Warn, "WARNING: x"},
		"a warning at boot": {observation{witness: clean(),
			faults: []kernelfault.Fault{{Class: Warn, Title: "WARNING: x", Uptime: time.Millisecond}}},
			Passed, ""},
		"a warning without a time": {observation{witness: clean(),
			faults: []kernelfault.Fault{{Class: Warn, Title: "WARNING: x"}}},
			Warn, ""},
		"a BUG at boot": {observation{witness: clean(),
			faults: []kernelfault.Fault{{Class: Bug, Title: "BUG: x", Uptime: time.Millisecond}}},
			Bug, "BUG: x"},
		"an oops and its panic": {observation{witness: up(nil),
			faults: []kernelfault.Fault{{Class: Oops, Title: "Oops: 0000 [#1]",
				At: "f+0x1/0x2", Process: "ip (7)"},
				{Class: Panic}}},
			Oops, "Oops: 0000 [#1], at f+0x1/0x2, in the process ip (7)"},
		"a panic after a warning": {observation{witness: up(nil),
			faults: []kernelfault.Fault{{Class: Warn},
				{Class: Panic, Title: "Kernel panic"}}},
			Panic, "Kernel panic"},
		"a panic and an exit record": {observation{witness: clean(),
			faults: []kernelfault.Fault{{Class: Panic, Title: "Kernel panic"}}},
			Panic, ""},
		"memory used up": {observation{witness: up(&wire.Exit{Status: 137}),
			faults: []kernelfault.Fault{{Class: OutOfMemory, Title: "Out of memory: x"}}},
			OutOfMemory, ""},
		"no exit record": {observation{witness: up(nil)}, NoResult, "without an exit record"},
		"qemu killed": {observation{witness: up(nil), qemu: "qemu was killed"},
			NoResult, "qemu was killed"},
		"qemu killed after the record": {observation{witness: clean(), qemu: "qemu was killed"}, Passed, ""},
		"qemu refused": {observation{witness: &witness{}, qemu: "qemu exited with status 1: no memory"},
			NotStarted, "no memory"},
		"nothing on the console": {observation{witness: &witness{}}, NotStarted, "printed nothing"},
		"a panic at boot": {observation{witness: &witness{}, console: true,
			faults: []kernelfault.Fault{{Class: Panic, Title: "Kernel panic - not syncing: x"}}},
			Panic, ""},
		"no init": {observation{witness: &witness{}, console: true,
			faults: []kernelfault.Fault{{Class: Panic, Title: "Kernel panic - not syncing: No working init found."}}},
			NotStarted, "no init"},
		"an end at boot": {observation{witness: &witness{}, console: true}, NoResult, ""},
		"not prepared": {observation{witness: &witness{exit: &wire.Exit{Trouble: "mount /dev"}}, console: true},
			NotStarted, "mount /dev"},
		"a hang": {observation{witness: up(nil), hang: "no sign of life",
			faults: []kernelfault.Fault{{Class: Hang},
				{Class: Panic, Title: "Kernel panic - not syncing: NMI: Not continuing"}}},
			Hang, "no sign of life"},
		"a panic that hangs": {observation{witness: up(nil), hang: "no sign of life",
			faults: []kernelfault.Fault{{Class: Panic, Title: "Kernel panic - not syncing: x"}}},
			Panic, "not syncing: x"},
		"an oops, then a hang": {observation{witness: up(nil), hang: "no sign of life",
			faults: []kernelfault.Fault{{Class: Oops, Title: "Oops"}}},
			Oops, ""},
		"a limit": {observation{witness: up(&wire.Exit{Status: 143, Limit: "it still ran"})},
			Hang, "it still ran"},
		"a stall under load": {observation{witness: up(&wire.Exit{Taint: 4096 | 1<<14}),
			faults: []kernelfault.Fault{{Class: Hang, Title: "soft lockup"}}},
			Passed, ""},
		"a taint of a stall in virtual time": {observation{witness: up(&wire.Exit{Taint: 4096 | 1<<14}), virtual: true},
			Taint, "a soft lockup occurred (L)"},
		"a stall and another taint": {observation{witness: up(&wire.Exit{Taint: 4096 | 1<<14 | 64})},
			Taint, "a user asked for the taint (U)"},
		"a stall in virtual time": {observation{witness: clean(), virtual: true,
			faults: []kernelfault.Fault{{Class: Hang, Title: "soft lockup"}}},
			Hang, "soft lockup"},
		"a lie": {observation{witness: &witness{ready: &wire.Ready{}, violation: errors.New("a frame that lies")}},
			NoResult, "the guest sent a frame that lies"},
		"results that are lost": {observation{witness: up(&wire.Exit{Trouble: "send x: 5 bytes are too much"})},
			NoResult, "too much"},
	} {
		end := judge(c.o)
		if end.Refused != (name == "qemu refused") {
			t.Errorf("%s: qemu refused it: %v", name, end.Refused)
		}
		if end.Class != c.class || !strings.Contains(end.Words, c.words) || end.Words == "" && c.class != Panic {
			t.Errorf("%s: %s, %q; want %s, %q", name, end.Class, end.Words, c.class, c.words)
		}
	}
}

// TestBeforeTheRun: what a kernel did before the harness started is told beside the class.
func TestBeforeTheRun(t *testing.T) {
	w := &witness{ready: &wire.Ready{Uptime: time.Second, Taint: 1 << 9}, exit: &wire.Exit{Taint: 1 << 9}}
	end := judge(observation{witness: w, faults: []kernelfault.Fault{{Class: Warn, Title: "WARNING: x", At: "f+0x1/0x2",
		Uptime: time.Millisecond}}})
	if end.Class != Passed || end.TaintBefore() != "the kernel warned (W)" ||
		strings.Join(end.BootWarnings(), "; ") != "WARNING: x, at f+0x1/0x2" {
		t.Errorf("%s, tainted by %q, %q", end.Class, end.TaintBefore(), end.BootWarnings())
	}
	if end = (End{}); end.TaintBefore() != "" || end.BootWarnings() != nil {
		t.Error("a kernel that did not boot has told of its boot")
	}
}

func TestTaintWords(t *testing.T) {
	for flags, want := range map[uint64]string{
		0: "", 1: "a proprietary module was loaded (P)", 1<<12 | 1<<13: "an externally built module was loaded (O), " +
			"an unsigned module was loaded (E)", 1<<18 | 1<<40: "a test of the kernel itself was run (N), flag 40",
	} {
		if got := kernelfault.TaintWords(flags); got != want {
			t.Errorf("%d: %q, want %q", flags, got, want)
		}
	}
}

package kernelfault

import (
	"fmt"
	"strings"
)

// taints are the flags of /proc/sys/kernel/tainted, by bit (Documentation/admin-guide/tainted-kernels.rst).
var taints = []struct{ letter, words string }{
	{"P", "a proprietary module was loaded"},
	{"F", "a module was loaded by force"},
	{"S", "the processor is out of specification"},
	{"R", "a module was unloaded by force"},
	{"M", "the processor reported a machine check"},
	{"B", "a page of memory was in a bad state"},
	{"U", "a user asked for the taint"},
	{"D", "the kernel died: an oops or a BUG"},
	{"A", "an ACPI table was overridden"},
	{"W", "the kernel warned"},
	{"C", "a staging driver was loaded"},
	{"I", "a fault of the firmware was worked around"},
	{"O", "an externally built module was loaded"},
	{"E", "an unsigned module was loaded"},
	{"L", "a soft lockup occurred"},
	{"K", "the kernel was live patched"},
	{"X", "an auxiliary flag of the distribution"},
	{"T", "the layout of structures was randomized"},
	{"N", "a test of the kernel itself was run"},
}

// Faults are the flags that tell of a fault of the kernel: a page in a bad state, an oops, a warning. The others tell
// of modules that were loaded, of hardware and firmware, of what a user wanted, or of a machine that is too busy
// (include/linux/panic.h).
const Faults = 1<<5 | 1<<7 | 1<<9

// SoftLockup is the flag of the kernel's watchdog.
const SoftLockup = 1 << 14

// TaintWords are flags in words, with their letters.
func TaintWords(flags uint64) string {
	var words []string
	for bit := range 64 {
		switch {
		case flags&(1<<bit) == 0:
		case bit < len(taints):
			words = append(words, fmt.Sprintf("%s (%s)", taints[bit].words, taints[bit].letter))
		default:
			words = append(words, fmt.Sprintf("flag %d", bit))
		}
	}
	return strings.Join(words, ", ")
}

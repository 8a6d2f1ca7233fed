package machine

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

// softLockup is the flag of the kernel's watchdog (TAINT_SOFTLOCKUP in include/linux/panic.h).
const softLockup = 1 << 14

// taintWords are flags in words, with their letters.
func taintWords(flags uint64) string {
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

package kernel

import (
	"os"
	"strconv"
	"strings"
)

// AvailableMemory is how many bytes of memory new programs can use, limited by the machine and by the control group of
// this process; not ok if the kernel does not report it.
func AvailableMemory() (bytes int64, ok bool) {
	kilobytes, ok := counter("/proc/meminfo", "MemAvailable:")
	bytes = kilobytes << 10
	for _, group := range []struct{ controller, limit, usage, cache string }{
		{"", "memory.max", "memory.current", "inactive_file"},
		{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"},
	} {
		limit, limited := bytesIn(groupFile(group.controller, group.limit))
		usage, counted := bytesIn(groupFile(group.controller, group.usage))
		if limited && counted {
			cache, _ := counter(groupFile(group.controller, "memory.stat"), group.cache) // reclaimable
			bytes = min(bytes, max(0, limit-usage+cache))
		}
	}
	return bytes, ok
}

// counter is the number after a word in a file of the kernel.
func counter(file, word string) (n int64, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == word {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// bytesIn is the number in a file; not ok if there is none, such as "max" for no limit.
func bytesIn(file string) (n int64, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

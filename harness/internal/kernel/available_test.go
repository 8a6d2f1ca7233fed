package kernel

import "testing"

func TestAvailableMemory(t *testing.T) {
	available, ok := AvailableMemory()
	total, _ := counter("/proc/meminfo", "MemTotal:")
	if !ok || available <= 0 || available > total<<10 {
		t.Errorf("%d bytes of %d KiB, %v", available, total, ok)
	}
}

package play

import (
	"cmp"
	"strconv"

	"netnscheck/harness/internal/kernel"
	"netnscheck/reports"
)

// properties are the facts about a run that every report has.
func properties(seed int64, sandboxed bool, pace float64) []reports.Property {
	mode := "off"
	if sandboxed {
		mode = "on"
	}
	return []reports.Property{
		{Name: "kernel", Value: kernel.Release()},
		{Name: "architecture", Value: kernel.Arch()},
		{Name: "iproute2", Value: cmp.Or(kernel.IPRoute2(), "none")},
		{Name: "busybox", Value: cmp.Or(kernel.Busybox(), "none")},
		{Name: "seed", Value: strconv.FormatInt(seed, 10)},
		{Name: "sandbox", Value: mode},
		{Name: "privilege", Value: kernel.Privilege()},
		{Name: reports.Pace, Value: strconv.FormatFloat(pace, 'f', 1, 64)},
	}
}

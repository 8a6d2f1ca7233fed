package play

import (
	"cmp"
	"strconv"

	"netnscheck/harness/internal/kernel"
	"netnscheck/reports"
)

// properties are the facts about a run that every report has.
func properties(s *Settings, sandboxed bool, pace float64) []reports.Property {
	mode := "off"
	if sandboxed {
		mode = "on"
	}
	all := []reports.Property{
		{Name: "kernel", Value: kernel.Release()},
		{Name: "architecture", Value: kernel.Arch()},
		{Name: "iproute2", Value: cmp.Or(kernel.IPRoute2(), "none")},
		{Name: "busybox", Value: cmp.Or(kernel.Busybox(), "none")},
		{Name: "seed", Value: strconv.FormatInt(s.Seed, 10)},
		{Name: "sandbox", Value: mode},
		{Name: "privilege", Value: kernel.Privilege()},
		{Name: reports.Pace, Value: strconv.FormatFloat(pace, 'f', 1, 64)},
	}
	if len(s.Taken) > 0 {
		all = append(all, reports.Property{Name: "blocks", Value: TakenWords(s.Taken)})
	}
	if s.Shard != nil {
		all = append(all, reports.Property{Name: reports.ShardProperty, Value: s.Shard.String()})
	}
	return all
}

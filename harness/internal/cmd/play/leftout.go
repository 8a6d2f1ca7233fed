package play

import (
	"cmp"
	"slices"

	"netnscheck/harness/internal/program"
	"netnscheck/reports"
)

// tellLeftOut records in a run what was left out because programs are missing, and how to install them: the drivers,
// then the programs whose absence skipped cases, sorted by the number of cases.
func tellLeftOut(r *reports.Run, drivers []reports.LeftOut) {
	cases := map[string]int{}
	drivers = slices.Clone(drivers)
	for i := range r.Suites {
		if s := &r.Suites[i]; s.Absent != "" {
			d := slices.IndexFunc(drivers, func(l reports.LeftOut) bool { return l.Driver == s.Driver })
			drivers[d].Cases += len(s.Cases)
			continue
		}
		for _, c := range r.Suites[i].Cases {
			for _, name := range c.Missing {
				cases[name]++
			}
		}
	}
	var programs []reports.LeftOut
	for name, n := range cases {
		programs = append(programs, reports.LeftOut{
			Program: name, Package: program.Package(name), Cases: n, Reason: program.NotInstalled(name).Reason,
		})
	}
	slices.SortFunc(programs, func(a, b reports.LeftOut) int {
		return cmp.Or(cmp.Compare(b.Cases, a.Cases), cmp.Compare(a.Program, b.Program))
	})
	r.LeftOut = slices.Concat(drivers, programs)
	var packages []string
	for _, l := range r.LeftOut {
		if l.Package != "" {
			packages = append(packages, l.Package)
		}
	}
	if len(packages) > 0 {
		r.Install = program.Install(packages...)
	}
}

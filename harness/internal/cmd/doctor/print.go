package doctor

import (
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/kernel"
)

// print prints what this machine can run, then why.
func (f findings) print(s *screen.Screen) error {
	sheet := s.Sheet()
	if len(f.Drivers) > 0 {
		sheet.Line("can run    ", fmt.Sprintf("%d of %d scenarios, with the drivers %s", f.Playable, f.Scenarios,
			strings.Join(f.Drivers, ", ")))
	} else {
		sheet.Line("can run    ", "nothing")
	}
	for i, x := range f.Skipped {
		sheet.Line(screen.Once("skips      ", i),
			fmt.Sprintf("for lack of %s: %s", x.Lacking, strings.Join(x.Scenarios, ", ")))
	}
	for i, x := range f.Undecided {
		sheet.Line(screen.Once("in doubt   ", i),
			fmt.Sprintf("could not tell whether %s is here: %s", x.Feature, strings.Join(x.Scenarios, ", ")))
	}
	sheet.Line("", "")
	sheet.Line("kernel     ", f.Kernel+" "+f.Architecture)
	sheet.Line("privilege  ", f.Privilege)
	possible := "possible"
	if !f.Sandbox {
		possible = "impossible"
	}
	sheet.Line("sandbox    ", possible)
	if err := sheet.Err(); err != nil {
		return err
	}

	features := make([]item, len(f.Features))
	lacking := false
	for i, x := range f.Features {
		features[i] = item{Name: x.Name, Says: x.Presence}
		if x.Reason != "" {
			features[i].Says += ": " + x.Reason
		}
		lacking = lacking || x.Presence == kernel.Absent.String()
	}
	for _, part := range []struct {
		title string
		items []item
		note  string
	}{
		{"WALL", f.Walls, ""},
		{"PROGRAM", f.Programs, toHave(f.Install)},
		{"FEATURE", features, whereFeaturesAre(lacking)},
	} {
		if len(part.items) == 0 {
			continue
		}
		rows := [][]string{{part.title}}
		for _, i := range part.items {
			rows = append(rows, []string{i.Name, i.Says})
		}
		sheet.Line("", "")
		if err := s.Table(rows); err != nil {
			return err
		}
		if part.note != "" {
			sheet.Line("", "")
			sheet.Line("", part.note)
		}
	}
	return sheet.Err()
}

func toHave(install string) string {
	if install == "" {
		return ""
	}
	return "To install what is absent, " + install
}

func whereFeaturesAre(lacking bool) string {
	if !lacking {
		return ""
	}
	return "Scenarios that require an absent feature are skipped, with this reason. Some kernels have it as a " +
		"module: as root, modprobe NAME (8021q for vlan, sch_netem for netem, br_netfilter). Where it is missing " +
		"altogether, use the virtual machine: vagrant up."
}

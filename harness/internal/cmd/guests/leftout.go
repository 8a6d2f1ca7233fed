package guests

import (
	"fmt"
	"slices"

	"netnscheck/reports"
)

// LeftOut collects what guests left out because a program is missing there.
type LeftOut struct {
	all    []reports.LeftOut
	guests [][]string // that left it out
}

// Add adds what a guest left out.
func (l *LeftOut) Add(p *Played) {
	for _, one := range p.LeftOut {
		same := func(other reports.LeftOut) bool { return other.Driver == one.Driver && other.Reason == one.Reason }
		i := slices.IndexFunc(l.all, same)
		if i < 0 {
			i, l.all, l.guests = len(l.all), append(l.all, one), append(l.guests, nil)
		} else {
			l.all[i].Cases += one.Cases
		}
		l.guests[i] = append(l.guests[i], p.Guest.Name)
	}
}

// All are all of them, each with the guests that left it out.
func (l *LeftOut) All() []reports.LeftOut {
	for i := range l.all {
		l.all[i].Reason += fmt.Sprintf(" (on %s)", reports.And(l.guests[i]))
	}
	return l.all
}

package main

import (
	"netnscheck/harness/internal/specrun"
	"netnscheck/reports"
)

// inOrder tells the console of cases in the order of the plan, whatever runs side by side: what ends before its turn waits for it.
type inOrder struct {
	console *reports.Console
	suites  []waiting
	next    int // the suite that is being told
}

// waiting is a suite, with how many of its cases are still to be told and those that have ended before its turn.
type waiting struct {
	name  string
	left  int
	ended []func()
}

func newInOrder(console *reports.Console, plan []specrun.Planned) *inOrder {
	o := &inOrder{console: console}
	for i := range plan {
		for j := range plan[i].Suites {
			s := &plan[i].Suites[j]
			o.suites = append(o.suites, waiting{name: s.Name(), left: len(s.Cases)})
		}
	}
	return o
}

// end takes a case that has ended.
func (o *inOrder) end(su reports.Suite, c reports.Case) {
	for i := o.next; i < len(o.suites); i++ {
		if w := &o.suites[i]; w.name == su.Name() {
			w.left--
			w.ended = append(w.ended, func() { o.console.End(&su, &c) })
			break
		}
	}
	for o.next < len(o.suites) {
		w := &o.suites[o.next]
		for _, tell := range w.ended {
			tell()
		}
		w.ended = nil
		if w.left > 0 {
			return
		}
		o.next++
	}
}

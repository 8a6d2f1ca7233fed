package proof_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// live is a network on the kernel.
type live struct {
	*topology
	lab *lab.Lab
}

// inNetwork builds a network and checks that it is healthy.
func inNetwork(ctx context.Context, t *topology, f func(*live) error) error {
	var ops []operation.Command
	for _, text := range t.lines {
		words, err := scenario.Words(text)
		if err != nil {
			return err
		}
		op, err := operation.Parse(words)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		ops = append(ops, op)
	}
	l, err := lab.Start(ctx, scenario.Host{}, lab.Options{Ahead: lab.Namespaces(ops)})
	if err != nil {
		return err
	}
	n := &live{t, l}
	if err = l.Build(ctx, ops); err == nil {
		if err = n.healthy(ctx); err == nil {
			err = f(n)
		}
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, t)
	}
	if closed := l.Close(); closed != nil { // that is no lack of a program, whatever else there was
		return fmt.Errorf("%w; before that: %v", closed, err)
	}
	return err
}

// healthy checks all pairs, by probes and by the diagnosis.
func (n *live) healthy(ctx context.Context) error {
	var checks []scenario.Check
	for _, p := range n.paths() {
		checks = append(checks, scenario.Check{Claim: claim.Reaches{Netns: p.from.name, Dest: p.dest()},
			Within: 5 * time.Second})
	}
	for _, a := range n.lab.Await(ctx, checks, nil) {
		if a.Outcome != scenario.Pass {
			return fmt.Errorf("the healthy network is not: expected %s, found %s %s", a.Expected, a.Found, a.Reason)
		}
	}
	s, err := n.lab.Whole(ctx)
	if err != nil {
		return err
	}
	for _, p := range n.paths() {
		r := diagnose.Diagnose(s, diagnose.Query{From: p.from.name, To: p.dest()})
		if r.Cause != nil || len(r.Doubts) > 0 {
			return fmt.Errorf("a false alarm from %s: %s", p, told(r))
		}
	}
	if alarms := diagnose.Review(s).Causes; len(alarms) > 0 {
		return fmt.Errorf("a false alarm of the review: %s, %s: %s", alarms[0].Name, alarms[0].Place(), alarms[0].Says)
	}
	return nil
}

// told formats a report.
func told(r diagnose.Report) string {
	if r.Cause == nil {
		return fmt.Sprintf("no cause, doubts %q, path %v", r.Doubts, r.Path)
	}
	return fmt.Sprintf("%s, %s (reply %v): %s\n    %s\n    repair %s", r.Cause.Name, r.Cause.Place(), r.Cause.Reply,
		r.Cause.Says,
		strings.Join(r.Cause.Evidence, "\n    "), strings.Join(r.Cause.Repair, "\n    repair "))
}

// breakIt makes faults and empties the neighbour tables.
func (n *live) breakIt(ctx context.Context, f *fault) error {
	if err := n.do(ctx, f.does); err != nil {
		return err
	}
	if f.await != "" {
		awaited, err := scenario.ParseClaim(f.await)
		if err != nil {
			return err
		}
		if a := n.lab.Await(ctx, []scenario.Check{{Claim: awaited, Within: 5 * time.Second}},
			nil)[0]; a.Outcome != scenario.Pass {
			return fmt.Errorf("the fault is not complete: expected %s, found %s %s", a.Expected, a.Found, a.Reason)
		}
	}
	return n.forget(ctx)
}

// forget empties the neighbour tables except for permanent entries.
func (n *live) forget(ctx context.Context) error {
	s, err := n.lab.State(ctx)
	if err != nil {
		return err
	}
	var ops []operation.Command
	for _, ns := range s.Namespaces {
		devs := map[string]bool{}
		for _, e := range ns.Neighbours {
			if e.State != "permanent" && e.State != "noarp" && !devs[e.Dev] {
				devs[e.Dev] = true
				op, err := operation.Parse(strings.Fields(ip(ns.Name, "neigh flush dev %s", e.Dev)))
				if err != nil {
					return err
				}
				ops = append(ops, op)
			}
		}
	}
	return n.lab.Build(ctx, ops)
}

// query is the query for a fault.
func (f *fault) query(p path) diagnose.Query {
	q := diagnose.Query{From: p.from.name, To: p.dest(), Port: f.port, Size: f.bytes}
	if f.from != "" {
		q.From = f.from
	}
	if f.to.IsValid() {
		q.To = f.to
	}
	return q
}

// asked is the query as a probe of the kernel.
func asked(q diagnose.Query) claim.Claim {
	if q.Port != 0 {
		return claim.Connects{Netns: q.From, Dest: q.To, Port: int(q.Port), Outcome: claim.ConnectOK}
	}
	return claim.Reaches{Netns: q.From, Dest: q.To, Bytes: q.Size}
}

// reaches probes the kernel, once or until it answers.
func (n *live) reaches(ctx context.Context, q diagnose.Query, patiently bool) (bool, string, error) {
	c := asked(q)
	var v scenario.Verdict
	if patiently {
		v = n.lab.Await(ctx, []scenario.Check{{Claim: c}}, nil)[0].Verdict
	} else {
		v = n.lab.Evaluate(ctx, c, nil)
	}
	if v.Outcome == scenario.Error {
		return false, "", errors.New(v.Reason)
	}
	return v.Outcome == scenario.Pass, v.Found, nil
}

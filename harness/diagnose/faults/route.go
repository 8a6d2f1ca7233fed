package faults

import (
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// refusals are the causes for the route types that refuse a destination.
var refusals = map[string]causes.Cause{
	"unreachable": causes.RouteUnreachable,
	"prohibit":    causes.RouteProhibit,
	"blackhole":   causes.RouteBlackhole,
	"throw":       causes.RouteThrow,
}

// Refused is the cause for a route or a rule that refuses the destination.
func Refused(n *state.Namespace, p packet.Packet, d routing.Decision) *finding.Cause {
	if d.Route == nil {
		return finding.New(causes.RuleDiverts, n, nil, "a rule of %s has the action %s for %s", n.Name, d.Refused,
			p.Dst).
			Proof(words.RuleShown(n, d.Rule)).DeleteRule(n, d.Rule)
	}
	return finding.New(refusals[d.Refused], n, nil, "the route of %s to %s is of type %s", n.Name, p.Dst, d.Refused).
		Proof(words.RouteShown(n, d.Route)).
		Fix(words.IP(n, "%sroute del %s %s table %s", words.Six(p.Family()), d.Refused, state.PrefixText(d.Route.To),
			state.TableName(d.Route.Table))).
		Then(finding.DeleteRoute(n.Name, d.Route))
}

func Diverts(n *state.Namespace, p packet.Packet, by *state.Rule, instead string) *finding.Cause {
	return finding.New(causes.RuleDiverts, n, nil,
		"the rule of %s with priority %d keeps packets for %s from the right route", n.Name, by.Priority, p.Dst).
		Proof(words.RuleShown(n, by), instead).DeleteRule(n, by)
}

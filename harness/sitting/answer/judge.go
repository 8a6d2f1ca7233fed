package answer

import (
	"reflect"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// holds judges a claim by a state alone; whole is the state with the packet filters, or nil. It is not decided if the
// claim needs an answer of the kernel or the network.
func (s *search) holds(c claim.Claim, now, whole *state.State) (holds, decided bool) {
	needs := c.Needs()
	if needs.Question != nil || now == nil {
		return false, false
	}
	if needs.Class == claim.ByWhole {
		if now = whole; now == nil {
			return false, false
		}
	}
	f := c.Judge(claim.Evidence{State: now})
	return f.Holds, f.Err == nil
}

// place is a link in a namespace; link is "" for the namespace itself.
type place struct{ link, netns string }

// placesOf are the links and namespaces that a claim is about; of a cause the place where it is.
func placesOf(c claim.Claim) (all []place) {
	if cause, ok := c.(claim.CauseIs); ok {
		return []place{{cause.On.Name, cause.On.Netns}}
	}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if v.Kind() != reflect.Struct {
			return
		}
		if i, ok := v.Interface().(claim.Iface); ok {
			if i.Netns != "" {
				all = append(all, place{i.Name, i.Netns})
			}
			return
		}
		for i := range v.NumField() {
			switch field := v.Type().Field(i); {
			case !field.IsExported():
			case field.Name == "Netns" && v.Field(i).Kind() == reflect.String:
				all = append(all, place{"", v.Field(i).String()})
			default:
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(c))
	if only, ok := c.(claim.HasOnlyInterfaces); ok {
		for _, name := range only.Names {
			all = append(all, place{name, only.Netns})
		}
	}
	return all
}

// denies reports whether a claim is the negative form of its sentence.
func denies(c claim.Claim) bool {
	v := reflect.ValueOf(c)
	if v.Kind() != reflect.Struct {
		return false
	}
	not := v.FieldByName("Not")
	return not.IsValid() && not.Kind() == reflect.Bool && not.Bool()
}

// ofCommand are the links and namespaces that a command works on.
func ofCommand(c command) []place {
	netns := orHost(c.netns)
	all := []place{{"", netns}}
	for _, name := range operation.Links(c.op) {
		if name != "" {
			all = append(all, place{name, netns})
		}
	}
	switch op := c.op.(type) {
	case operation.LinkSet:
		if op.Netns != "" {
			all = append(all, place{op.Name, op.Netns}, place{"", op.Netns})
		}
	case operation.LinkAdd:
		for _, end := range []*operation.LinkAttributes{&op.LinkAttributes, op.Peer} {
			if end != nil && end.Netns != "" {
				all = append(all, place{end.Name, end.Netns}, place{"", end.Netns})
			}
		}
	case operation.NetnsAdd:
		all = append(all, place{"", op.Name})
	case operation.NetnsDelete:
		all = append(all, place{"", op.Name})
	}
	return all
}

func orHost(netns string) string {
	if netns == "" {
		return state.Host
	}
	return netns
}

// off reports whether a claim of a mistake, false before the step, cannot become true on the step's own way: it
// contradicts one of the step's checks, or is about a place that neither the step's commands nor its checks name.
func (s *search) off(c claim.Claim) bool {
	if denies(c) {
		return false
	}
	if slices.ContainsFunc(s.step.Checks, func(own scenario.Check) bool { return contradicts(c, own) }) ||
		s.strange(c) {
		return true
	}
	named := map[place]bool{}
	links := map[string]bool{}
	note := func(all []place) {
		for _, p := range all {
			named[p], named[place{"", p.netns}] = true, true
			links[p.link] = true
		}
	}
	for _, r := range s.right {
		note(ofCommand(r))
	}
	for _, own := range s.step.Checks {
		note(placesOf(own.Claim))
	}
	return slices.ContainsFunc(placesOf(c), func(p place) bool {
		return !named[place{"", p.netns}] || p.link != "" && links[p.link] && !named[p]
	})
}

// strange reports whether a claim is about an address that none of the step's commands gives and none of its checks
// names.
func (s *search) strange(c claim.Claim) bool {
	has, ok := c.(claim.HasAddress)
	return ok && !slices.ContainsFunc(s.right, func(r command) bool {
		change, ok := r.op.(operation.AddressChange)
		return ok && change.Prefix == has.Prefix && change.Dev == has.Name && orHost(r.netns) == has.Netns
	}) && !slices.ContainsFunc(s.step.Checks, func(own scenario.Check) bool {
		goal, ok := own.Claim.(claim.HasAddress)
		return ok && goal.Prefix == has.Prefix && goal.Iface == has.Iface
	})
}

// contradicts reports whether a claim that was false before the step excludes one of its checks, and is not true on the
// way to that.
func contradicts(c claim.Claim, check scenario.Check) bool {
	own := check.Claim
	if only, ok := c.(claim.HasOnlyInterfaces); ok {
		goal, ok := own.(claim.HasOnlyInterfaces)
		return ok && goal.Netns == only.Netns && slices.ContainsFunc(only.Names, func(name string) bool {
			return !slices.Contains(goal.Names, name)
		})
	}
	if route, ok := c.(claim.HasRoute); ok {
		goal, ok := own.(claim.HasRoute)
		return ok && !goal.Not && goal.Netns == route.Netns && otherGateway(route.Route, goal.Route)
	}
	if rule, ok := c.(claim.HasRule); ok {
		goal, ok := own.(claim.HasRule)
		return ok && !goal.Not && goal.Netns == rule.Netns && goal.V6 == rule.V6 && goal.Rule.Priority != nil &&
			rule.Rule.Priority != nil && *goal.Rule.Priority == *rule.Rule.Priority &&
			goal.Rule.Table != rule.Rule.Table
	}
	a, b := reflect.ValueOf(c), reflect.ValueOf(own)
	if a.Type() != b.Type() || a.Kind() != reflect.Struct || denies(own) {
		return false
	}
	values := map[string]bool{"MTU": true, "MAC": true, "Kind": true, "Bridge": true, "Value": true,
		// A new link is down, and has no carrier.
		"Up": check.Before, "Has": check.Before}
	differ := false
	for i := range a.NumField() {
		if !a.Type().Field(i).IsExported() || reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			continue
		}
		if !values[a.Type().Field(i).Name] {
			return false
		}
		differ = true
	}
	return differ
}

// otherGateway reports whether a route leads to the same destination as another one, but not to its gateway.
func otherGateway(r, goal operation.Route) bool {
	return goal.Via.IsValid() && r.Default == goal.Default && r.To == goal.To && r.Table == goal.Table &&
		(r.Via.IsValid() && r.Via != goal.Via || !r.Via.IsValid() && r.Scope == "link")
}

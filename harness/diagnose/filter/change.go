package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

// change makes the changes of a rule that matches. A new address or port, which no connection tracking reverses, is not
// followed: from there on the packet may go elsewhere.
func (r *Run) change(c *state.FilterChain, rule *state.FilterRule) {
	for _, change := range rule.Changes {
		switch change.Key {
		case "mark":
			r.mark(change)
		case "ct mark", "ct zone": // see Run.value
		case "notrack":
			if !r.base.tracked() { // later it has no effect (nft_notrack_eval(), net/netfilter/nft_ct.c)
				r.seen.Untracked, r.seen.Tracking = true, "untracked"
			}
		case "ip tos":
			r.seen.Rewritten = true
		case "ip ttl", "ip6 hoplimit":
			r.seen.Rewritten = true
			if lives, err := strconv.Atoi(change.Value); err != nil || lives < enough {
				r.elsewhere(c, rule, "a rule changes how many routers the packet may pass")
			}
		case "pkttype":
			if r.base.Table.Family == "bridge" {
				r.elsewhere(c, rule, "a rule changes for whom a bridge takes the packet")
			}
		default:
			old, known := r.value(change.Key)
			if known && old == "" || known && change.Value != "" && old == change.Value {
				continue
			}
			r.elsewhere(c, rule, "a rule changes the packet")
		}
	}
}

// enough is the TTL of a packet that passes all routers of a usual path.
const enough = 32

// mark sets the mark of the packet: exclusive or on the bits of the old one that the rule keeps.
func (r *Run) mark(change state.FilterChange) {
	value, err := strconv.ParseUint(change.Value, 0, 32)
	if err != nil {
		r.seen.Vague = true
		return
	}
	r.seen.Mark = r.seen.Mark&change.Keep ^ uint32(value)
	r.seen.Vague = r.seen.Vague && change.Keep != 0
}

// changePerhaps notes what changes if a rule matches of which that is not known.
func (r *Run) changePerhaps(c *state.FilterChain, rule *state.FilterRule) {
	if facts.MaySet(*rule, "mark") || rule.Target != "" && facts.Sets(r.N, "mark") {
		r.seen.Vague = true
	}
	if r.Elsewhere == "" && sendsOn(r.base.Table, rule, map[string]bool{}) {
		r.Elsewhere = r.named(c, rule)
	}
}

// sendsOn reports whether a rule may send packets elsewhere, or the chain that it jumps to. Each chain is looked at
// once: the paths through them may be many.
func sendsOn(t *state.FilterTable, rule *state.FilterRule, seen map[string]bool) bool {
	if translation(rule.Verdict) || slices.ContainsFunc(rule.Changes, func(c state.FilterChange) bool {
		return !slices.Contains([]string{"mark", "ct mark", "ct zone", "notrack", "ip tos", "pkttype"}, c.Key)
	}) {
		return true
	}
	if rule.Opaque && rule.Verdict == "" && slices.ContainsFunc([]string{"[tproxy", "[fwd", "[synproxy", "[nat",
		"[xt target", " vmap "}, func(word string) bool { return strings.Contains(rule.Text, word) }) {
		return true
	}
	target := ChainNamed(t, rule.Target)
	if target == nil || seen[rule.Target] {
		return target == nil && rule.Target != ""
	}
	seen[rule.Target] = true
	return slices.ContainsFunc(target.Rules, func(inner state.FilterRule) bool { return sendsOn(t, &inner, seen) })
}

// elsewhere notes a rule after which the packet may go elsewhere.
func (r *Run) elsewhere(c *state.FilterChain, rule *state.FilterRule, what string) {
	r.Doubt("%s: %s, which is not followed here: %s", r.N.Name, what, r.named(c, rule))
	if r.Elsewhere == "" {
		r.Elsewhere = fmt.Sprintf("“%s”", rule.Text)
	}
}

// Package filter judges a packet by the chains of a packet filter, rule by rule, and opens a chain for one. It imports
// state, the facts, packets, routes, findings and words; the diagnosis and the translation import it. It knows nothing
// of the way of a packet: what connection tracking knows is told in Seen. What it does not understand is a doubt.
package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Seen is a packet as a packet filter sees it at a hook.
type Seen struct {
	packet.Packet
	Iif, Oif *state.Link
	ARP      bool
	// Tracking is the state of the connection, and status has snat and dnat if an address of it was translated here.
	Tracking string
	Status   []string
	// Passed is set if the packet that this one answers passed here.
	Passed bool
	// Turn chooses which of several ways of a rule the packet takes, each told in words, by the number that it draws
	// for a key; nil for the first one.
	Turn func(rule *state.FilterRule, key string, by []string) int
}

// Base is a base chain and its table.
type Base struct {
	Table *state.FilterTable
	Chain *state.FilterChain
	// Legacy is set if the table is one of iptables-legacy.
	Legacy bool
}

// ChainsAt are the base chains at a hook that see packets of these families, in the order of nf_hook_slow(),
// net/netfilter/core.c: by priority. The tables of iptables-legacy have functions at the same hooks.
func ChainsAt(n *state.Namespace, hook string, families ...string) (found []Base) {
	collect := func(tables []state.FilterTable, legacy bool) {
		for i := range tables {
			t := &tables[i]
			if !slices.Contains(families, t.Family) {
				continue
			}
			for j := range t.Chains {
				if t.Chains[j].Hook == hook {
					found = append(found, Base{t, &t.Chains[j], legacy})
				}
			}
		}
	}
	collect(n.LegacyFilters, true)
	collect(n.Filters, false)
	slices.SortStableFunc(found, func(a, b Base) int { return cmp.Compare(a.Chain.Priority, b.Chain.Priority) })
	return found
}

// Families are the table families that see packets of an address family.
func Families(family int) []string {
	if family == 6 {
		return []string{"ip6", "inet"}
	}
	return []string{"ip", "inet"}
}

// On reports whether a chain sees packets of a device; only a chain at ingress or egress is limited to some.
func (b Base) On(iif, oif *state.Link) bool {
	l := iif
	if b.Chain.Hook == "egress" {
		l = oif
	}
	return len(b.Chain.Devices) == 0 || l != nil && slices.Contains(b.Chain.Devices, l.Name)
}

// tracked reports whether connection tracking (nf_conntrack_in(), net/netfilter/nf_conntrack_core.c) comes before this
// chain: at prerouting and output it has the priority NF_IP_PRI_CONNTRACK, -200.
func (b Base) tracked() bool {
	switch b.Chain.Hook {
	case "ingress":
		return false
	case "prerouting", "output":
		return b.Chain.Priority > -200
	}
	return true
}

// at is the packet as a chain sees it: with the state of its connection, unless that is known. A reply to a packet that
// did not pass here is invalid.
func (s Seen) at(b Base) Seen {
	switch {
	case s.Tracking != "":
	case s.Untracked:
		s.Tracking = "untracked"
	case !b.tracked():
		s.Tracking = "invalid"
	case s.Discovers():
		s.Tracking = "untracked"
	case s.ICMP != "":
		s.Tracking = "related"
	case !s.Reply:
		s.Tracking = "new"
	case b.Table.Family == "bridge" || s.Passed:
		s.Tracking = "established"
	default:
		s.Tracking = "invalid"
	}
	return s
}

// Outcome is what a base chain does with a packet.
type Outcome struct {
	Cause  *finding.Cause // why it drops the packet; nil if it does not
	Packet packet.Packet  // as it leaves the chain
	Doubts []string       // what is not known of its rules
	// Elsewhere is the first rule that may send the packet elsewhere; "" without one.
	Elsewhere string
}

// Judge runs a packet through one base chain. The cause has the given name. A drop that an earlier rule may have
// prevented is a doubt, not a cause.
func Judge(n *state.Namespace, b Base, name causes.Cause, s Seen) Outcome {
	r := NewRun(n, b, s)
	verdict, by := r.through(b.Chain, 0)
	var cause *finding.Cause
	switch {
	case verdict != "drop" && verdict != "reject":
	case r.Unsettled != "":
		r.Doubt("%s: %s %s would %s the packet, unless an earlier rule lets it through: %s", n.Name, b.Place(),
			byWhat(by), verdict, r.Unsettled)
	default:
		cause = r.dropped(b, name, verdict, by)
	}
	return Outcome{cause, r.seen.Packet, r.Doubts, r.Elsewhere}
}

// Translates runs a packet through a base chain of the type nat. The result is the rule that translates it, nil if none
// does.
func (r *Run) Translates(b Base) *state.FilterRule {
	_, by := r.through(b.Chain, 0)
	if by == nil || !translation(by.rule.Verdict) {
		return nil
	}
	if r.Unsettled != "" {
		r.Doubt("%s: whether “%s” translates the packet depends on an earlier rule: %s", r.N.Name, by.rule.Text,
			r.Unsettled)
	}
	return by.rule
}

func translation(verdict string) bool {
	return slices.Contains([]string{"masquerade", "snat", "dnat", "redirect"}, verdict)
}

// dropped is the cause for a packet that a chain drops, by a rule or by its policy.
func (r *Run) dropped(b Base, name causes.Cause, verdict string, by *decided) *finding.Cause {
	if b.Legacy {
		return r.droppedByLegacy(b, name, verdict, by)
	}
	if by == nil {
		c := finding.New(name, r.N, nil, "the policy of the chain %s in %s drops the packet", b.Place(), r.N.Name).
			Proof(words.In(r.N, "nft list chain %s", b.Place()) + ": policy drop")
		return r.open(c, r.openings()...)
	}
	in := Base{Table: b.Table, Chain: by.chain}
	c := finding.New(name, r.N, nil, "a rule of the chain %s in %s has the verdict %s", in.Place(), r.N.Name, verdict).
		Proof(words.In(r.N, "nft list chain %s", in.Place()) + ": " + by.rule.Text)
	if keeper := keeperOf(in); keeper != nil {
		return c.Advise(keeper.advice(in, r.seen)...)
	}
	return r.open(c, r.exceptions(by)...)
}

// Place is a chain in the words of nft.
func (b Base) Place() string { return b.Table.Family + " " + b.Table.Name + " " + b.Chain.Name }

// decided is the rule that decided, and its chain.
type decided struct {
	chain *state.FilterChain
	rule  *state.FilterRule
}

func byWhat(by *decided) string {
	if by == nil {
		return "by its policy"
	}
	return "by the rule “" + by.rule.Text + "”"
}

// Depth is how many nested jumps are followed (NFT_JUMP_STACK_SIZE, include/net/netfilter/nf_tables.h).
const Depth = 16

// Run is a packet in a base chain and the chains that it jumps to.
type Run struct {
	N    *state.Namespace
	base Base
	seen Seen
	// Doubts are what is not known of the rules that the packet met.
	Doubts []string
	// left is the rule of the base chain that ended it for the packet before its last rule; nil if none did.
	left *state.FilterRule
	// Unsettled is the first rule that may accept the packet, and so may keep it from the rules that follow.
	Unsettled string
	// Elsewhere is the first rule that may send the packet elsewhere.
	Elsewhere string
	// draws are the numbers drawn so far.
	draws map[draw]string
}

// NewRun is a run of a packet that comes to a base chain.
func NewRun(n *state.Namespace, b Base, s Seen) *Run {
	return &Run{N: n, base: b, seen: s.at(b)}
}

// Tags are those of the packet after the rules that it met.
func (r *Run) Tags() packet.Tags { return r.seen.Tags }

func (r *Run) Doubt(format string, args ...any) {
	r.Doubts = append(r.Doubts, fmt.Sprintf(format, args...))
}

// through runs the packet through a chain as nft_do_chain(), net/netfilter/nf_tables_core.c, does. The verdict is "" at
// the end of a chain without a policy, that is, of one that is jumped to. by is nil for a policy.
func (r *Run) through(c *state.FilterChain, deep int) (verdict string, by *decided) {
	for i := range c.Rules {
		// The expressions of a rule: the first that does not match ends it (NFT_BREAK).
		rule := &c.Rules[i]
		fits, known := r.fits(rule)
		if !known {
			r.doubtful(c, rule)
		}
		if !fits {
			continue
		}
		r.change(c, rule)
		// The verdict: accept and drop are final for the base chain. A jump comes back at the end of its target, a goto
		// does not; return goes back to the rule after the jump, and in a base chain to its policy.
		switch rule.Verdict {
		case "":
		case "accept", "drop", "reject", "masquerade", "snat", "dnat", "redirect":
			return rule.Verdict, &decided{c, rule}
		case "return":
			r.leaves(rule, deep)
			return c.Policy, nil
		case "jump", "goto":
			target := ChainNamed(r.base.Table, rule.Target)
			if target == nil || deep >= Depth {
				r.doubtful(c, rule)
				continue
			}
			if v, by := r.through(target, deep+1); v != "" {
				return v, by
			}
			if rule.Verdict == "goto" {
				r.leaves(rule, deep)
				return c.Policy, nil
			}
		default: // queue, or another verdict that hands the packet to somebody else
			r.doubtful(c, rule)
			return rule.Verdict, &decided{c, rule}
		}
	}
	return c.Policy, nil
}

// leaves notes that the packet leaves the base chain by a rule.
func (r *Run) leaves(rule *state.FilterRule, deep int) {
	if deep == 0 {
		r.left = rule
	}
}

func ChainNamed(t *state.FilterTable, name string) *state.FilterChain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// fits reports whether a rule matches the packet; known and fits are false where that cannot be judged.
func (r *Run) fits(rule *state.FilterRule) (fits, known bool) {
	known = !rule.Opaque
	for _, m := range rule.Matches {
		fits, understood := r.match(rule, m)
		if understood && !fits {
			return false, true
		}
		known = known && understood
	}
	return known, known
}

// doubtful notes what a rule that is not understood may do to the packet. That it may accept it is a doubt only if a
// later rule drops it.
func (r *Run) doubtful(c *state.FilterChain, rule *state.FilterRule) {
	r.changePerhaps(c, rule)
	if rule.Verdict == "" && !mayDecide(rule) {
		return
	}
	if rule.Verdict != "accept" {
		r.Doubt("%s: whether a rule matches, or what it does, is not known here: %s", r.N.Name, r.named(c, rule))
	}
	if rule.Verdict != "drop" && rule.Verdict != "reject" && r.Unsettled == "" {
		r.Unsettled = r.named(c, rule)
	}
}

// named is a rule that is not understood, whose text may be incomplete, with the command that shows it.
func (r *Run) named(c *state.FilterChain, rule *state.FilterRule) string {
	if r.base.Legacy {
		return fmt.Sprintf("“%s”, rule %d in %s", rule.Text, rule.Handle, legacyShown(r.N, r.base.Table, c))
	}
	return fmt.Sprintf("“%s”, handle %d in %s", rule.Text, rule.Handle,
		words.In(r.N, "nft --handle list chain %s %s %s", r.base.Table.Family, r.base.Table.Name, c.Name))
}

// mayDecide reports whether a rule without a verdict may decide nevertheless, by an expression of nf_tables that has a
// verdict of its own. The text has the names of such expressions in brackets. Others set something, or match.
func mayDecide(rule *state.FilterRule) bool {
	return slices.ContainsFunc([]string{"[queue", "[fwd", "[tproxy", "[synproxy", "[lookup", "[immediate",
		"[xt target", "[nat", " vmap "},
		func(word string) bool { return strings.Contains(rule.Text, word) })
}

package words

import (
	"strconv"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

func ModeShown(at facts.Port) string {
	return IP(at.N, "-d link show dev %s", at.L.Name) + ": " + at.L.Kind + " mode " + at.L.Macvlan + at.L.IPvlan
}

func RulesShown(n *state.Namespace, family int) (lines []string) {
	for _, r := range facts.RulesOf(n, family) {
		lines = append(lines, RuleShown(n, r))
	}
	if len(lines) == 0 {
		lines = append(lines, IP(n, "%srule show", Six(family))+": (nothing)")
	}
	return lines
}

func VlansShown(n *state.Namespace, q *state.Link) (lines []string) {
	for _, v := range q.Port.VLANs {
		text := strconv.Itoa(v.ID)
		if v.PVID {
			text += " PVID"
		}
		if v.Untagged {
			text += " Egress Untagged"
		}
		lines = append(lines, In(n, "bridge vlan show dev %s", q.Name)+": "+text)
	}
	if len(lines) == 0 {
		lines = append(lines, In(n, "bridge vlan show dev %s", q.Name)+": (nothing)")
	}
	return lines
}

// LinkShown, and the like, is a line of state with the command that shows it.
func LinkShown(n *state.Namespace, l *state.Link) string {
	return IP(n, "link show dev %s", l.Name) + ": " + state.LinkText(*l)
}

func AddressShown(n *state.Namespace, l *state.Link, a state.Address) string {
	return IP(n, "addr show dev %s", l.Name) + ": " + state.AddressText(a)
}

func RouteShown(n *state.Namespace, r *state.Route) string {
	return IP(n, "%sroute show table %s", Six(r.Family), state.TableName(r.Table)) + ": " + state.RouteText(*r)
}

func RuleShown(n *state.Namespace, r *state.Rule) string {
	return IP(n, "%srule show", Six(r.Family)) + ": " + state.RuleText(*r)
}

// SysctlShown is a sysctl with the command that shows it.
func SysctlShown(n *state.Namespace, key string) string {
	return In(n, "sysctl %s", key) + ": " + facts.Sysctl(n, key)
}

// Forget is the command that makes a namespace forget the path MTUs it has cached.
func Forget(n *state.Namespace, family int) string {
	return IP(n, "%sroute flush cache", Six(family))
}

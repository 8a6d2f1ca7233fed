package filter

import (
	"fmt"
	"strings"

	"netnscheck/harness/diagnose/words"
)

// Container engines and firewalls keep networks apart on purpose, and write their chains anew. What such a chain drops
// is not repaired by a rule, but in the words of the program that keeps it.

// keeper is a program that keeps chains.
type keeper struct {
	tables, chains []string // names, or their beginnings if they end in *; no tables for any
	what           string   // what the program keeps there
	does           func(in Base, s Seen) string
}

var keepers = []keeper{
	{chains: []string{"DOCKER", "DOCKER-*"}, what: "Docker keeps its networks apart", does: docker},
	{tables: []string{"docker-bridges"}, chains: []string{"*"}, what: "Docker keeps its networks apart", does: docker},
	{chains: []string{"NETAVARK_ISOLATION*", "NETAVARK-ISOLATION*"}, what: "Podman keeps its networks apart",
		does: func(Base, Seen) string { return "podman network connect NETWORK CONTAINER" }},
	{tables: []string{"firewalld"}, chains: []string{"*"}, what: "firewalld keeps its zones", does: firewallCmd},
	{chains: []string{"LIBVIRT_FW*"}, what: "libvirt keeps its networks apart", does: virsh},
	{tables: []string{"libvirt_network"}, chains: []string{"*"}, what: "libvirt keeps its networks apart", does: virsh},
	{chains: []string{"KUBE-NWPLCY*", "KUBE-POD-FW*", "cali-*"}, what: policies, does: kubectl},
	{tables: []string{"kube-network-policies"}, chains: []string{"*"}, what: policies, does: kubectl},
	{chains: []string{"ufw-*", "ufw6-*"}, what: "ufw keeps its rules", does: ufw},
}

const policies = "a network policy of Kubernetes keeps pods apart"

// keeperOf is the program that keeps a chain; nil for none that is known.
func keeperOf(in Base) *keeper {
	for i := range keepers {
		if k := &keepers[i]; (k.tables == nil || named(in.Table.Name, k.tables)) && named(in.Chain.Name, k.chains) {
			return k
		}
	}
	return nil
}

// advice says why the rule stands there, and what to ask of the program that keeps it.
func (k *keeper) advice(in Base, s Seen) []string {
	return []string{k.what + " on purpose; if this packet is to pass: " + k.does(in, s)}
}

func docker(Base, Seen) string {
	return "docker network connect NETWORK CONTAINER, or publish the port (docker run --publish)"
}

func virsh(Base, Seen) string { return "virsh net-edit NETWORK, and <forward mode='route'/> there" }

func kubectl(Base, Seen) string { return "kubectl describe networkpolicy --all-namespaces" }

// firewallCmd opens a zone, whose name is in that of a chain (filter_IN_public_deny), for packets like this one.
func firewallCmd(in Base, s Seen) string {
	if in.Chain.Hook == "forward" || strings.HasPrefix(in.Chain.Name, "filter_FWD_") {
		return "a policy between its zones, firewalld.policies(5)"
	}
	zone := "ZONE"
	if rest, ok := strings.CutPrefix(in.Chain.Name, "filter_IN_"); ok {
		zone, _, _ = strings.Cut(rest, "_")
	}
	rule := map[int]string{4: "family=ipv4", 6: "family=ipv6"}[s.Family()] + " " + s.between("source address=%s ",
		"destination address=%s")
	if s.Proto == "tcp" || s.Proto == "udp" {
		rule += fmt.Sprintf(" port port=%d protocol=%s", s.Dport, s.Proto)
	}
	return fmt.Sprintf("firewall-cmd --zone=%s --add-rich-rule='rule %s accept'", zone, rule)
}

func ufw(in Base, s Seen) string {
	command := "ufw allow"
	if in.Chain.Hook == "forward" || strings.HasSuffix(in.Chain.Name, "-forward") {
		command = "ufw route allow"
	}
	if s.Proto == "tcp" || s.Proto == "udp" {
		return fmt.Sprintf("%s proto %s %s port %d", command, s.Proto, s.between("from %s ", "to %s"), s.Dport)
	}
	return command + " " + s.between("from %s ", "to %s")
}

// between are the addresses of a packet in the words of a program. A packet without a source has none yet.
func (s Seen) between(from, to string) (text string) {
	if s.Src.IsValid() {
		text = fmt.Sprintf(from, words.Addr(s.Src))
	}
	return text + fmt.Sprintf(to, words.Addr(s.Dst))
}

// named reports whether a name is one of these, or begins as one of those that end in *.
func named(name string, among []string) bool {
	for _, n := range among {
		if begin, any := strings.CutSuffix(n, "*"); any && strings.HasPrefix(name, begin) || name == n {
			return true
		}
	}
	return false
}

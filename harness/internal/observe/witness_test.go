package observe

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// ipJSON is the output of an ip command, one map for each object.
func ipJSON(t *testing.T, out string) []map[string]any {
	t.Helper()
	var objects []map[string]any
	if strings.TrimSpace(out) == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(out), &objects); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// Empty objects stand for objects that ip does not show.
	return slices.DeleteFunc(objects, func(o map[string]any) bool { return len(o) == 0 })
}

// said is the output of commands, by namespace and command: said{"a": {"ip neigh": "…"}}.
type said map[string]map[string]string

// timers are the running timers of a bridge.
var timers = regexp.MustCompile(`"[a-z_]*timer":[0-9.]+`)

// witnessed reads the state between two equal outputs of ip, which it returns: values that are still settling, such as
// the addresses and routes of a link that just came up, differ between two outputs.
func witnessed(t *testing.T, w *netns.World, lines ...string) (*state.State, said) {
	t.Helper()
	look := func(s *state.State) said {
		all := said{}
		for _, n := range s.Namespaces {
			all[n.Name] = map[string]string{}
			for _, line := range lines {
				all[n.Name][line] = timers.ReplaceAllString(run(t, w, n.Name, line), `"timer":0`)
			}
		}
		return all
	}
	s := observed(t, w)
	for range 100 {
		before := look(s)
		s = observed(t, w)
		if after := look(s); reflect.DeepEqual(after, before) {
			return s, after
		}
	}
	t.Fatal("what ip says never stays the same")
	return nil, nil
}

// sorted compares two lists of lines regardless of order.
func sorted(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	equal(t, got, want)
	if len(want) == 0 {
		t.Error("the witness says nothing")
	}
}

func TestLinksAgainstIP(t *testing.T) {
	w := rich(t)
	const line = "ip -j -d -N link"
	s, said := witnessed(t, w, line)
	for _, n := range s.Namespaces {
		var got, want []string
		for _, l := range n.Links {
			got = append(got, fmt.Sprintf(
				"%d %s up=%t mtu=%d mac=%s brd=%s qlen=%d tx=%d rx=%d group=%d promiscuity=%d master=%s kind=%s "+
					"alias=%s alt=%v gso=%d oper=%s qdisc=%s mode=%s",
				l.Index, l.Name, l.Up, l.MTU, l.MAC, l.Broadcast, l.TxQLen, l.NumTx, l.NumRx, l.Group, l.Promiscuity,
				l.Master,
				strings.TrimPrefix(l.Kind, "loopback"), l.Alias, l.AltNames, l.GSOMaxSize, l.OperState, l.Qdisc,
				l.Mode))
		}
		for _, o := range ipJSON(t, said[n.Name][line]) {
			flags := fmt.Sprint(o["flags"])
			kind, master, alias, alt := "", "", "", "[]"
			if info, ok := o["linkinfo"].(map[string]any); ok && info["info_kind"] != nil {
				kind = fmt.Sprint(info["info_kind"])
			}
			if o["master"] != nil {
				master = fmt.Sprint(o["master"])
			}
			if o["ifalias"] != nil {
				alias = fmt.Sprint(o["ifalias"])
			}
			if o["altnames"] != nil {
				alt = fmt.Sprint(o["altnames"])
			}
			qlen := 0.0
			if o["txqlen"] != nil {
				qlen = o["txqlen"].(float64)
			}
			want = append(want, fmt.Sprintf(
				"%v %v up=%t mtu=%v mac=%v brd=%v qlen=%v tx=%v rx=%v group=%v promiscuity=%v master=%s kind=%s "+
					"alias=%s alt=%s gso=%v oper=%s qdisc=%v mode=%s",
				o["ifindex"], o["ifname"], strings.Contains(flags, "UP ") || strings.Contains(flags, "UP]"), o["mtu"],
				o["address"], o["broadcast"], qlen,
				o["num_tx_queues"], o["num_rx_queues"], o["group"], o["promiscuity"], master, kind, alias, alt,
				o["gso_max_size"],
				strings.ToLower(fmt.Sprint(o["operstate"])), o["qdisc"], strings.ToLower(fmt.Sprint(o["linkmode"]))))
		}
		sorted(t, got, want)
	}
}

func TestAddressesAgainstIP(t *testing.T) {
	w := rich(t)
	const line = "ip -j addr"
	s, said := witnessed(t, w, line)
	n := s.Namespace("a")
	var got, want []string
	for _, l := range n.Links {
		for _, a := range l.Addresses {
			peer, bits := "", a.Prefix.Bits()
			if a.Peer.IsValid() {
				peer = a.Peer.Addr().String()
			}
			brd := ""
			if a.Broadcast.IsValid() {
				brd = a.Broadcast.String()
			}
			got = append(got, fmt.Sprintf(
				"%s %s/%d peer=%s brd=%s scope=%s label=%s for ever=%t secondary=%t deprecated=%t nodad=%t",
				l.Name, a.Prefix.Addr(), bits, peer, brd, a.Scope, a.Label, a.ValidLft == state.Forever,
				slices.Contains(a.Flags, "secondary"), slices.Contains(a.Flags, "deprecated"),
				slices.Contains(a.Flags, "nodad")))
		}
	}
	word := func(v any) string {
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	for _, o := range ipJSON(t, said["a"][line]) {
		for _, entry := range o["addr_info"].([]any) {
			a := entry.(map[string]any)
			peer := word(a["address"])
			want = append(want, fmt.Sprintf(
				"%s %v/%v peer=%s brd=%s scope=%v label=%s for ever=%t secondary=%t deprecated=%t nodad=%t",
				o["ifname"], a["local"], a["prefixlen"], peer, word(a["broadcast"]), a["scope"], word(a["label"]),
				a["valid_life_time"].(float64) == float64(state.Forever),
				a["secondary"] == true, a["deprecated"] == true, a["nodad"] == true))
		}
	}
	sorted(t, got, want)
}

// TestRoutesAgainstIP compares each route with the line that ip prints, words and all.
func TestRoutesAgainstIP(t *testing.T) {
	w := rich(t)
	lines := map[int]string{4: "ip -4 -o route show table all", 6: "ip -6 -o route show table all"}
	s, said := witnessed(t, w, lines[4], lines[6])
	for _, n := range s.Namespaces {
		for family, line := range lines {
			var got []string
			for _, r := range n.Routes {
				if r.Family == family {
					got = append(got, state.RouteText(r))
				}
			}
			var want []string
			for line := range strings.Lines(said[n.Name][line]) {
				line = strings.Join(strings.Fields(strings.ReplaceAll(line, "\\", " ")), " ")
				line = strings.ReplaceAll(line, " error -113", "")
				want = append(want, line)
			}
			if len(want)+len(got) > 0 {
				sorted(t, got, want)
			}
		}
	}
}

func TestRulesAgainstIP(t *testing.T) {
	w := rich(t)
	n := observed(t, w).Namespace("a")
	for family, option := range map[int]string{4: "-4", 6: "-6"} {
		var got, want []string
		for _, r := range n.Rules {
			if r.Family == family {
				got = append(got, state.RuleText(r))
			}
		}
		for line := range strings.Lines(run(t, w, "a", "ip "+option+" rule")) {
			want = append(want, strings.Join(strings.Fields(line), " "))
		}
		equal(t, got, want) // in order
	}
}

func TestNeighboursAgainstIP(t *testing.T) {
	w := rich(t)
	lines := []string{"ip neigh", "ip neigh show proxy"}
	s, said := witnessed(t, w, lines...)
	n := s.Namespace("a")
	var got, want []string
	for _, e := range n.Neighbours {
		if e.State != "noarp" { // ip hides those
			got = append(got, state.NeighbourText(e))
		}
	}
	for _, line := range lines {
		for entry := range strings.Lines(said["a"][line]) {
			want = append(want, strings.Join(strings.Fields(entry), " "))
		}
	}
	sorted(t, got, want)
}

func TestQdiscsAgainstTC(t *testing.T) {
	needs(t, "tc")
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add eth0 type veth peer name eth1
		a: ip link set eth0 up
		a: ip link set eth1 up
		a: tc qdisc add dev eth0 root handle 7: pfifo limit 50
		a: tc qdisc add dev eth1 root handle 8: tbf rate 1mbit burst 10k limit 20k
		a: tc qdisc add dev eth1 ingress
	`)
	n := observed(t, w).Namespace("a")
	var got, want []string
	for _, q := range n.Qdiscs {
		parent := q.Parent
		if parent != "root" {
			parent = "parent " + parent
		}
		got = append(got, fmt.Sprintf("qdisc %s %s dev %s %s", q.Kind, q.Handle, q.Dev, parent))
		if q.Default != (q.Handle == "0:") {
			t.Errorf("%s is default: %t", state.QdiscText(q), q.Default)
		}
	}
	for line := range strings.Lines(run(t, w, "a", "tc qdisc")) {
		f := strings.Fields(line)
		end := 6
		if f[5] == "parent" {
			end = 7
		}
		want = append(want, strings.Join(f[:end], " "))
	}
	sorted(t, got, want)
	for _, q := range n.Qdiscs {
		switch q.Kind {
		case "pfifo":
			equal(t, q.Options, "limit 50p")
		case "tbf":
			equal(t, q.Options, "rate 1000000bit burst 10240b limit 20480b")
		}
	}
}

func TestCountersAgainstNstat(t *testing.T) {
	needs(t, "nstat", "ping")
	w := newWorld(t, "a")
	build(t, w, "a: ip link set lo up")
	run(t, w, "a", "ping -c1 -W1 127.0.0.1")
	got, err := Counters(t.Context(), w, "a")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, []any{got["IcmpInEchos"], got["IcmpMsgInType8"], got["IpInReceives"] >= 2},
		[]any{uint64(1), uint64(1), true})
	names := 0
	for line := range strings.Lines(run(t, w, "a", "nstat -asz")) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "#kernel" {
			continue
		}
		names++
		if value, ok := got[f[0]]; !ok || fmt.Sprint(value) != f[1] {
			t.Errorf("%s is %s for nstat, %d (known: %t) here", f[0], f[1], value, ok)
		}
	}
	if names < 100 {
		t.Errorf("nstat has only %d counters", names)
	}
}

package observe

import (
	"strings"
	"testing"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// legacy skips the test unless this kernel has the tables of iptables-legacy.
func legacy(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		needs(t, program)
		if out, err := try(newWorld(t, "a"), "a", program, "-w", "-L", "-n"); err != nil {
			t.Skipf("this kernel has no tables of %s: %s", program, out)
		}
	}
}

// TestRulesOfLegacyIPTables adds rules one by one, and reads them all in their chains.
func TestRulesOfLegacyIPTables(t *testing.T) {
	legacy(t, "iptables-legacy", "ip6tables-legacy")
	w := newWorld(t, "a")
	build(t, w, `
		a: iptables-legacy -w -N blocked
		a: iptables-legacy -w -N empty
		a: iptables-legacy -w -P FORWARD DROP`)
	want := map[string][]string{}
	for _, c := range []struct{ family, table, chain, rule, model string }{
		{"ip", "filter", "INPUT", "-p tcp --dport 22 -j DROP", "l4proto=tcp, tcp dport=22 -> drop"},
		{"ip", "filter", "FORWARD", "-s 10.0.0.0/8 ! -d 10.1.0.1 -i eth+ ! -o eth1 -j ACCEPT",
			"iifname=eth*, oifname!=eth1, ip saddr=10.0.0.0/8, ip daddr!=10.1.0.1 -> accept"},
		{"ip", "filter", "INPUT", "! -p icmp -j blocked", "l4proto!=icmp -> jump blocked"},
		{"ip", "filter", "INPUT", "-g empty", "-> goto empty"},
		{"ip", "filter", "INPUT", "-s 10.0.0.9", "ip saddr=10.0.0.9 ->"},
		{"ip", "filter", "INPUT", "-f -j DROP", "? -> drop"},
		{"ip", "filter", "INPUT", "-m limit --limit 5/s -j RETURN", "? -> return"},
		{"ip", "filter", "INPUT", "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
			"ct state=established|related -> accept"},
		{"ip", "filter", "INPUT", "-p tcp -m multiport --dports 22,80:90 -j DROP",
			"l4proto=tcp, tcp dport=22|80-90 -> drop"},
		{"ip", "filter", "blocked", "-p icmp --icmp-type echo-request -j REJECT",
			"l4proto=icmp, icmp type=echo-request -> reject"},
		{"ip", "nat", "PREROUTING", "-p tcp --dport 80 -j DNAT --to 10.0.0.1:8080",
			"l4proto=tcp, tcp dport=80 -> dnat 10.0.0.1 :8080"},
		{"ip", "filter", "INPUT", "-m iprange ! --src-range 10.0.0.1-10.0.0.9 -j DROP",
			"ip saddr!=10.0.0.1-10.0.0.9 -> drop"},
		{"ip", "filter", "INPUT", "-m mark ! --mark 0x4000/0x4000 -j DROP", "mark!=0x00004000/0x00004000 -> drop"},
		{"ip", "filter", "INPUT", "-m connmark --mark 1 -j DROP", "ct mark=0x00000001 -> drop"},
		{"ip", "filter", "INPUT", "-m conntrack --ctstate RELATED,DNAT -j ACCEPT",
			"ct state or status=related|dnat -> accept"},
		{"ip", "filter", "INPUT", "-m pkttype --pkt-type broadcast -j DROP", "pkttype=broadcast -> drop"},
		{"ip", "filter", "INPUT", "-m length --length 1400: -j DROP", "length=1400-65535 -> drop"},
		{"ip", "filter", "INPUT", "-m ttl --ttl-lt 2 -j DROP", "ip ttl=0-1 -> drop"},
		{"ip", "filter", "INPUT", "-m dscp --dscp 8 -j DROP", "ip tos=0x20/0xfc -> drop"},
		{"ip", "filter", "INPUT", "-m physdev ! --physdev-is-bridged -j DROP", "physdev is-bridged!=yes -> drop"},
		{"ip", "raw", "PREROUTING", "-m rpfilter --validmark --invert -j DROP",
			"fib saddr . mark . iif oif=missing -> drop"},
		{"ip", "filter", "INPUT", "-m statistic --mode nth --every 3 --packet 0 -j RETURN",
			"numgen inc mod 3=0 -> return"},
		{"ip", "mangle", "FORWARD", "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
			"l4proto=tcp, tcp flags=0x02/0x06 ->"},
		{"ip", "nat", "POSTROUTING", "-o eth0 -j MASQUERADE", "oifname=eth0 -> masquerade"},
		{"ip", "filter", "INPUT", "-m statistic --mode nth ! --every 3 --packet 0 -j RETURN",
			"numgen inc mod 3=1-2 -> return"},
		{"ip", "filter", "INPUT", "-m statistic --mode random --probability 0.2 -j RETURN",
			"numgen random mod 2=0 -> return"},
		{"ip", "mangle", "FORWARD", "-j MARK --set-mark 3", "mark := 0x00000003 ->"},
		{"ip", "mangle", "FORWARD", "-j MARK --or-mark 0x4", "mark := 0xfffffffb ^ 0x00000004 ->"},
		{"ip", "mangle", "FORWARD", "-j CONNMARK --set-mark 3", "ct mark := 0x00000003 ->"},
		{"ip", "mangle", "FORWARD", "-j CONNMARK --save-mark", "ct mark :=  ->"},
		{"ip", "mangle", "FORWARD", "-j CONNMARK --restore-mark", "mark :=  ->"},
		{"ip", "raw", "PREROUTING", "-s 10.0.0.1 -j CT --notrack", "ip saddr=10.0.0.1, notrack :=  ->"},
		{"ip", "raw", "PREROUTING", "-j CT --zone 1", "? ->"},
		{"ip6", "filter", "INPUT", "-s fd00::/64 -p icmpv6 --icmpv6-type 128 -j DROP",
			"ip6 saddr=fd00::/64, l4proto=ipv6-icmp, icmpv6 type=echo-request -> drop"},
		{"ip6", "filter", "OUTPUT", "-d fd00::7 -o lo -j REJECT", "oifname=lo, ip6 daddr=fd00::7 -> reject"},
		{"ip6", "nat", "PREROUTING", "-p tcp --dport 80 -j DNAT --to [fd00::1]:8080",
			"l4proto=tcp, tcp dport=80 -> dnat fd00::1 :8080"},
	} {
		program := c.family + "tables-legacy"
		if c.family == "ip6" && c.table == "nat" || c.table == "mangle" || c.table == "raw" {
			if _, err := try(w, "a", program, "-w", "-t", c.table, "-L", "-n"); err != nil {
				continue // a table that this kernel may lack
			}
		}
		line := program + " -w -t " + c.table + " -A " + c.chain + " " + c.rule
		if out, err := try(w, "a", strings.Fields(line)...); err != nil {
			t.Logf("%s: %s", line, out)
			continue
		}
		at := c.family + " " + c.table + " " + c.chain
		want[at] = append(want[at], c.model)
	}
	got := map[string][]string{}
	chains := map[string]state.FilterChain{}
	for _, table := range read(t, w, "a").LegacyFilters {
		for _, c := range table.Chains {
			at := table.Family + " " + table.Name + " " + c.Name
			chains[at] = c
			for i, r := range c.Rules {
				got[at] = append(got[at], model(r))
				equal(t, r.Handle, uint64(i+1))
			}
		}
	}
	equal(t, got, want)
	for at, c := range map[string]state.FilterChain{
		"ip filter INPUT":    {Name: "INPUT", Type: "filter", Hook: "input", Policy: "accept"},
		"ip filter FORWARD":  {Name: "FORWARD", Type: "filter", Hook: "forward", Policy: "drop"},
		"ip filter empty":    {Name: "empty"},
		"ip nat PREROUTING":  {Name: "PREROUTING", Type: "nat", Hook: "prerouting", Priority: -100, Policy: "accept"},
		"ip nat POSTROUTING": {Name: "POSTROUTING", Type: "nat", Hook: "postrouting", Priority: 100, Policy: "accept"},
		"ip6 filter INPUT":   {Name: "INPUT", Type: "filter", Hook: "input", Policy: "accept"},
	} {
		one := chains[at]
		one.Rules = nil
		equal(t, one, c)
	}
}

// read is a namespace with its packet filters.
func read(t *testing.T, w *netns.World, ns string) *state.Namespace {
	t.Helper()
	s, err := Lab(t.Context(), w, Options{Filters: true})
	if err != nil {
		t.Fatal(err)
	}
	return s.Namespace(ns)
}

// TestReadingMakesNoLegacyTable: only tables that are there are asked for, and none is made by that. A table that is
// read is no doubt.
func TestReadingMakesNoLegacyTable(t *testing.T) {
	legacy(t, "iptables-legacy")
	w := newWorld(t, "a", "b")
	names := func(ns string) (names string) {
		t.Helper()
		err := w.Do(ns, func() (err error) {
			names, err = readValue(-100, "/proc/thread-self/net/ip_tables_names")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	run(t, w, "a", "iptables-legacy -w -L -n") // makes the table filter
	for range 2 {
		n := read(t, w, "a")
		equal(t, len(n.LegacyFilters), 1)
		equal(t, n.LegacyFilters[0].Name, "filter")
		equal(t, n.Unread, []string(nil))
		equal(t, read(t, w, "b").LegacyFilters, []state.FilterTable(nil))
		equal(t, names("a"), "filter")
		equal(t, names("b"), "")
	}
	counted := run(t, w, "a", "iptables-legacy -w -L -n -v -x")
	run(t, w, "a", "iptables-legacy -w -A INPUT -j DROP")
	equal(t, read(t, w, "a").Unread, []string(nil))
	run(t, w, "a", "iptables-legacy -w -D INPUT 1")
	equal(t, run(t, w, "a", "iptables-legacy -w -L -n -v -x"), counted)
}

// TestLegacyTablesWhileTheyChange: a table that is replaced between two questions is read again.
func TestLegacyTablesWhileTheyChange(t *testing.T) {
	legacy(t, "iptables-legacy")
	w := newWorld(t, "a")
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				try(w, "a", "iptables-legacy", "-w", "-A", "INPUT", "-s", "10.0.0.0/8", "-j", "DROP")
			}
		}
	}()
	for range 30 {
		for _, table := range read(t, w, "a").LegacyFilters {
			equal(t, len(table.Chains), 3)
			for _, r := range table.Chains[0].Rules {
				equal(t, model(r), "ip saddr=10.0.0.0/8 -> drop")
			}
		}
	}
	close(stop)
	<-done
}

// TestCutLegacyTable: what the kernel has cut off is not read past its end.
func TestCutLegacyTable(t *testing.T) {
	for _, entries := range [][]byte{nil, make([]byte, 50), make([]byte, 112), make([]byte, 4096)} {
		table := legacyTable{family: 2, name: "filter", entries: entries}
		equal(t, table.table(&reading{}), state.FilterTable{Family: "ip", Name: "filter"})
	}
}

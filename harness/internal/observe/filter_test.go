package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// load loads a rule set with nft into a namespace.
func load(t testing.TB, w *netns.World, ns, rules string) {
	t.Helper()
	needs(t, "nft")
	file := filepath.Join(t.TempDir(), "rules.nft")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, w, ns, "nft -f "+file)
}

func filtered(t testing.TB, w *netns.World, ns string) *state.Namespace {
	t.Helper()
	s, err := Lab(t.Context(), w, Options{Filters: true})
	if err != nil {
		t.Fatal(err)
	}
	n := s.Namespace(ns)
	if len(n.Unread) > 0 {
		t.Fatal(n.Unread)
	}
	return n
}

// model is a rule in one line: its conditions and its verdict.
func model(r state.FilterRule) string {
	var parts []string
	for _, m := range r.Matches {
		is := "="
		if m.Not {
			is = "!="
		}
		parts = append(parts, m.Key+is+strings.Join(m.Values, "|"))
	}
	for _, c := range r.Changes {
		value := c.Value
		if c.Keep != 0 {
			value = fmt.Sprintf("0x%08x ^ %s", c.Keep, c.Value)
		}
		parts = append(parts, c.Key+" := "+value)
	}
	if r.Opaque {
		parts = append(parts, "?")
	}
	to := strings.TrimSpace(r.Verdict + " " + r.Target)
	if r.Addr.IsValid() {
		to += " " + r.Addr.String()
	}
	if r.Port != 0 {
		to += fmt.Sprint(" :", r.Port)
	}
	return strings.TrimSpace(strings.Join(parts, ", ") + " -> " + to)
}

// ruleTables are rules as nft prints them, each with its model in the state. Rules with the same text are one rule that
// distinguishes several kinds of packets.
var ruleTables = []struct {
	table, chain string
	base         state.FilterChain
	before       string // other objects of the table
	rules        [][2]string
}{
	{"inet filter", "type filter hook input priority 5; policy drop;",
		state.FilterChain{Type: "filter", Hook: "input", Priority: 5, Policy: "drop"}, `
		set blocked { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 172.16.1.1-172.16.1.9, 192.168.1.5 }; }
		set none { type ipv4_addr; }
		set doors { typeof iifname; flags interval; elements = { "eth*", "lo" }; }
		set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/24 . 80, 10.0.1.2 . 22-25 }; }
		map ports { type inet_service : verdict; elements = { 22 : accept, 80 : jump other }; }
		map nets { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.0/8 : drop, 11.0.0.0/8 : accept }; }
		map rest { type inet_service : verdict; elements = { 22 : continue, * : drop }; }
		map services {
			type ipv4_addr . inet_proto . inet_service : verdict
			elements = { 10.9.0.1 . tcp . 80 : goto other }
		}
		counter hits { }
		chain other { }`, [][2]string{
			{`ct state established,related accept`, `ct state=established|related -> accept`},
			{`ct state invalid drop`, `ct state=invalid -> drop`},
			{`ct state ! established drop`, `ct state!=established -> drop`},
			{`ct status dnat accept`, `ct status=dnat -> accept`},
			{`ct state vmap { invalid : drop, established : accept }`, `ct state=invalid -> drop`},
			{`ct state vmap { invalid : drop, established : accept }`, `ct state=established -> accept`},
			{`iif "lo" accept`, `iifname=lo -> accept`},
			{`iifname "eth*" drop`, `iifname=eth* -> drop`},
			{`iifname { "a", "b" } drop`, `iifname=a|b -> drop`},
			{`iifname @doors drop`, `iifname=eth*|lo -> drop`},
			{`oifname != "x" drop`, `oifname!=x -> drop`},
			{`ip saddr 10.1.0.0/16 drop`, `nfproto=ipv4, ip saddr=10.1.0.0/16 -> drop`},
			{`ip saddr 10.1.0.0/17 drop`, `nfproto=ipv4, ip saddr=10.1.0.0/17 -> drop`},
			{`ip saddr != 10.1.0.0/20 drop`, `nfproto=ipv4, ip saddr!=10.1.0.0/20 -> drop`},
			{`ip saddr 10.1.0.1-10.1.0.9 drop`, `nfproto=ipv4, ip saddr=10.1.0.1-10.1.0.9 -> drop`},
			{`ip saddr != 10.1.0.1-10.1.0.9 drop`, `nfproto=ipv4, ip saddr!=10.1.0.1-10.1.0.9 -> drop`},
			{`ip saddr 10.0.0.1 ip daddr 10.0.0.2 drop`, `nfproto=ipv4, ip saddr=10.0.0.1, ip daddr=10.0.0.2 -> drop`},
			{`ip saddr @blocked drop`, `nfproto=ipv4, ip saddr=10.0.0.0/8|172.16.1.1-172.16.1.9|192.168.1.5 -> drop`},
			{`ip saddr != @blocked drop`,
				`nfproto=ipv4, ip saddr!=10.0.0.0/8|172.16.1.1-172.16.1.9|192.168.1.5 -> drop`},
			{`ip saddr @none drop`, `nfproto=ipv4, ip saddr= -> drop`},
			{`ip saddr vmap @nets`, `nfproto=ipv4, ip saddr=10.0.0.0/8 -> drop`},
			{`ip saddr vmap @nets`, `nfproto=ipv4, ip saddr=11.0.0.0/8 -> accept`},
			{`tcp dport vmap @rest`, `l4proto=tcp, tcp dport=22 ->`},
			{`tcp dport vmap @rest`, `l4proto=tcp, tcp dport!=22 -> drop`},
			{`ip6 daddr fd00::/64 drop`, `nfproto=ipv6, ip6 daddr=fd00::/64 -> drop`},
			{`ip6 daddr fd00::/61 drop`, `nfproto=ipv6, ip6 daddr=fd00::/61 -> drop`},
			{`ip6 saddr { fd00::1, fd00::2 } drop`, `nfproto=ipv6, ip6 saddr=fd00::1|fd00::2 -> drop`},
			{`tcp dport 22 accept`, `l4proto=tcp, tcp dport=22 -> accept`},
			{`tcp sport 1024 tcp dport 22 accept`, `l4proto=tcp, tcp sport=1024, tcp dport=22 -> accept`},
			{`tcp dport { 22, 80-90 } counter drop`, `l4proto=tcp, tcp dport=22|80-90 -> drop`},
			{`tcp dport != 22 reject`, `l4proto=tcp, tcp dport!=22 -> reject`},
			{`tcp dport 22 reject with tcp reset`, `l4proto=tcp, tcp dport=22 -> reject`},
			{`tcp dport > 1024 drop`, `l4proto=tcp, tcp dport=1025-65535 -> drop`},
			{`tcp dport >= 1024 drop`, `l4proto=tcp, tcp dport=1024-65535 -> drop`},
			{`tcp dport < 1024 drop`, `l4proto=tcp, tcp dport=0-1023 -> drop`},
			{`tcp dport > 65535 drop`, `l4proto=tcp, tcp dport= -> drop`},
			{`tcp dport < 0 drop`, `l4proto=tcp, tcp dport= -> drop`},
			{`udp sport 53 log prefix "x " drop`, `l4proto=udp, udp sport=53 -> drop`},
			{`tcp dport vmap @ports`, `l4proto=tcp, tcp dport=22 -> accept`},
			{`tcp dport vmap @ports`, `l4proto=tcp, tcp dport=80 -> jump other`},
			{`meta l4proto { tcp, udp } th dport 53 drop`, `l4proto=tcp, tcp dport=53 -> drop`},
			{`meta l4proto { tcp, udp } th dport 53 drop`, `l4proto=udp, udp dport=53 -> drop`},
			{`ip saddr . tcp dport { 10.0.0.1 . 80 } drop`,
				`nfproto=ipv4, l4proto=tcp, ip saddr=10.0.0.1, tcp dport=80 -> drop`},
			{`ip saddr . tcp dport @pairs drop`,
				`nfproto=ipv4, l4proto=tcp, ip saddr=10.0.0.0/24, tcp dport=80 -> drop`},
			{`ip saddr . tcp dport @pairs drop`,
				`nfproto=ipv4, l4proto=tcp, ip saddr=10.0.1.2, tcp dport=22-25 -> drop`},
			{`icmp type echo-request drop`, `nfproto=ipv4, l4proto=icmp, icmp type=echo-request -> drop`},
			{`icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
				`nfproto=ipv6, l4proto=ipv6-icmp, icmpv6 type=nd-neighbor-solicit|nd-neighbor-advert -> accept`},
			{`ip protocol icmp drop`, `nfproto=ipv4, l4proto=icmp -> drop`},
			{`ip6 nexthdr ipv6-icmp drop`, `nfproto=ipv6, l4proto=ipv6-icmp -> drop`},
			{`meta l4proto icmp drop`, `l4proto=icmp -> drop`},
			{`meta l4proto { tcp, udp } accept`, `l4proto=tcp|udp -> accept`},
			{`meta nfproto ipv6 drop`, `nfproto=ipv6 -> drop`},
			{`meta mark 0x0000002a drop`, `mark=0x0000002a -> drop`},
			{`meta mark & 0x00004000 == 0x00004000 drop`, `mark=0x00004000/0x00004000 -> drop`},
			{`ct mark & 0x0000000f != 0x00000001 drop`, `ct mark!=0x00000001/0x0000000f -> drop`},
			{`meta mark 0x00000001-0x00000005 drop`, `mark=0x00000001-0x00000005 -> drop`},
			{`tcp flags syn drop`, `l4proto=tcp, tcp flags!=0x00/0x02 -> drop`},
			{`tcp flags ! syn drop`, `l4proto=tcp, tcp flags=0x00/0x02 -> drop`},
			{`tcp flags syn / fin,syn,rst,ack drop`, `l4proto=tcp, tcp flags=0x02/0x17 -> drop`},
			{`ip ttl < 2 drop`, `nfproto=ipv4, ip ttl=0-1 -> drop`},
			{`meta length > 1400 drop`, `length=1401-4294967295 -> drop`},
			{`meta pkttype broadcast drop`, `pkttype=broadcast -> drop`},
			{`ct direction original drop`, `ct direction=original -> drop`},
			{`fib saddr . mark . iif oif missing drop`, `fib saddr . mark . iif oif=missing -> drop`},
			{`meta mark set meta mark | 0x00004000`, `mark := 0xffffbfff ^ 0x00004000 ->`},
			{`meta mark set meta mark ^ 0x00004000`, `mark := 0xffffffff ^ 0x00004000 ->`},
			{`meta mark set 0x00000007 accept`, `mark := 0x00000007 -> accept`},
			{`ip daddr set 10.0.0.9 accept`, `nfproto=ipv4, ip daddr := 10.0.0.9 -> accept`},
			{`ip ttl set 64`, `nfproto=ipv4, ip ttl := 64 ->`},
			{`notrack`, `notrack :=  ->`},
			{`ip daddr . meta l4proto . th dport vmap @services`,
				`nfproto=ipv4, ip daddr=10.9.0.1, l4proto=tcp, tcp dport=80 -> goto other`},
			{`numgen random mod 2 vmap { 0 : jump other, 1 : goto other }`, `numgen random mod 2=0 -> jump other`},
			{`numgen random mod 2 vmap { 0 : jump other, 1 : goto other }`, `numgen random mod 2=1 -> goto other`},
			{`fib daddr type local drop`, `fib daddr type=local -> drop`},
			{`fib saddr type != { local, broadcast } drop`, `fib saddr type!=local|broadcast -> drop`},
			{`reject with icmp host-prohibited`, `nfproto=ipv4 -> reject`},
			{`reject with icmpx admin-prohibited`, `-> reject`},
			{`counter name "hits" drop`, `-> drop`},
			{`limit rate 5/second accept`, `? -> accept`},
			{`limit rate over 10/minute burst 20 packets drop`, `? -> drop`},
			{`ip saddr 10.0.0.1 jump other`, `nfproto=ipv4, ip saddr=10.0.0.1 -> jump other`},
			{`ip saddr 10.0.0.1 goto other`, `nfproto=ipv4, ip saddr=10.0.0.1 -> goto other`},
			{`return comment "enough"`, `-> return`},
		}},
	{"ip nat", "type nat hook postrouting priority 100;",
		state.FilterChain{Type: "nat", Hook: "postrouting", Priority: 100, Policy: "accept"}, ``, [][2]string{
			{`oifname "x" masquerade`, `oifname=x -> masquerade`},
			{`ip saddr 10.0.0.0/8 oifname "x" snat to 192.0.2.4`, `ip saddr=10.0.0.0/8, oifname=x -> snat 192.0.2.4`},
		}},
	{"ip filter", "type filter hook forward priority 0; policy drop;",
		state.FilterChain{Type: "filter", Hook: "forward", Policy: "drop"}, ``, [][2]string{
			{`reject`, `-> reject`},
			{`tcp dport 22 reject with icmp admin-prohibited`, `l4proto=tcp, tcp dport=22 -> reject`},
		}},
	{"ip6 nat", "type nat hook prerouting priority -100;",
		state.FilterChain{Type: "nat", Hook: "prerouting", Priority: -100, Policy: "accept"}, ``, [][2]string{
			{`tcp dport 80 dnat to [fd00::1]:8080`, `l4proto=tcp, tcp dport=80 -> dnat fd00::1 :8080`},
			{`dnat to ip6 daddr map { fd00::5 : fd00::6 }`, `ip6 daddr=fd00::5 -> dnat fd00::6`},
			{`tcp dport 80 redirect to :8080`, `l4proto=tcp, tcp dport=80 -> redirect :8080`},
		}},
	{"inet nat", "type nat hook prerouting priority -100;",
		state.FilterChain{Type: "nat", Hook: "prerouting", Priority: -100, Policy: "accept"}, ``, [][2]string{
			{`dnat ip to tcp dport map { 80 : 10.0.0.1 . 8080 }`, `l4proto=tcp, tcp dport=80 -> dnat 10.0.0.1 :8080`},
			{`dnat ip to numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }`,
				`numgen random mod 2=0 -> dnat 10.0.0.1`},
			{`dnat ip to numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }`,
				`numgen random mod 2=1 -> dnat 10.0.0.2`},
			{`ip daddr 192.0.2.1 dnat ip to 10.0.0.1`, `nfproto=ipv4, ip daddr=192.0.2.1 -> dnat 10.0.0.1`},
		}},
	{"arp filter", "type filter hook input priority 0;",
		state.FilterChain{Type: "filter", Hook: "input", Policy: "accept"}, ``, [][2]string{
			{`arp operation request drop`, `arp operation=request -> drop`},
		}},
	{"bridge filter", "type filter hook forward priority 0;",
		state.FilterChain{Type: "filter", Hook: "forward", Policy: "accept"}, ``, [][2]string{
			{`ether type arp drop`, `ether type=arp -> drop`},
			{`ether saddr 02:00:00:00:00:01 drop`, `ether saddr=02:00:00:00:00:01 -> drop`},
			{`ether saddr { 02:00:00:00:00:01, 02:00:00:00:00:02 } drop`,
				`ether saddr=02:00:00:00:00:01|02:00:00:00:00:02 -> drop`},
			{`ip saddr 192.0.2.4 drop`, `ether type=ip, ip saddr=192.0.2.4 -> drop`},
			{`icmp type echo-request drop`, `ether type=ip, l4proto=icmp, icmp type=echo-request -> drop`},
			{`arp operation reply drop`, `ether type=arp, arp operation=reply -> drop`},
		}},
	{"netdev filter", "type filter hook ingress device lo priority 0;",
		state.FilterChain{Type: "filter", Hook: "ingress", Policy: "accept", Devices: []string{"lo"}}, ``, [][2]string{
			{`ip saddr 192.0.2.4 drop`, `ether type=ip, ip saddr=192.0.2.4 -> drop`},
			{`meta protocol ip6 drop`, `ether type=ip6 -> drop`},
		}},
}

// TestFilters loads rules with nft, and compares the rules of the state with their models and with the output of nft.
func TestFilters(t *testing.T) {
	for _, of := range ruleTables {
		t.Run(of.table, func(t *testing.T) {
			w := newWorld(t, "a")
			var script, want []string
			last := ""
			for _, r := range of.rules {
				if r[0] != last {
					script = append(script, r[0])
				}
				last = r[0]
				want = append(want, r[0]+"\n\t"+r[1])
			}
			load(t, w, "a", fmt.Sprintf("table %s {\n%s\nchain c {\n%s\n%s\n}\n}\n", of.table, of.before, of.chain,
				strings.Join(script, "\n")))
			tables := filtered(t, w, "a").Filters
			if len(tables) != 1 {
				t.Fatalf("%d tables", len(tables))
			}
			equal(t, tables[0].Family+" "+tables[0].Name, of.table)
			c := tables[0].Chains[len(tables[0].Chains)-1]
			var got []string
			for _, r := range c.Rules {
				got = append(got, r.Text+"\n\t"+model(r))
				if r.Handle == 0 {
					t.Errorf("%s has no handle", r.Text)
				}
			}
			equal(t, got, want)
			c.Name, c.Rules = "", nil
			equal(t, c, of.base)
			printed := run(t, w, "a", "nft -s list chain "+of.table+" c")
			for _, line := range script {
				if !strings.Contains(printed, "\t"+line+"\n") {
					t.Errorf("nft does not print %q but:\n%s", line, printed)
				}
			}
		})
	}
}

// TestOpaqueRules are rules that are not understood: they are opaque, whatever their verdict.
func TestOpaqueRules(t *testing.T) {
	w := newWorld(t, "a")
	load(t, w, "a", `table inet t {
		set seen { type ipv4_addr; flags dynamic; timeout 1m; }
		map to { type ipv4_addr : ipv4_addr; elements = { 10.0.0.1 : 10.0.0.2 }; }
		chain c {
			type nat hook prerouting priority 0;
			fib daddr . iif type local drop
			iifname "lo" fib daddr . iif type local drop
			ip saddr & 255.255.255.0 <= 10.0.0.0 drop
			ip saddr & 255.255.255.0 == 10.0.0.5 drop
			ct status == dnat drop
			ct status { snat, dnat } drop
			ip saddr & 255.0.255.0 == 10.0.1.0 drop
			ip saddr & 255.0.255.0 == 10.0.1.0 meta mark set 1 meta nfproto ipv4 drop
			meta cpu 0 drop
			ip saddr @seen drop
			add @seen { ip saddr limit rate 1/second } drop
			dnat ip prefix to 10.1.0.0/24
			meta cpu vmap { 0 : accept, 1 : drop }
		}
	}`)
	chain := filtered(t, w, "a").Filters[0].Chains[0]
	for _, r := range chain.Rules {
		if !r.Opaque || !strings.Contains(r.Text, "[") {
			t.Errorf("%s is not opaque: %s", r.Text, model(r))
		}
	}
	for i, want := range []string{"? -> drop", "iifname=lo, ? -> drop", "nfproto=ipv4, ? -> drop",
		"nfproto=ipv4, ? -> drop"} {
		equal(t, model(chain.Rules[i]), want) // unknown expressions add no condition
	}
	last := chain.Rules[len(chain.Rules)-2:]
	equal(t, []string{last[0].Verdict, last[1].Verdict}, []string{"accept", "drop"})
}

// TestAKernelWithoutFilters: rtnetlink refuses requests for packet filters just as netfilter does without nf_tables.
// There are no filters then, and nothing is unread.
func TestAKernelWithoutFilters(t *testing.T) {
	without, err := open(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer without.close()
	r := &reading{netfilter: without}
	if err := r.readFilters(); err != nil || len(r.Filters)+len(r.Unread) > 0 {
		t.Errorf("%v, %v, unread %q", err, r.Filters, r.Unread)
	}
}

// TestFiltersWhileTheyChange reads rules that are replaced atomically all the time: it must never see a mixture.
func TestFiltersWhileTheyChange(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it reads filters again and again while they change")
	}
	needs(t, "nft")
	w := newWorld(t, "a")
	var versions []string
	for _, verdict := range []string{"drop", "accept"} {
		rules := strings.Repeat("tcp dport { 1, 5, 9 } "+verdict+"\n", 30)
		rules = "flush ruleset\ntable inet to_" + verdict + " {\nchain c {\ntype filter hook input priority 0;\n" +
			rules + "}\n}\n"
		versions = append(versions, filepath.Join(t.TempDir(), verdict))
		if err := os.WriteFile(versions[len(versions)-1], []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, w, "a", "nft -f "+versions[0])
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if out, err := try(w, "a", "nft", "-f", versions[i%2]); err != nil {
					stopped <- fmt.Errorf("%w: %s", err, out)
					return
				}
			}
		}
	}()
	defer func() {
		close(stop)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	}()
	for range 100 {
		tables := filtered(t, w, "a").Filters
		if len(tables) != 1 || len(tables[0].Chains) != 1 || len(tables[0].Chains[0].Rules) != 30 {
			t.Fatalf("a mixture of %d tables", len(tables))
		}
		for _, r := range tables[0].Chains[0].Rules {
			if want := "l4proto=tcp, tcp dport=1|5|9 -> " + strings.TrimPrefix(tables[0].Name,
				"to_"); model(r) != want {
				t.Fatalf("a mixture: %s in table %s", model(r), tables[0].Name)
			}
		}
	}
}

// TestLookupsOneAfterTheOther: rules that nft(8) does not write, but anybody who has a network namespace can load.
func TestLookupsOneAfterTheOther(t *testing.T) {
	address := func(last byte) element { return element{low: []byte{10, 0, 0, last}, high: []byte{10, 0, 0, last}} }
	to := address(1)
	to.data = []byte{10, 0, 0, 9}
	mark := address(1)
	mark.data = []byte{1, 0, 0, 0}
	var many []element
	for i := range 3 {
		e := address(byte(i))
		e.verdict.word = "accept"
		many = append(many, e)
	}
	sets := map[place]*filterSet{}
	for name, elements := range map[string][]element{"to": {to}, "marks": {mark}, "many": many} {
		sets[place{unix.NFPROTO_IPV4, "t", name}] = &filterSet{read: true, keyLen: 4, elements: elements}
	}
	const source, destination = unix.NFT_REG_1, unix.NFT_REG_2
	in := func(set string, register uint32) *expr.Lookup {
		return &expr.Lookup{SetName: set, SourceRegister: source, IsDestRegSet: true, DestRegister: register}
	}
	for _, c := range []struct {
		what string
		of   []expr.Any
	}{
		{"a translation by a map before a larger verdict map", []expr.Any{in("to", destination), in("many", 0),
			&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: destination}}},
		{"a mark by a map before a larger verdict map", []expr.Any{in("marks", destination), in("many", 0),
			&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: destination}}},
		{"a mark before a verdict map", []expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true,
			Register: destination}, in("many", 0)}},
		{"a mark by a map before a condition", []expr.Any{in("marks", destination), &expr.Meta{Key: expr.MetaKeyMARK,
			SourceRegister: true, Register: destination}, &expr.Cmp{Register: source, Data: []byte{10, 0, 0, 2}}}},
	} {
		u := &understanding{ruleset: &ruleset{sets: sets}, registers: map[uint32]register{
			slot(source): {fields: []field{ipSaddr}}}}
		u.raw.in.family, u.raw.in.table = unix.NFPROTO_IPV4, "t"
		for _, e := range c.of {
			switch e := e.(type) {
			case *expr.Lookup:
				if err := u.lookup(e); err != nil {
					t.Fatal(err)
				}
			case *expr.NAT:
				u.nat(e)
			case *expr.Meta:
				u.setMeta(e)
			case *expr.Cmp:
				u.compare(e)
			}
		}
		for _, r := range u.finish() {
			if !r.Opaque {
				t.Errorf("%s: %+v is not opaque", c.what, r)
			}
		}
	}
}

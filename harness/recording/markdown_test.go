package recording

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// TestExpected: whatever a program prints, the lines below its command are read again as its output, and match it.
func TestExpected(t *testing.T) {
	for name, c := range map[string]struct {
		output, again, known string
		want                 []string
	}{
		"nothing":        {want: []string{}},
		"the same":       {output: "a  b\nc\n", again: "a  b\nc\n", want: []string{"a  b", "c"}},
		"another word":   {output: "pid 17 up\n", again: "pid 18 up\n", want: []string{"pid ... up"}},
		"another number": {output: "a\nb\n", again: "a\n", want: []string{"a", "..."}},
		"times": {output: "time=0.036 ms\ntime 0ms\nrtt = 0.1/0.2/0.3/0.4 ms",
			again: "time=0.036 ms\ntime 0ms\nrtt = 0.1/0.2/0.3/0.4 ms",
			want:  []string{"time=... ms", "time ...ms", "rtt = ... ms"}},
		"an index": {output: "3: v0@if2: <UP>", again: "3: v0@if2: <UP>", want: []string{"...: v0@...: <UP>"}},
		"lo":       {output: "1: lo: <UP>", again: "1: lo: <UP>", want: []string{"1: lo: <UP>"}},
		"a chosen address": {output: "ether 72:c7:02:ea:f1:5e brd ff:ff:ff:ff:ff:ff",
			again: "ether 72:c7:02:ea:f1:5e brd " +
				"ff:ff:ff:ff:ff:ff", want: []string{"ether ... brd ff:ff:ff:ff:ff:ff"}},
		"a given address": {output: "ether 02:00:00:00:00:01", again: "ether 02:00:00:00:00:01",
			known: "ip link set v0 address 02:00:00:00:00:01", want: []string{"ether 02:00:00:00:00:01"}},
		"what is none": {output: "$ ls\n\x1b[2J\n{{x}}\n[1]", again: "$ ls\n\x1b[2J\n{{x}}\n[1]",
			want: []string{"... ls", "...", "...", "..."}},
		"no output": {output: "(nothing)\n", again: "(nothing)\n", want: []string{"..."}},
		"a fence":   {output: "```\n# T\n- [ ] x", again: "```\n# T\n- [ ] x", want: []string{"```", "# T", "- [ ] x"}},
	} {
		got := expected(Command{Text: "x", Output: c.output, Again: c.again}, c.known)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if m := scenario.MatchOutput(got, c.output); m != nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	long := strings.Repeat("line\n", 500)
	if got := expected(Command{Output: long, Again: long}, ""); len(got) != mostLines+1 {
		t.Errorf("%d lines of 500", len(got))
	}
}

// FuzzMarkdown: whatever commands print, the scenario can be read and has these commands and their status.
func FuzzMarkdown(f *testing.F) {
	f.Add("out\n", "out\n", 0)
	f.Add("$ x\n```\n~~~\n[1]\n(nothing)", "- [ ] x\n\n\n<!--\n", 1)
	f.Add("\x00\xff\u2028{{x}}\r\n...", "", 255)
	f.Fuzz(func(t *testing.T, output, again string, status int) {
		if status < 0 || status > 255 {
			return
		}
		c := Command{Text: "echo x", Output: output, Again: again, Status: status}
		r := &Recording{Title: "T", Steps: []Step{{Section: Section{Title: "S", Commands: []Command{c, c},
			Checks: []Check{{Sentence: "namespace `host` exists", Before: true}}}}}}
		sc, err := scenario.Parse("t.md", []byte(r.Markdown()))
		if err != nil {
			t.Fatalf("%v\n%s", err, r.Markdown())
		}
		for _, got := range sc.Steps[0].Blocks[0].Commands {
			if got.Text != "echo x" || got.Status.Code != status {
				t.Fatalf("%+v\n%s", got, r.Markdown())
			}
		}
		if n := len(sc.Steps[0].Blocks[0].Commands); n != 2 || len(sc.Steps) != 1 || len(sc.Steps[0].Checks) != 1 {
			t.Fatalf("%d commands\n%s", n, r.Markdown())
		}
	})
}

func TestMarkdown(t *testing.T) {
	from, err := scenario.Parse("from.md", []byte(`---
requires: [veth]
vars: {n: left}
host:
  interfaces: {up0: 203.0.113.2/24}
  routes: [default via 203.0.113.1]
---
# From

## Setup

`+"```console\n$ ip netns add {{n}}\n```"+`

## S

- [x] namespace `+"`left`"+` exists
`))
	if err != nil {
		t.Fatal(err)
	}
	r := &Recording{Title: "My lab", From: from, Requires: []string{"dummy", "veth"},
		Setup: []Command{{Text: "ip netns add right"}},
		Steps: []Step{{
			Section: Section{Title: "One",
				Commands: []Command{{Text: "ip netns add a", Status: 1, Output: "no\n", Again: "no\n"},
					{Text: "ip x", Status: 2, Partial: true}}, Checks: []Check{{Sentence: "namespace `a` exists"}}},
			Mistakes: []Mistake{{Section{Title: "Wrong", Commands: []Command{{Text: "ip y", Status: 1}}},
				[]Command{{Text: "ip z"}}}},
		}}}
	const want = `---
requires: [dummy, veth]
host:
  interfaces:
    "up0": ["203.0.113.2/24"]
  routes:
    - "default via 203.0.113.1"
---
# My lab

## Setup

` + "```console\n$ ip netns add left\n```\n\n```console\n$ ip netns add right\n```" + `

## One

` + "```console\n$ ip netns add a\nno\n[1]\n```\n\n```console partial\n$ ip x\n[2]\n```" + `

- [ ] namespace ` + "`a`" + ` exists

### Mistake: Wrong

` + "```console\n$ ip y\n[1]\n```\n\n```console fix\n$ ip z\n```\n"
	if diff := cmp.Diff(want, r.Markdown()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := scenario.Parse("my-lab.md", []byte(r.Markdown())); err != nil {
		t.Error(err)
	}
}

func TestPropose(t *testing.T) {
	address := state.Address{Prefix: netip.MustParsePrefix("10.0.0.1/24"), Scope: "global"}
	local := state.Address{Prefix: netip.MustParsePrefix("fe80::1/64"), Scope: "link"}
	lo := state.Link{Index: 1, Name: "lo", Kind: "loopback", MTU: 65536}
	host := func(links ...state.Link) state.Namespace {
		return state.Namespace{Name: "host", Links: append([]state.Link{lo}, links...)}
	}
	ns := func(name string, links ...state.Link) state.Namespace {
		return state.Namespace{Name: name, Links: append([]state.Link{lo}, links...)}
	}
	end := func(name, peer, in string, up bool, addresses ...state.Address) state.Link {
		return state.Link{Name: name, Kind: "veth", MTU: 1500, Up: up, Peer: &state.LinkRef{Netns: in, Name: peer},
			Addresses: addresses}
	}
	states := func(all ...state.Namespace) *state.State { return &state.State{Namespaces: all} }
	route := state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("10.9.0.0/16"), Table: 254,
		Proto:    "boot",
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.0.0.2"), Dev: "v0"}}}
	connected := route
	connected.Proto = "kernel"
	routed := ns("a", end("v0", "v1", "host", true))
	routed.Routes = []state.Route{route, connected}
	for name, c := range map[string]struct {
		before, after *state.State
		commands      []Command
		want          []string
	}{
		"nothing":     {before: states(host()), after: states(host())},
		"a namespace": {before: states(host()), after: states(host(), ns("a")), want: []string{"namespace `a` exists"}},
		"gone": {before: states(host(), ns("a")), after: states(host()),
			want: []string{"namespace `a` does not exist"}},
		"a pair": {before: states(host(), ns("a")), after: states(host(end("v1", "v0", "a", false)),
			ns("a", end("v0", "v1", "host", true, address, local))),
			want: []string{"`v0` in `a` is the peer of `v1` in `host`", "`v0` in `a` is up",
				"`v0` in `a` has the address `10.0.0.1/24`"}},
		"down, and an address less": {before: states(host(end("v1", "v0", "a", true, address))),
			after: states(host(end("v1", "v0", "a", false))),
			want:  []string{"`v1` in `host` is down", "`v1` in `host` does not have the address `10.0.0.1/24`"}},
		"a route": {before: states(ns("a", end("v0", "v1", "host", true))), after: states(routed),
			want: []string{"`a` has the route `10.9.0.0/16 via 10.0.0.2 dev v0`"}},
		"asked": {before: states(host()), after: states(host()), commands: []Command{
			{Argv: []string{"ip", "netns", "exec", "a", "ping", "-c1", "10.0.0.2"}},
			{Argv: []string{"ping", "-c1", "10.0.0.3"}, Status: 1},
			{Argv: []string{"sysctl", "-w", "net.ipv4.ip_forward=1"}}},
			want: []string{"`a` reaches `10.0.0.2`", "`host` does not reach `10.0.0.3`",
				"the sysctl `net.ipv4.ip_forward` in `host` is `1`"}},
	} {
		got := Propose(Section{Before: c.before, After: c.after, Commands: c.commands})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// TestFallbackTunnels: what a module of the kernel has put into every namespace is in no proposal: other machines have
// not loaded it.
func TestFallbackTunnels(t *testing.T) {
	links := []state.Link{{Index: 1, Name: "lo", Kind: "loopback"}, {Index: 2, Name: "tunl0", Kind: "ipip", MTU: 1480}}
	before := &state.State{Namespaces: []state.Namespace{{Name: "host", Links: links}}}
	after := &state.State{Namespaces: []state.Namespace{{Name: "host", Links: links}, {Name: "a", Links: links}}}
	show := Command{Argv: []string{"ip", "-n", "a", "link"}}
	s := Section{Before: before, After: after, Commands: []Command{show}}
	if diff := cmp.Diff([]string{"namespace `a` exists"}, Propose(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"`a` has only the interfaces `lo`"}, Standing(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

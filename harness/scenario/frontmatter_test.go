package scenario

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFrontMatter(t *testing.T) {
	sc, err := Parse("x.md", []byte(`---
# a comment
id: a-2b
kind: challenge
level: 07
requires: [veth, bridge-vlan-filtering, "program:tcpdump", uids]
host:
  interfaces:
    ens224: 192.168.2.252/24
    ens192: [172.16.1.252/16, "fd00::1/64"]
    a1:
    "0x10":
      - ::1/128
  routes:
    - default via 192.168.2.1 dev ens224
    - 10.0.0.0/8 dev ens192
vars:
  on: yes
  count: 010
  empty: ""
  float: 1.50
---
# T
## S
`+okStep))
	if err != nil {
		t.Fatal(err)
	}
	want := &Scenario{
		ID: "a-2b", Title: "T", Kind: Challenge, Level: 7, File: "x.md",
		Requires:      []string{"veth", "bridge-vlan-filtering", "program:tcpdump", "uids"},
		RequiresLines: []int{6, 6, 6, 6},
		Host: Host{
			Interfaces: []HostInterface{
				{Name: "ens224", Line: 9, Addresses: []netip.Prefix{netip.MustParsePrefix("192.168.2.252/24")}},
				{Name: "ens192", Line: 10, Addresses: []netip.Prefix{netip.MustParsePrefix("172.16.1.252/16"),
					netip.MustParsePrefix("fd00::1/64")}},
				{Name: "a1", Line: 11},
				{Name: "0x10", Line: 12, Addresses: []netip.Prefix{netip.MustParsePrefix("::1/128")}},
			},
			Routes: []HostRoute{{"default via 192.168.2.1 dev ens224", 15}, {"10.0.0.0/8 dev ens192", 16}},
		},
		Vars: []Var{{"on", "yes", "yes"}, {"count", "010", "010"}, {"empty", "", ""}, {"float", "1.50", "1.50"}},
	}
	opts := cmp.Options{cmpopts.IgnoreFields(Scenario{}, "Steps", "Source"),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}
	if diff := cmp.Diff(want, sc, opts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestFrontMatterProblems(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{"unknown key", "levle: 3", []string{"2: unknown key levle, did you mean level? (known: host, id,"}},
		{"unknown key below host", "host:\n  interface:\n    a: 10.0.0.1/8",
			[]string{"3: unknown key host.interface, did you mean interfaces?"}},
		{"key from nowhere", "zzzzzz: 3", []string{"2: unknown key zzzzzz (known:"}},
		{"duplicate key", "level: 3\nkind: lesson\nlevel: 4",
			[]string{"4: duplicate key level: it is in line 2 already"}},
		{"duplicate interface", "host:\n  interfaces:\n    a: 10.0.0.1/8\n    a: 10.0.0.2/8",
			[]string{"5: duplicate key host.interfaces.a"}},
		{"bad id", "id: Veth_Pair",
			[]string{"2: bad value of id: expected lower-case words joined by -, such as veth-pair; found " +
				"\"Veth_Pair\""}},
		{"bad kind", "kind: lession",
			[]string{"2: bad value of kind: expected lesson, challenge, conformance, did you mean lesson?; found " +
				"\"lession\""}},
		{"level too high", "level: 100", []string{"2: bad value of level: expected a number from 0 to 99"}},
		{"level in words", "level: two", []string{"2: bad value of level"}},
		{"level negative", "level: -1", []string{"2: bad value of level"}},
		{"requires no list", "requires: veth",
			[]string{"2: bad value of requires: expected a list of features, such as [veth, program:tcpdump]; found " +
				"\"veth\""}},
		{"requires a sentence", "requires: [a veth]", []string{"2: bad value of requires"}},
		{"requires no program", "requires:\n  - veth\n  - 'program:'", []string{"4: bad value of requires"}},
		{"host no mapping", "host: here", []string{"2: bad value of host: expected keys and values, found \"here\""}},
		{"address without length", "host:\n  interfaces:\n    eth0: 10.0.0.1",
			[]string{"4: bad value of host.interfaces.eth0: expected an address with its prefix length"}},
		{"address in a list", "host:\n  interfaces:\n    eth0:\n      - 10.0.0.1/8\n      - 10.0.0.300/8",
			[]string{"6: bad value of host.interfaces.eth0"}},
		{"interface lo", "host:\n  interfaces:\n    lo: 10.0.0.1/8",
			[]string{"4: bad key in host.interfaces: lo exists already"}},
		{"interface name too long", "host:\n  interfaces:\n    abcdefghijklmnop: 10.0.0.1/8",
			[]string{"4: bad key in host.interfaces: \"abcdefghijklmnop\" is longer"}},
		{"interface with a slash", "host:\n  interfaces:\n    a/b: 10.0.0.1/8",
			[]string{"4: bad key in host.interfaces: expected the name"}},
		{"routes no list", "host:\n  routes: default via 10.0.0.1",
			[]string{"3: bad value of host.routes: expected a list of routes"}},
		{"bad route", "host:\n  routes:\n    - default via nowhere",
			[]string{"4: bad value of host.routes: \"default via nowhere\" is no route"}},
		{"variable name", "vars:\n  a b: 1", []string{"3: bad key in vars: \"a b\" is no name"}},
		{"variable list", "vars:\n  a: [1, 2]",
			[]string{"3: bad value of vars.a: expected one line of text; found a list"}},
		{"broken YAML", "requires: [veth", []string{"2: read the front matter:"}},
		{"broken further down", "level: 1\nhost:\n  a\n b: c", []string{"4: read the front matter:"}},
		{"a list", "- a\n- b", []string{"2: bad value of the front matter: expected keys and values, found a list"}},
		{"a word", "veth", []string{"2: bad value of the front matter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("t.md", []byte("---\n"+c.yaml+"\n---\n# T\n## S\n"+okStep))
			compareProblems(t, err, "t.md", c.want)
		})
	}
	_, err := Parse("t.md", []byte("---\nlevel: 1\n# T\n"))
	compareProblems(t, err, "t.md", []string{"1: the front matter is not closed"})
	_, err = Parse("My Lesson.md", []byte(lesson(okStep)))
	compareProblems(t, err, "My Lesson.md", []string{"1: the file name is no id (\"My Lesson\")"})
}

// TestEmptyFrontMatter: an empty block and keys without a value have the defaults.
func TestEmptyFrontMatter(t *testing.T) {
	for _, yaml := range []string{"", "# nothing\n", "\n\n",
		"id:\nlevel:\nrequires: []\nhost:\n  interfaces: {}\n  routes: []\nvars: {}\n"} {
		sc, err := Parse("t.md", []byte("---\n"+yaml+"---\n# T\n## S\n"+okStep))
		if err != nil {
			t.Errorf("%q: %v", yaml, err)
			continue
		}
		if sc.ID != "t" || sc.Level != 0 || len(sc.Requires)+len(sc.Host.Interfaces)+len(sc.Vars) != 0 {
			t.Errorf("%q: %s", yaml, dump(sc))
		}
	}
}

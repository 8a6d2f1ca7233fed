package scenario

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
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
		ID: "a-2b", IDLine: 3, Title: "T", Kind: Challenge, Level: 7, File: "x.md",
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
		Vars: []Var{{"on", "yes", "yes", nil, 18}, {"count", "010", "010", nil, 19}, {"empty", "", "", nil, 20},
			{"float", "1.50", "1.50", nil, 21}},
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
		{"long id", "id: " + strings.Repeat("a", 200_000),
			[]string{"2: bad value of id: expected at most 100 letters, found " +
				"200000; found \"" + strings.Repeat("a", 60) + "…\""}},
		{"tab", "host:\n\tinterfaces:\n\t\tup0: 10.0.0.1/8",
			[]string{"3: read the front matter: the line begins with a tab: YAML is indented with blanks"}},
		{"tab on the top level", "level: 1\n\tid: x",
			[]string{"3: read the front matter: the line begins with a tab: YAML is indented with blanks"}},
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
		{"route with bits behind its prefix length", "host:\n  routes:\n    - 10.9.0.1/16 via 10.0.0.2",
			[]string{"4: bad value of host.routes: \"10.9.0.1/16 via 10.0.0.2\" is no route: 10.9.0.1/16 has bits " +
				"behind its prefix length, which no route has: write 10.9.0.0/16"}},
		{"variable name", "vars:\n  a b: 1", []string{"3: bad key in vars: \"a b\" is no name"}},
		{"variable of keys", "vars:\n  a: {1..5}",
			[]string{"3: bad value of vars.a: expected one line of text, or a list " +
				"such as [red, blue]; one that begins with { stands in quotes; found keys and values"}},
		{"empty list", "vars:\n  a: []",
			[]string{"3: bad value of vars.a: expected a list with at least one value; found a list"}},
		{"zero byte in a value", "vars:\n  a: \"b\\0\"\n  c: [d, \"e\\0\"]", []string{
			"3: bad value of vars.a: expected one line of text", "4: bad value of vars.c: expected one line of text"}},
		{"list in a list", "vars:\n  a: [1, [2]]", []string{"3: bad value of vars.a: expected one line of text"}},
		{"value twice", "vars:\n  a:\n    - x\n    - y\n    - x",
			[]string{"6: bad value of vars.a: \"x\" stands in the list twice"}},
		{"descending range", "vars:\n  a: 10.{200..1}.0.0",
			[]string{"3: bad value of vars.a: a range is written {1..200}, the " +
				"smaller number first, found {200..1}"}},
		{"range of one", "vars:\n  a: '{1..1}'",
			[]string{"3: bad value of vars.a: a range is written {1..200}, the smaller"}},
		{"negative range", "vars:\n  a: '{-1..5}'",
			[]string{"3: bad value of vars.a: a range is written {1..200}, with two numbers"}},
		{"zeros in front", "vars:\n  a: x{01..20}",
			[]string{"3: bad value of vars.a: a range is written {1..200}, with two"}},
		{"three dots", "vars:\n  a: x{1...20}",
			[]string{"3: bad value of vars.a: a range is written {1..200}, with two"}},
		{"blanks in a range", "vars:\n  a: x{1 .. 20}", []string{"3: bad value of vars.a: a range is written"}},
		{"letters in a range", "vars:\n  a: [x, 'x{a..f}']", []string{"3: bad value of vars.a: a range is written"}},
		{"too large a range", "vars:\n  a: x{1..9999999999}", []string{"3: bad value of vars.a: a range is written"}},
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
	for src, want := range map[string]string{
		"---\nlevel: 1\n# T\n":                 "1: the front matter is not closed",
		"----\nlevel: 1\n---\n# T\n":           `1: the front matter begins with a line --- at the very top of the file, found "----"`,
		"+++\nlevel: 1\n+++\n# T\n":            `1: the front matter begins with a line ---`,
		"\n---\nlevel: 1\n---\n# T\n":          `2: the front matter begins with a line --- at the very top of the file, found "---"`,
		" ---\nlevel: 1\n---\n# T\n":           `1: the front matter begins with a line ---`,
		"---yaml\n\nlevel: 1\n---\n# T\n":      `1: the front matter begins with a line ---`,
		"level: 1\n---\n# T\n":                 `1: the front matter begins with a line --- at the very top of the file, found "level: 1"`,
		"---\nlevel: 1\n----\n# T\n":           `3: the front matter ends with a line ---, found "----"`,
		"---\nlevel: 1\n...\n# T\n":            `3: the front matter ends with a line ---`,
		"---\nlevel: 1\n---\u00a0\n---\n# T\n": `3: the front matter ends with a line ---`,
		"---\nlevel: 1\n  ---\n# T\n---\n":     `3: the front matter ends with a line ---`,
		"---\nlevel: 1\n——\n# T\n":             `3: the front matter ends with a line ---, found "——"`,
	} {
		_, err := Parse("t.md", []byte(src+"## S\n"+okStep))
		var problems Problems
		if !errors.As(err, &problems) ||
			!strings.HasPrefix(fmt.Sprintf("%d: %s", problems[0].Line, problems[0].Message), want) {
			t.Errorf("%q: %v, want %s", src, err, want)
		}
	}
	var err error
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

// TestFlowColons: YAML ends a plain key only at a colon with a blank behind it, also in a list inside braces.
func TestFlowColons(t *testing.T) {
	read := func(front string) (*Scenario, error) {
		return Parse("a.md", []byte("---\n"+front+"\n---\n# T\n\n## A\n\n- [x] namespace `host` exists\n"))
	}
	sc, err := read("host: {interfaces: {e0: [10.0.0.1/24, fd00::1/64, 2001:db8::1/64]}, " +
		"routes: [default via fd00::fe dev e0]}\nvars: {net: [fd00::/64, 02:00:00:00:00:01]}")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, prefix := range sc.Host.Interfaces[0].Addresses {
		got = append(got, prefix.String())
	}
	got = append(append(got, sc.Host.Routes[0].Text), sc.Vars[0].Choices...)
	want := []string{"10.0.0.1/24", "fd00::1/64", "2001:db8::1/64", "default via fd00::fe dev e0", "fd00::/64",
		"02:00:00:00:00:01"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, front := range []string{"vars: {a: [b: c]}", "vars: {a: [\"b\":c]}", "vars: {a: [{b: c}]}"} {
		if _, err := read(front); err == nil || !strings.Contains(err.Error(), "found keys and values") {
			t.Errorf("%s: %v, want a refusal of keys and values", front, err)
		}
	}
}

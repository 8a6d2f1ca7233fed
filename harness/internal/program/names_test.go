package program

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

func TestRenamable(t *testing.T) {
	names := NamesIn(strings.Fields("ip -n testns link set v0 netns prodns"))
	if strings.Join(names, " ") != "testns prodns" {
		t.Fatalf("the namespaces are %q", names)
	}
	for line, ok := range map[string]bool{
		"ip -n testns link":                              true,
		"sh -c 'test -e /run/netns/testns'":              true,
		"sh -c 'ip -n testns link'":                      false,
		"ip netns exec prodns sh -c 'ip -n testns link'": false,
		"sh -c 'ip netns list'":                          false,
		"ip link set v0 alias 'to testns'":               true,
		"sh -c 'echo other'":                             true,
		"ip -all netns del":                              false,
		"ip -n testns -a netns exec true":                false,
		"timeout 1 ip -force -b /run/batch":              false,
		"ip netns exec testns ip -batch /run/batch":      false,
		"sh -c 'ip -batch /run/batch'":                   false,
		"bridge -n testns -batch /run/batch":             true, // their lines name no namespaces
		"tc -n testns -b /run/batch":                     true,
		"sh -c 'bridge -n testns -b /run/batch'":         false,
		"ip -br -f inet link show all":                   true,
		"ip link set v0 alias -all":                      true,
		"ip netns add " + strings.Repeat("n", 248):       true,
		"ip netns add " + strings.Repeat("n", 249):       false,
		"ip netns add " + strings.Repeat("n", 256):       true, // the kernel refuses the name without a suffix
	} {
		argv, err := scenario.Words(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := Renamable(argv, names); (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestPlaceNames(t *testing.T) {
	real := func(name string) string { return name + "-id" }
	for _, c := range []struct{ words, want, foreign string }{
		{"ip netns add testns", "ip netns add testns-id", ""},
		{"ip netns list", "ip netns list", ""},
		{"ip -n testns link set testns up", "ip -n testns-id link set testns up", ""},
		{"ip -netns testns addr", "ip -netns testns-id addr", ""},
		{"ip link set vnix netns prodns", "ip link set vnix netns prodns-id", ""},
		{"ip link set vnix netns 4711", "ip link set vnix netns 4711", ""},
		{"ip -n 1 link", "ip -n 1-id link", ""},
		{"ip link add a netns A type veth peer name b netns B",
			"ip link add a netns A-id type veth peer name b netns B-id", ""},
		{"ip netns exec testns ip -n prodns link", "ip netns exec testns-id ip -n prodns-id link", ""},
		{"ip netns exec testns ping testns", "ip netns exec testns-id ping testns", "ping testns"},
		{"bridge -n S fdb show", "bridge -n S-id fdb show", ""},
		{"tc -netns S qdisc", "tc -netns S-id qdisc", ""},
		{"ip -f inet -n S link", "ip -f inet -n S-id link", ""},
		{"ip -d -rc 9 -family inet netns add S", "ip -d -rc 9 -family inet netns add S-id", ""},
		{"ip -l 2 -fam inet -net S link set v netns P", "ip -l 2 -fam inet -net S-id link set v netns P-id", ""},
		{"ip -br -force -resolve -n S link", "ip -br -force -resolve -n S-id link", ""},
		{"bridge -b lines -n S", "bridge -b lines -n S-id", ""},
		{"bridge -f inet --netns S mdb", "bridge -f inet --netns S-id mdb", ""},
		{"tc -force -batch lines -cf names -n S", "tc -force -batch lines -cf names -n S-id", ""},
		{"tc -f -names -n S qdisc", "tc -f -names -n S-id qdisc", ""},
		{"ping testns", "ping testns", "ping testns"},
		{"timeout 1 ip netns exec testns ping testns", "timeout 1 ip netns exec testns-id ping testns",
			"timeout 1 ping testns"},
		{"env A=b ip -n testns link", "env A=b ip -n testns-id link", "env A=b"},
		{"ip netns list-id nsid 7", "ip netns list-id nsid 7", ""},
		{"ip netns identify 4711", "ip netns identify 4711", ""},
		{"ip -n testns netns set prodns 7", "ip -n testns-id netns set prodns-id 7", ""},
		{"ip net e testns ip l", "ip net e testns-id ip l", ""},
	} {
		words := strings.Fields(c.words)
		_, foreign := placeNames(real, words)
		var theirs []string
		for i, word := range words {
			if foreign[i] {
				theirs = append(theirs, word)
			}
		}
		if program := strings.Join(theirs, " "); program != c.foreign {
			t.Errorf("%s: the words of other programs are %q, want %q", c.words, program, c.foreign)
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.words, got, c.want)
		}
	}
}

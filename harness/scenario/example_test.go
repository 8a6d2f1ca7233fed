package scenario_test

import (
	"fmt"

	"netnscheck/harness/scenario"
)

const lesson = `---
level: 1
---
# Connect two namespaces

## Lay the cable

` + "```console" + `
$ ip netns add testns
$ ip link add v0 type veth peer name t0 netns testns
` + "```" + `

- [ ] ` + "`v0` in `host` is the peer of `t0` in `testns`" + `
`

func ExampleParse() {
	sc, err := scenario.Parse("cable.md", []byte(lesson))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %s\n", sc.ID, sc.Title)
	for _, step := range sc.Steps {
		fmt.Printf("line %d: %s\n", step.Line, step.Title)
		for _, block := range step.Blocks {
			for _, command := range block.Commands {
				fmt.Printf("  %q\n", command.Argv)
			}
		}
		for _, check := range step.Checks {
			fmt.Printf("  %T: %s\n", check.Claim, check.Text)
		}
	}
	// Output:
	// cable: Connect two namespaces
	// line 6: Lay the cable
	//   ["ip" "netns" "add" "testns"]
	//   ["ip" "link" "add" "v0" "type" "veth" "peer" "name" "t0" "netns" "testns"]
	//   claim.PeerOf: `v0` in `host` is the peer of `t0` in `testns`
}

// All problems of a file are reported, each with its line.
func ExampleParse_problems() {
	_, err := scenario.Parse("cable.md", []byte("---\nlevle: 1\n---\n# A cable\n\n## Lay it\n\n- [ ] `testns` exits\n"))
	fmt.Println(err)
	// Output:
	// cable.md:2: unknown key levle, did you mean level? (known: host, id, kind, level, points, requires, vars)
	// cable.md:8: unknown check “`testns` exits”; the nearest form is “namespace `N` exists”
}

func ExampleParseClaim() {
	claim, err := scenario.ParseClaim("`testns` reaches `192.168.2.103`")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%T: %s\n", claim, claim.Sentence())
	_, err = scenario.ParseClaim("`testns` reeches `192.168.2.103`")
	fmt.Println(err)
	// Output:
	// claim.Reaches: `testns` reaches `192.168.2.103`
	// unknown check “`testns` reeches `192.168.2.103`”; the nearest form is “`N` reaches `192.168.2.103`”
}

// In the expected output, "..." matches anything.
func ExampleMatchOutput() {
	want := []string{"2: v0@...: <BROADCAST,MULTICAST> mtu 1500 ..."}
	fmt.Println(scenario.MatchOutput(want, "2: v0@if3: <BROADCAST,MULTICAST> mtu 1500 qdisc noop\n"))
	fmt.Println(scenario.MatchOutput(want, "2: v0@if3: <BROADCAST,MULTICAST> mtu 1400 qdisc noop\n").Found)
	// Output:
	// <nil>
	// "2: v0@if3: <BROADCAST,MULTICAST> mtu 1400 qdisc noop"
}

package lab_test

import (
	"context"
	"fmt"
	"net"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// A test binary that starts labs runs in a sandbox: its TestMain is
//
//	func TestMain(m *testing.M) { os.Exit(lab.TestMain(m)) }
func Example() {
	ctx := context.Background()
	l, err := lab.Start(ctx, scenario.Host{}, lab.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	err = l.Do(ctx, lab.Netlink(),
		"ip netns add testns",
		"ip link add v0 type veth peer name t0 netns testns",
		"ip addr add 10.0.0.1/24 dev v0",
		"ip -n testns addr add 10.0.0.2/24 dev t0",
		"ip link set v0 up",
	)
	fmt.Println("built:", err)
	reaches, err := scenario.ParseClaim("`host` reaches `10.0.0.2`")
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict := l.Evaluate(ctx, reaches, nil)
	fmt.Println(verdict.Outcome, verdict.Found)

	err = l.Do(ctx, lab.Netlink(), "ip -n testns link set t0 up")
	fmt.Println("set up:", err)
	fmt.Println(l.Evaluate(ctx, reaches, nil).Outcome)
	// Output:
	// built: <nil>
	// fail v0, the outgoing link, has no carrier
	// set up: <nil>
	// pass
}

// A socket opened inside a namespace belongs to that namespace, wherever it is used afterwards.
func ExampleLab_Go() {
	ctx := context.Background()
	l, err := lab.Start(ctx, scenario.Host{}, lab.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	if err := l.Do(ctx, lab.Netlink(), "ip netns add testns",
		"ip link add v0 type veth peer name t0 netns testns"); err != nil {
		fmt.Println(err)
		return
	}
	for _, ns := range []string{"host", "testns", "prodns"} {
		err := l.Go(ns, func() error {
			t0, err := net.InterfaceByName("t0")
			if err == nil {
				fmt.Println(ns, "has", t0.Name)
			}
			return err
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// run a function in host: route ip+net: no such network interface
	// testns has t0
	// run a function in prodns: open namespace prodns: no such file or directory
}

const cableLesson = "# A cable\n\n## Make testns\n\n```console\n$ ip netns add testns\n```\n\n" +
	"- [ ] namespace `testns` exists\n\n## Make it again\n\n```console\n$ ip netns add testns\n```\n"

// A scenario is played section by section, each with its result.
func ExamplePlay() {
	ctx := context.Background()
	sc, err := scenario.Parse("cable.md", []byte(cableLesson))
	if err != nil {
		fmt.Println(err)
		return
	}
	play := lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{})
	for i := range sc.Steps {
		result := play.Step(ctx, i)
		fmt.Println(result.Title+":", result.Outcome)
		for _, p := range result.Problems {
			fmt.Printf("%s:%d: %s\n", p.File, p.Line, p.Message)
		}
	}
	fmt.Println(play.Close())
	// Output:
	// Make testns: pass
	// Make it again: fail
	// cable.md:14: wrong exit status: ip netns add testns
	// <nil>
}

package suites_test

import (
	"context"
	"fmt"

	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/suites"
)

func ExampleHold() {
	ctx := context.Background()
	// In a suite this is gomega.Expect, whose failures end the spec.
	g := gomega.NewGomega(func(failure string, _ ...int) { fmt.Println(failure) })

	l, err := lab.Start(ctx, scenario.Host{}, lab.Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	defer l.Close()
	g.Expect(l.Do(ctx, lab.Netlink(),
		"ip netns add testns",
		"ip link add v0 type veth peer name t0 netns testns",
		"ip link set v0 up",
		"ip -n testns link set t0 up",
	)).To(gomega.Succeed())

	g.Eventually(l).Should(suites.Hold("`v0` in `host` has carrier"))
	g.Expect(l).To(suites.Hold("`t0` in `testns` has the MTU `1400`"))
	// Output:
	// expected: `t0` in `testns` has the MTU `1400`
	// found:    its MTU is 1500
}

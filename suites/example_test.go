package suites_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	. "netnscheck/suites"
)

// A suite written in Go: start a lab, change something with a driver, state what has to become true.
var _ = Describe("example: a veth pair loses its carrier when one end goes down", func() {
	It("tells both ends apart", func(ctx context.Context) {
		pair, err := lab.Start(ctx, scenario.Host{}, lab.Options{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(pair.Close)

		Expect(pair.Do(ctx, lab.Netlink(),
			"ip netns add testns",
			"ip netns add prodns",
			"ip link add vnix-prodns netns prodns type veth peer name vnic-testns netns testns",
			"ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns",
			"ip -n testns addr add 192.168.2.103/24 dev vnic-testns",
			"ip -n prodns link set vnix-prodns up",
			"ip -n testns link set vnic-testns up",
		)).To(Succeed())
		Eventually(pair).Should(HaveCarrier("vnix-prodns", In("prodns")))
		Expect(pair).To(HavePeer("vnix-prodns", In("prodns"), "vnic-testns", In("testns")))
		Expect(pair).To(HaveOnlyInterfaces(In("testns"), "lo", "vnic-testns"))
		Eventually(pair).Should(Reach("192.168.2.103", In("prodns")))

		Expect(pair.Do(ctx, lab.Netlink(), "ip -n testns link set vnic-testns down")).To(Succeed())
		Eventually(pair).ShouldNot(HaveCarrier("vnix-prodns", In("prodns")))
		Expect(pair).To(BeUp("vnix-prodns", In("prodns")))
		Expect(pair).NotTo(Reach("192.168.2.103", In("prodns")))
	})
})

package suite_test

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"example.org/suite"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/suites"
	. "netnscheck/suites"
)

// All tests run in a sandbox, in which this process may make namespaces and cannot reach any other network.
func TestMain(m *testing.M) { os.Exit(lab.TestMain(m)) }

func TestSuite(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "a suite in another module")
}

//go:embed cable.md
var cable []byte

// The scenario is played by our driver and by the netlink driver, which have to leave the same states.
var _ = func() bool {
	sc, err := scenario.Parse("cable.md", cable)
	if err != nil {
		panic(err)
	}
	suites.Register(suites.Unit{Scenario: sc, Drivers: []lab.Driver{lab.Netlink(), suite.NewIoctl()}})
	return true
}()

var _ = Describe("a router between two namespaces", func() {
	var l *lab.Lab
	BeforeEach(func(ctx context.Context) {
		var err error
		l, err = lab.Start(ctx, scenario.Host{}, lab.Options{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(l.Close)
		for i, ns := range []string{"left", "right"} {
			Expect(l.Do(ctx, suite.NewIoctl(),
				"ip netns add "+ns,
				fmt.Sprintf("ip link add to-%s type veth peer name up netns %s", ns, ns),
				fmt.Sprintf("ip addr add 10.0.%d.1/24 dev to-%s", i, ns),
				fmt.Sprintf("ip -n %s addr add 10.0.%d.2/24 dev up", ns, i),
				fmt.Sprintf("ip link set dev to-%s up", ns),
				fmt.Sprintf("ip -n %s link set dev up up", ns),
				fmt.Sprintf("ip -n %s route add default via 10.0.%d.1", ns, i),
			)).To(Succeed())
		}
	})

	It("forwards only when forwarding is on", func(ctx context.Context) {
		Expect(l).NotTo(Hold("`left` reaches `10.0.1.2`"))
		Expect(l).To(Hold("the cause from `left` to `10.0.1.2` is `forwarding-off` in `host`"))
		Expect(l.Do(ctx, lab.Netlink(), "sysctl -w net.ipv4.ip_forward=1")).To(Succeed())
		Eventually(l).Should(Hold("`left` reaches `10.0.1.2`"))
		Eventually(l).Should(Hold("`right` reaches `10.0.0.2`"))
	})

	It("lets connections through to a listening socket", func(ctx context.Context) {
		Expect(l.Do(ctx, lab.Netlink(), "sysctl -w net.ipv4.ip_forward=1")).To(Succeed())
		Expect(l).To(Hold("`left` does not connect to `10.0.1.2` on TCP port `80` (`refused`)"))
		Expect(l.Go("right", func() error {
			listener, err := net.Listen("tcp4", "10.0.1.2:80")
			if err == nil {
				DeferCleanup(listener.Close)
			}
			return err
		})).To(Succeed())
		Expect(l).To(Hold("`left` connects to `10.0.1.2` on TCP port `80`"))
	})

	It("is down with its link", func(ctx context.Context) {
		Expect(l.Do(ctx, suite.NewIoctl(), "ip link set dev to-right down")).To(Succeed())
		Expect(l).To(Hold("`to-right` in `host` is down"))
		Eventually(l).ShouldNot(HaveCarrier("up", In("right")))
		Expect(l.Do(ctx, suite.NewIoctl(), "ip link set dev nowhere up")).To(MatchError(ContainSubstring("ENODEV")))
	})
})

package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"netnscheck/suites"
)

// isolation: names and addresses belong to one lab. Every other spec relies on that.
func isolation(o Options) {
	build := []string{"ip netns add testns", "ip link add v0 type veth peer name t0 netns testns",
		"ip addr add 10.0.0.1/24 dev v0"}
	up := []string{"ip link set v0 up", "ip -n testns link set t0 up"}

	ginkgo.It("keeps two labs with the same names apart", func(ctx context.Context) {
		one, two := newStage(ctx, o), newStage(ctx, o)
		there := []string{"namespace `testns` exists", "`v0` in `host` has the address `10.0.0.1/24`",
			"`host` reaches `10.0.0.2`"}
		one.isFalse(ctx, there...)
		one.do(ctx, build...)
		one.do(ctx, append(up, "ip -n testns addr add 10.0.0.2/24 dev t0")...)
		one.isTrue(ctx, there...)
		two.isFalse(ctx, there...)

		two.do(ctx, build...)
		two.do(ctx, up...)
		two.isTrue(ctx, there[:2]...)
		gomega.Expect(two).NotTo(suites.Hold("`t0` in `testns` has the address `10.0.0.2/24`"))
		gomega.Expect(two).NotTo(suites.Hold("`host` reaches `10.0.0.2`"))
		for _, ns := range []string{"host", "testns"} {
			gomega.Expect(namespace(one.state(ctx), ns).Inode).NotTo(gomega.Equal(namespace(two.state(ctx), ns).Inode),
				"the inode of "+ns+" in the one lab and in the other")
		}
	})

	ginkgo.It("hides changes in one lab from the other", func(ctx context.Context) {
		one, two := newStage(ctx, o), newStage(ctx, o)
		// The links stay down: a link that is up reports its IPv6 addresses at some later time.
		one.do(ctx, build...)
		two.do(ctx, build...)
		before := two.state(ctx)
		two.watch(ctx, "`host` saw no event", "`testns` saw no event")
		one.do(ctx, "ip link set v0 mtu 1400", "ip -n testns addr add 10.0.0.2/24 dev t0", "ip netns add other",
			"ip netns exec testns sysctl -qw net.ipv4.ip_forward=1", "ip netns del testns")
		one.isTrue(ctx, "`host` does not have the interface `v0`", "namespace `other` exists")
		for _, there := range []string{"`host` has the interface `v0`", "namespace `testns` exists",
			"namespace `other` does not exist"} {
			gomega.Expect(two).To(suites.Hold(there))
		}
		gomega.Expect(two).To(suites.Hold("`host` saw no event").Since(two.base))
		gomega.Expect(two).To(suites.Hold("`testns` saw no event").Since(two.base))
		two.unchanged(ctx, before)
	})
}

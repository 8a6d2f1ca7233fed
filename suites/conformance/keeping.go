package conformance

import (
	"context"
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
)

// keeping: a name in /run/netns keeps a namespace alive (network_namespaces(7)), and so does a process in it or an open
// descriptor.
func keeping(o Options) {
	// A veth pair from the host into testns: its end in the host is the witness, since it lives exactly as long as
	// testns.
	build := []string{
		"ip netns add testns",
		"ip link add h0 type veth peer name t0 netns testns",
		"ip addr add 10.0.0.1/24 dev h0", "ip link set h0 up",
		"ip -n testns addr add 10.0.0.2/24 dev t0", "ip -n testns link set t0 up",
	}
	const (
		unnamed   = "namespace `testns` does not exist"
		gone      = "`host` does not have the interface `h0`"
		reachable = "`host` reaches `10.0.0.2`"
	)
	var s *stage
	ginkgo.BeforeEach(func(ctx context.Context) {
		s = newStage(ctx, o)
		s.isFalse(ctx, reachable)
		s.do(ctx, build...)
		s.isTrue(ctx, reachable)
		s.isFalse(ctx, unnamed, gone)
	})
	// deleted deletes the name and waits long enough for testns to have ended: until another namespace has ended that
	// was created later and that nothing keeps alive.
	deleted := func(ctx context.Context) {
		ginkgo.GinkgoHelper()
		s.do(ctx, "ip netns del testns", "ip netns add other", "ip link add o0 type veth peer name o1 netns other")
		s.isTrue(ctx, unnamed, "`host` has the interface `o0`")
		s.do(ctx, "ip netns del other")
		s.isTrue(ctx, "`host` does not have the interface `o0`")
	}
	// lives expects the namespace to go on without its name: the veth pair has carrier, and its peer is hidden.
	lives := func(ctx context.Context, why string) {
		ginkgo.GinkgoHelper()
		s.isTrue(ctx, reachable, "`h0` in `host` has carrier")
		s.isFalse(ctx, gone)
		h0 := link(s.state(ctx), "host", "h0")
		gomega.Expect(h0.Peer).NotTo(gomega.BeNil(), why)
		gomega.Expect(h0.Peer.Hidden).To(gomega.BeTrue(), "the peer of h0 is in an unnamed namespace, "+why)
	}

	ginkgo.It("nothing but the name: when it is deleted, the namespace and its links end", func(ctx context.Context) {
		deleted(ctx)
		s.isTrue(ctx, gone)
	})

	ginkgo.It("a process in it, until the process ends", func(ctx context.Context) {
		p := spawn(s.Lab)
		deleted(ctx)
		lives(ctx, "while a process lives in it")
		must(p.End())
		s.isTrue(ctx, gone)
	})

	ginkgo.It("the last of several processes", func(ctx context.Context) {
		first, last := spawn(s.Lab), spawn(s.Lab)
		deleted(ctx)
		must(first.End())
		lives(ctx, "while a second process lives in it")
		must(last.End())
		s.isTrue(ctx, gone)
	})

	ginkgo.It("an open descriptor, until it is closed", func(ctx context.Context) {
		release, err := s.Hold("testns")
		must(err)
		ginkgo.DeferCleanup(release) // does nothing the second time
		deleted(ctx)
		lives(ctx, "while a descriptor is open")
		release()
		s.isTrue(ctx, gone)
	})

	ginkgo.It("not its old name: a new namespace of that name is another one", func(ctx context.Context) {
		release, err := s.Hold("testns")
		must(err)
		ginkgo.DeferCleanup(release)
		before := namespace(s.state(ctx), "testns").Inode
		deleted(ctx)
		s.do(ctx, "ip netns add testns")
		s.isTrue(ctx, "`testns` has only the interfaces `lo`", reachable)
		gomega.Expect(namespace(s.state(ctx), "testns").Inode).NotTo(gomega.Equal(before),
			fmt.Sprintf("the inode of the new testns; the old one is %d", before))
		release()
		s.isTrue(ctx, gone, "namespace `testns` exists")
	})
}

// spawn starts a process that stays in testns.
func spawn(l *lab.Lab) *lab.Process {
	ginkgo.GinkgoHelper()
	p, err := l.Spawn("testns", "sleep", "3600")
	must(err)
	ginkgo.DeferCleanup(p.End)
	return p
}

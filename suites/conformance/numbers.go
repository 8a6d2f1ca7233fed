package conformance

import (
	"context"
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
	"netnscheck/harness/state"
	"netnscheck/suites"
)

// numbers: an interface index and a namespace id have a meaning only in the namespace that reports them.
func numbers(o Options) {
	ginkgo.It("names each end's peer by the index that the peer has in its own namespace (iflink)",
		func(ctx context.Context) {
			s := newStage(ctx, o)
			s.do(ctx, "ip netns add a", "ip netns add b")
			gomega.Expect(s).NotTo(suites.Hold("`va` in `a` is the peer of `vb` in `b`"))
			s.do(ctx, "ip link add va index 71 netns a type veth peer name vb index 72 netns b")
			now := s.state(ctx)
			va, vb := link(now, "a", "va"), link(now, "b", "vb")
			gomega.Expect([]int{va.Index, vb.Index}).To(gomega.Equal([]int{71, 72}), "the indexes of va and vb")
			gomega.Expect(va.Peer).To(gomega.Equal(&state.LinkRef{Index: vb.Index, Netns: "b", Name: "vb"}),
				"the peer of va")
			gomega.Expect(vb.Peer).To(gomega.Equal(&state.LinkRef{Index: va.Index, Netns: "a", Name: "va"}),
				"the peer of vb")
			gomega.Expect(now).To(suites.Hold("`va` in `a` is the peer of `vb` in `b`"))
			gomega.Expect(now).To(suites.Hold("`vb` in `b` is the peer of `va` in `a`"))
		})

	ginkgo.It("allows the same index in two namespaces, but not twice in one", func(ctx context.Context) {
		s := newStage(ctx, o)
		s.do(ctx, "ip netns add a", "ip netns add b",
			"ip link add va index 77 netns a type veth peer name vb index 78 netns b")
		now := s.state(ctx)
		gomega.Expect(link(now, "a", "va").Index).NotTo(gomega.Equal(link(now, "b", "vb").Index),
			"the indexes of va and vb")

		err := s.Do(ctx, lab.Netlink(), "ip -n a link add w0 index 77 type veth peer name w1 netns b")
		gomega.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("EEXIST")),
			"the index of va, in its own namespace")
		s.do(ctx, "ip -n a link add w0 index 91 type veth peer name w1 index 77 netns b")

		now = s.state(ctx)
		gomega.Expect(link(now, "a", "va").Index).To(gomega.Equal(link(now, "b", "w1").Index),
			"the indexes of va in a and of w1 in b")
		gomega.Expect(now).To(suites.Hold("`w0` in `a` is the peer of `w1` in `b`"))
		gomega.Expect(now).To(suites.Hold("`va` in `a` is the peer of `vb` in `b`"))
		gomega.Expect(now).NotTo(suites.Hold("`va` in `a` is the peer of `w1` in `b`"))
	})

	ginkgo.It("keeps a link's index in a move if it is free, and assigns another one if it is taken",
		func(ctx context.Context) {
			s := newStage(ctx, o)
			s.do(ctx, "ip netns add a", "ip netns add b", "ip netns add c",
				"ip -n c link add taken index 81 type veth peer name x0 index 82",
				"ip -n a link add va index 81 type veth peer name vb index 83")
			s.do(ctx, "ip -n a link set va netns b")
			gomega.Expect(link(s.state(ctx), "b", "va").Index).To(gomega.Equal(81),
				"the index of va in b, where 81 was free")
			s.do(ctx, "ip -n b link set va netns c")
			now := s.state(ctx)
			gomega.Expect(link(now, "c", "taken").Index).To(gomega.Equal(81))
			gomega.Expect(link(now, "c", "va").Index).NotTo(gomega.Equal(81),
				"the index of va in c, where 81 was taken")
			gomega.Expect(link(now, "a", "vb").Peer).To(gomega.Equal(
				&state.LinkRef{Index: link(now, "c", "va").Index, Netns: "c", Name: "va"}),
				"the peer of vb, after the moves of va")
		})

	ginkgo.It("gives a namespace a separate id in each namespace that refers to it (nsid)", func(ctx context.Context) {
		s := newStage(ctx, o)
		s.do(ctx, "ip netns add a", "ip netns add b", "ip netns add c")
		for _, n := range s.state(ctx).Namespaces {
			gomega.Expect(n.NetnsIDs).To(gomega.BeEmpty(), "the ids in "+n.Name+", before any link leads out of it")
		}
		// The first namespace that each gets to know has the lowest id.
		s.do(ctx, "ip link add h0 type veth peer name c0 netns c")
		s.state(ctx) // a look at h0 makes the kernel give c an id in the host, if it has none yet
		s.do(ctx, "ip link add h1 type veth peer name b0 netns b",
			"ip link add ab netns a type veth peer name ba netns b")
		now := s.state(ctx)
		inHost, inA := idOf(now, "host", "b"), idOf(now, "a", "b")
		gomega.Expect(inHost).NotTo(gomega.Equal(inA), "the id of b, in the host and in a")
		gomega.Expect(idOf(now, "host", "c")).To(gomega.Equal(inA), "the id of c in the host, and that of b in a")
		for _, id := range namespace(now, "a").NetnsIDs {
			gomega.Expect(id.Netns).To(gomega.Equal("b"), "the namespaces that a knows: it has no link to c")
		}
		gomega.Expect(now).To(suites.Hold("`h0` in `host` is the peer of `c0` in `c`"))
		gomega.Expect(now).To(suites.Hold("`ab` in `a` is the peer of `ba` in `b`"))
	})
}

// idOf is the id by which the namespace asker knows another one.
func idOf(s *state.State, asker, other string) int {
	ginkgo.GinkgoHelper()
	ids := namespace(s, asker).NetnsIDs
	for _, id := range ids {
		if id.Netns == other {
			return id.ID
		}
	}
	ginkgo.Fail(fmt.Sprintf("find the id of %s in %s: it has %v", other, asker, ids))
	return 0
}

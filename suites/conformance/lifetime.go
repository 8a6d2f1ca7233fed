package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/onsi/ginkgo/v2"
)

// lifetime: a link lives in a namespace and ends with it, a veth pair with either end. What remains is the state
// before.
func lifetime(o Options) {
	ginkgo.It("30 times: a veth pair between two namespaces leaves nothing when it is deleted",
		func(ctx context.Context) {
			s := newStage(ctx, o)
			before := s.state(ctx)
			for i := range 30 {
				s.at = fmt.Sprintf("cycle %d", i+1)
				s.do(ctx, "ip netns add a", "ip netns add b", "ip link add va netns a type veth peer name vb netns b",
					"ip -n a addr add 10.0.0.1/24 dev va", "ip -n b addr add 10.0.0.2/24 dev vb",
					"ip -n a link set va up", "ip -n b link set vb up")
				s.isTrue(ctx, "`a` reaches `10.0.0.2`")
				s.changed(ctx, before)

				// The pair is deleted by either end in turn.
				s.do(ctx, []string{"ip -n a link del va", "ip -n b link del vb"}[i%2])
				s.isTrue(ctx, "`a` has only the interfaces `lo`", "`b` has only the interfaces `lo`")
				s.do(ctx, "ip netns del a", "ip netns del b")
				s.isTrue(ctx, "namespace `a` does not exist", "namespace `b` does not exist",
					"`host` has only the interfaces `lo`")
				s.unchanged(ctx, before)
			}
		})

	ginkgo.It("ends all its links and their peers in other namespaces, in any order",
		func(ctx context.Context) {
			seed := ginkgo.GinkgoRandomSeed()
			random := rand.New(rand.NewPCG(uint64(seed), 0))
			s := newStage(ctx, o)
			before := s.state(ctx)
			for round := range 3 {
				web := newWeb("a", "b", "c")
				s.isTrue(ctx, "`host` has only the interfaces `lo`")
				s.do(ctx, web.commands()...)
				s.isTrue(ctx, web.claims()...)
				for !web.empty() {
					command, claims := web.end(random)
					s.at = fmt.Sprintf("seed %d, round %d: %s", seed, round+1, command)
					s.isFalse(ctx, claims...)
					s.do(ctx, command)
					s.isTrue(ctx, claims...)
					s.isTrue(ctx, web.claims()...)
				}
				s.unchanged(ctx, before)
			}
		})
}

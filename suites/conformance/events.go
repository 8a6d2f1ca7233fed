package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
)

// events: rtnetlink(7) reports a change to the namespace in which it happened, and to no other.
func events(o Options) {
	// silent is the claim that a namespace has received no event.
	silent := func(ns string) string { return "`" + ns + "` saw no event" }
	var s *stage
	ginkgo.BeforeEach(func(ctx context.Context) {
		s = newStage(ctx, o)
		s.do(ctx, "ip netns add a", "ip netns add b")
	})

	ginkgo.It("reports a new link, its address and its deletion in its own namespace only", func(ctx context.Context) {
		told := []string{
			"`a` saw the event `link add v0`", "`a` saw the event `link add v1`",
			"`a` saw the event `addr add 10.0.0.1/24 dev v0`",
			"`a` saw the event `link del v0`", "`a` saw the event `link del v1`",
		}
		others := []string{silent("b"), silent("host")}
		s.watch(ctx, append(others, told...)...)
		s.isFalse(ctx, told...)
		s.isTrue(ctx, append(others, silent("a"))...)
		s.do(ctx, "ip -n a link add v0 type veth peer name v1", "ip -n a addr add 10.0.0.1/24 dev v0",
			"ip -n a link del v0")
		s.isTrue(ctx, told...)
		s.isFalse(ctx, silent("a"))
		s.isTrue(ctx, others...)
	})

	ginkgo.It("reports a move as a deletion in one namespace and an addition in the other", func(ctx context.Context) {
		s.do(ctx, "ip -n a link add v0 type veth peer name v1")
		told := []string{"`a` saw the event `link del v1`", "`b` saw the event `link add v1`"}
		not := []string{"`a` saw the event `link add v1`", "`b` saw the event `link del v1`",
			"`a` saw the event `link del v0`"}
		s.watch(ctx, append([]string{silent("host")}, told...)...)
		s.isFalse(ctx, told...)
		s.do(ctx, "ip -n a link set v1 netns b")
		s.isTrue(ctx, told...)
		s.isFalse(ctx, not...)
		s.isTrue(ctx, silent("host"))
	})

	ginkgo.It("reports the carrier of each end of a pair in the namespace of that end", func(ctx context.Context) {
		s.do(ctx, "ip link add va index 71 netns a type veth peer name vb index 72 netns b", "ip -n a link set va up")
		told := []string{"`a` saw the event `link change va`", "`b` saw the event `link change vb`"}
		not := []string{"`a` saw the event `link change vb`", "`b` saw the event `link change va`"}
		s.watch(ctx, append([]string{silent("host")}, told...)...)
		s.isFalse(ctx, told...)
		s.do(ctx, "ip -n b link set vb up")
		s.isTrue(ctx, told...)
		s.isFalse(ctx, not...)
		s.isTrue(ctx, silent("host"))
	})
}

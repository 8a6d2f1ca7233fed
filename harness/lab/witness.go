package lab

import (
	"context"
	"syscall"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/state"
)

// Witness answers for the kernel in a diagnosis of a state of the lab.
func (l *Lab) Witness(ctx context.Context, s *state.State) diagnose.Witness {
	return witness(ctx, l.world, s)
}

// MachineWitness answers for the kernel in a diagnosis of a state of this machine. Where this process may not enter a
// namespace, it has no answer.
func MachineWitness(ctx context.Context, s *state.State) diagnose.Witness {
	return witness(ctx, netns.Machine{}, s)
}

func witness(ctx context.Context, where probe.Place, s *state.State) diagnose.Witness {
	return func(q diagnose.RouteQuestion) (diagnose.RouteAnswer, bool) {
		asked := probe.RouteRequest{Dest: q.To, From: q.From, Port: q.Port, Mark: q.Mark, Protocol: map[string]uint8{
			"icmp": syscall.IPPROTO_ICMP, "ipv6-icmp": syscall.IPPROTO_ICMPV6, "tcp": syscall.IPPROTO_TCP,
			"udp": syscall.IPPROTO_UDP}[q.Proto]}
		if q.In != "" {
			n := s.Namespace(q.Netns)
			if n == nil || n.Link(q.In) == nil {
				return diagnose.RouteAnswer{}, false
			}
			asked.Iif = n.Link(q.In).Index
		}
		r, err := probe.Lookup(ctx, where, q.Netns, asked)
		if err != nil {
			return diagnose.RouteAnswer{}, false
		}
		return diagnose.RouteAnswer{Type: r.Type, Via: r.Via, Dev: r.Dev, Refused: r.Refusal(asked)}, true
	}
}

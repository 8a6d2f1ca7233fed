package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"syscall"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/state"
)

// ask answers a claim's question to the kernel or the network. A probe waits for a reply for the time listen.
func (k *look) ask(ctx context.Context, question claim.Question, listen time.Duration) (known claim.Evidence,
	err error) {
	world := k.lab.world
	switch q := question.(type) {
	case claim.Lookup:
		known.Route, known.State, err = k.lookup(ctx, q)
	case claim.Resolve:
		known.Entry.State, known.Entry.Dev, err = probe.Resolve(ctx, world, q.Netns, q.Addr, listen)
	case claim.Echo:
		var r probe.EchoResult
		r, err = probe.Echo(ctx, world, q.Netns, probe.EchoRequest{Dest: q.Dest, From: q.From, Bytes: q.Bytes}, listen)
		known.Heard = claim.Heard{Answered: r.Reached, Found: r.Found}
	case claim.Connect:
		var r probe.ConnectResult
		r, err = probe.Connect(ctx, world, q.Netns, probe.ConnectRequest{Dest: q.Dest, Port: q.Port}, listen)
		known.Heard = k.lab.refusals.heard(q.Netns, q.Dest,
			claim.Heard{Answered: r.Connected, Refused: r.Refused, Silence: r.Silence, Found: r.Found})
	case claim.Datagram:
		var r probe.DatagramResult
		r, err = probe.Datagram(ctx, world, q.Netns, probe.DatagramRequest{Dest: q.Dest, Port: q.Port}, listen)
		known.Heard = k.lab.refusals.heard(q.Netns, q.Dest,
			claim.Heard{Answered: r.Answered, Refused: r.Refused, Silence: r.Silence, Found: r.Found})
	case claim.Sysctl:
		known.Setting.Value, err = observe.Sysctl(ctx, world, q.Netns, q.Key)
		if errors.Is(err, fs.ErrNotExist) {
			known.Setting, err = claim.Setting{Missing: true}, nil
		}
	case claim.Offload:
		known.On, known.State, err = k.offload(ctx, q)
	case claim.Groups:
		known.Groups, known.State, err = k.groups(ctx, q)
	case claim.Count:
		known.Counter, err = k.base.counted(ctx, k, q)
	case claim.Watch:
		known.Events, err = k.events(ctx, q)
	case claim.ChainRules:
		known.Chain, err = k.chain(ctx, q)
	case claim.SetElement:
		known.Set, err = k.element(ctx, q)
	case claim.Resolution:
		known.Names, err = k.resolve(ctx, q)
	case claim.Output:
		known.Printed, err = k.print(ctx, q)
	default:
		err = fmt.Errorf("not judged: unknown question %T", q)
	}
	return known, err
}

// lookup asks for a route. If the packet arrives on an interface, it also returns the state, and asks nothing if that
// has no such interface.
func (k *look) lookup(ctx context.Context, q claim.Lookup) (answer claim.Route, s *state.State, err error) {
	asked := routeRequest(q)
	if q.Iif != "" {
		if s, err = k.snapshot(ctx); err != nil {
			return answer, nil, err
		}
		n := s.Namespace(q.Netns)
		link := n.Link(q.Iif) // nil also if the namespace was deleted meanwhile
		if link == nil {
			return answer, s, nil
		}
		asked.Iif = link.Index
		if !q.From.IsValid() {
			asked.From = claim.Sender(n, link, q.Dest)
			answer.Sender = asked.From
		}
	}
	r, err := probe.Lookup(ctx, k.lab.world, q.Netns, asked)
	if err != nil {
		return answer, s, err
	}
	answer.Type, answer.Via, answer.Dev, answer.Out, answer.Refusal = r.Type, r.Via, r.Dev, q.Out, r.Refusal(asked)
	answer.None = r.Errno == syscall.ENETUNREACH
	if answer.None && q.From.IsValid() && q.Iif == "" {
		if stranger, err := k.stranger(ctx, q.Netns, q.From); err != nil || stranger != "" {
			return claim.Route{Refusal: stranger}, s, err
		}
	}
	if q.Out != "" && q.Out != r.Dev { // it may be an alternative name
		if s, err = k.snapshot(ctx); err != nil {
			return answer, nil, err
		}
		if l := s.Namespace(q.Netns).Link(q.Out); l != nil {
			answer.Out = l.Name
		}
	}
	return answer, s, nil
}

func routeRequest(q claim.Lookup) probe.RouteRequest {
	r := probe.RouteRequest{Dest: q.Dest, From: q.From, Mark: q.Mark}
	switch {
	case q.TCP != 0:
		r.Protocol, r.Port = syscall.IPPROTO_TCP, uint16(q.TCP)
	case q.UDP != 0:
		r.Protocol, r.Port = syscall.IPPROTO_UDP, uint16(q.UDP)
	}
	return r
}

// stranger explains that a source is no address of the namespace; "" if it is one. For such an IPv4 packet the kernel
// answers ENETUNREACH, whatever the routes are (ip_route_output_key_hash_rcu in net/ipv4/route.c).
func (k *look) stranger(ctx context.Context, netns string, from netip.Addr) (string, error) {
	own, err := probe.Lookup(ctx, k.lab.world, netns, probe.RouteRequest{Dest: from})
	if err != nil || own.Type == "local" || from.Is6() {
		return "", err
	}
	return fmt.Sprintf("%s is no address of %s (of packets that it forwards, say on which interface they arrive)",
		from, netns), nil
}

// offload reads whether an offload feature of an interface is on, and the state. An interface that does not exist has
// it off.
func (k *look) offload(ctx context.Context, q claim.Offload) (on bool, s *state.State, err error) {
	if s, err = k.snapshot(ctx); err != nil {
		return false, nil, err
	}
	link := s.Namespace(q.Netns).Link(q.Name) // nil also if the namespace was deleted meanwhile
	if link == nil {
		return false, s, nil
	}
	if on, err = observe.Offload(k.lab.world, q.Netns, link.Name, q.Feature); err != nil {
		return false, nil, fmt.Errorf("read the offload %s of %s in %s: %w", q.Feature, q.Name, q.Netns, err)
	}
	return on, s, nil
}

// groups reads the multicast groups of an interface, and the state. An interface that does not exist has none.
func (k *look) groups(ctx context.Context, q claim.Groups) (claim.Memberships, *state.State, error) {
	s, err := k.snapshot(ctx)
	if err != nil {
		return claim.Memberships{}, nil, err
	}
	link := s.Namespace(q.Netns).Link(q.Name)
	if link == nil {
		return claim.Memberships{}, s, nil
	}
	all, err := observe.Groups(k.lab.world, q.Netns, link.Index)
	if err != nil {
		return claim.Memberships{}, nil, fmt.Errorf("read the groups of %s in %s: %w", q.Name, q.Netns, err)
	}
	return claim.Memberships(all), s, nil
}

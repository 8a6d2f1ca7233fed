package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
		known.Route, err = k.lookup(ctx, q)
	case claim.Resolve:
		known.Entry.State, known.Entry.Dev, err = probe.Resolve(ctx, world, q.Netns, q.Addr, listen)
	case claim.Echo:
		var r probe.EchoResult
		r, err = probe.Echo(ctx, world, q.Netns, probe.EchoRequest{Dest: q.Dest, From: q.From, Bytes: q.Bytes}, listen)
		known.Heard = claim.Heard{Answered: r.Reached, Found: r.Found}
	case claim.Connect:
		var r probe.ConnectResult
		r, err = probe.Connect(ctx, world, q.Netns, probe.ConnectRequest{Dest: q.Dest, Port: q.Port}, listen)
		known.Heard = claim.Heard{Answered: r.Connected, Refused: r.Refused, Silence: r.Silence, Found: r.Found}
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
		known.Counter, err = k.base.counted(ctx, k.lab, q)
	case claim.Watch:
		known.Events, err = k.base.events(q)
	default:
		err = fmt.Errorf("not judged: unknown question %T", q)
	}
	return known, err
}

func (k *look) lookup(ctx context.Context, q claim.Lookup) (claim.Route, error) {
	r, err := probe.Lookup(ctx, k.lab.world, q.Netns, q.Dest, q.From)
	if err != nil {
		return claim.Route{}, err
	}
	answer := claim.Route{None: r.Errno == syscall.ENETUNREACH, Type: r.Type, Via: r.Via, Dev: r.Dev, Out: q.Out}
	if r.Errno != 0 {
		answer.Refusal = r.Errno.Error()
	}
	if q.Out != "" && q.Out != r.Dev { // it may be an alternative name
		s, err := k.snapshot(ctx)
		if err != nil {
			return claim.Route{}, err
		}
		if l := s.Namespace(q.Netns).Link(q.Out); l != nil {
			answer.Out = l.Name
		}
	}
	return answer, nil
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

package drops

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/testimony"
	"netnscheck/harness/state"
)

// Gather reads drops by next until a time, or until there are enough, and returns those of the flow and of requests for
// neighbours, with the names of the namespaces in a state. Equal ones are counted.
func Gather(next func(until time.Time) (Drop, error), f Flow, s *state.State, until time.Time,
	enough func([]testimony.Drop) bool) ([]testimony.Drop, error) {
	names := map[uint64]string{}
	for i := range s.Namespaces {
		names[s.Namespaces[i].Inode] = s.Namespaces[i].Name
	}
	var heard []testimony.Drop
	for {
		d, err := next(until)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return heard, nil
		}
		if err != nil {
			return heard, err
		}
		if !d.Packet.Neighbour && !f.Has(d.Packet) || d.answered() {
			continue
		}
		heard = counted(heard, testimony.Drop{Reason: d.Reason, Place: d.Place, Netns: names[d.Netns], Link: d.Link,
			Neighbour: d.Packet.Neighbour, Error: d.Packet.About != nil})
		if enough(heard) {
			until = time.Now() // and what has been told meanwhile
		}
	}
}

// answered reports whether it is an echo reply that has been received: raw sockets get copies of it, and what is left
// is dropped for want of a ping socket (ping_rcv in net/ipv4/ping.c).
func (d Drop) answered() bool { return d.Packet.Echo && d.Reason == "NO_SOCKET" }

func counted(all []testimony.Drop, one testimony.Drop) []testimony.Drop {
	for i := range all {
		same := all[i]
		same.Times = 0
		if same == one {
			all[i].Times++
			return all
		}
	}
	one.Times = 1
	return append(all, one)
}

// FlowTo is the flow of a probe from a namespace: an echo, or a connection if there is a port. Its own port is not
// known before it is sent.
func FlowTo(s *state.State, q diagnose.Query) Flow {
	f := Flow{Protocol: unix.IPPROTO_ICMP, Target: q.To.WithZone("").Unmap(), Port: q.Port}
	switch {
	case q.Port != 0:
		f.Protocol = unix.IPPROTO_TCP
	case f.Target.Is6():
		f.Protocol = unix.IPPROTO_ICMPV6
	}
	if n := s.Namespace(q.From); n != nil {
		for i := range n.Links {
			for _, a := range n.Links[i].Addresses {
				if a.Prefix.Addr().Is4() == f.Target.Is4() {
					f.Own = append(f.Own, a.Prefix.Addr())
				}
			}
		}
	}
	return f
}

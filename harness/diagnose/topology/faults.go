package topology

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// PeerDown is the cause for a link without carrier whose peer is down.
func PeerDown(l, peer facts.Port) *finding.Cause {
	return finding.New(causes.PeerDown, peer.N, peer.L, "%s in %s is administratively down, so %s in %s has no carrier",
		peer.L.Name, peer.N.Name, l.L.Name, l.N.Name).
		Proof(words.LinkShown(peer.N, peer.L), words.LinkShown(l.N, l.L)).SetUp(peer)
}

// DropsAll finds a queueing discipline that drops everything, or every packet of a size in bytes; 0 is the size of an
// echo request without a payload.
func DropsAll(n *state.Namespace, l *state.Link, size int) *finding.Cause {
	frame := max(smallest, min(size, l.MTU)+ethernetHeader)
	for i := range n.Qdiscs {
		q := &n.Qdiscs[i]
		if q.Dev != l.Name || q.Default {
			continue
		}
		room, what := frame, "drops every packet"
		switch {
		case q.Kind == "blackhole", q.Kind == "netem" && strings.Contains(q.Options, "loss 100%"):
			room = 0
		case q.Kind == "bfifo" && q.Options == "limit 0b", q.Kind == "pfifo" && q.Options == "limit 0p":
			room = 0
		case q.Kind == "tbf":
			room = roomOfTBF(q.Options)
		}
		if room >= frame {
			continue
		}
		if room >= smallest {
			what = fmt.Sprintf("drops every frame of more than %d bytes, and this one has %d", room, frame)
		}
		return finding.New(causes.QueueDrops, n, l, "the queueing discipline %s of %s in %s %s", q.Kind, l.Name, n.Name,
			what).
			Proof(words.In(n, "tc qdisc show dev %s", l.Name) + ": " + state.QdiscText(*q)).Fix(
			words.In(n, "tc qdisc del dev %s root", l.Name))
	}
	return nil
}

const (
	ethernetHeader = 14
	smallest       = 42 // bytes of the smallest frame with an echo or an ARP request
)

// roomOfTBF is the size in bytes of the largest frame that fits the bucket and the queue of a tbf (tbf_enqueue(),
// net/sched/sch_tbf.c).
func roomOfTBF(options string) int {
	room := math.MaxInt
	words := strings.Fields(options)
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] != "burst" && words[i] != "limit" {
			continue
		}
		if bytes, err := strconv.Atoi(strings.TrimSuffix(words[i+1], "b")); err == nil {
			room = min(room, bytes)
		}
	}
	return room
}

// Down is the cause for a link on the path that is administratively down.
func Down(at facts.Port) *finding.Cause {
	name := causes.PortDown
	if at.L.Master == "" {
		name = causes.LinkDown
	}
	return finding.New(name, at.N, at.L, "%s in %s is administratively down", at.L.Name, at.N.Name).
		Proof(words.LinkShown(at.N, at.L)).SetUp(at)
}

// PortTrouble is the cause for a port that is not in the state forwarding (spanning tree), with its repair.
func (m *Map) PortTrouble(at facts.Port) *finding.Cause {
	if c := portBlocked(at); c != nil {
		return m.unblock(c, at)
	}
	return nil
}

// portBlocked is the cause for a port that is not in the state forwarding.
func portBlocked(at facts.Port) *finding.Cause {
	if at.L.Port == nil || !at.L.Up || at.L.Port.State == "forwarding" || at.L.Port.State == "" {
		return nil
	}
	if !at.L.Carrier && at.L.Port.State == "disabled" {
		return nil // it has no carrier, which is a cause of its own
	}
	return finding.New(causes.PortBlocked, at.N, at.L, "the port %s in %s is %s, not forwarding", at.L.Name, at.N.Name,
		at.L.Port.State).
		Proof(words.In(at.N, "bridge link show dev %s", at.L.Name) + ": state " + at.L.Port.State)
}

// unblock is the repair of a port that does not forward.
func (m *Map) unblock(c *finding.Cause, at facts.Port) *finding.Cause {
	again := []string{words.IP(at.N, "link set %s down", at.L.Name), words.IP(at.N, "link set %s up", at.L.Name)}
	tree := facts.Spanned(at)
	switch {
	case WantedByTree(at):
		return c.Advise(fmt.Sprintf(
			"fix the other path, for which spanning tree keeps this port as a spare; it opens the port %s after it "+
				"has lost that path", seconds(tree.MaxAge+2*tree.ForwardDelay)))
	// the carrier has just come (linkwatch_do_dev(), net/core/link_watch.c)
	case at.L.Port.State == "disabled" && slices.Contains([]string{"down", "lowerlayerdown"}, at.L.OperState):
		c.Passes = true
		return c.Advise("wait: the bridge enables the port as soon as the kernel reports the carrier")
	case tree != nil && at.L.Port.State == "disabled":
		return c.Fix(again...)
	case tree != nil:
		c.Passes = true
		return c.Advise(fmt.Sprintf(
			"wait: spanning tree lets the port forward after listening and learning, %s after it came up",
			seconds(2*tree.ForwardDelay)))
	case m.inRing(at): // if it forwarded, there could be a broadcast storm
		return c.Fix(words.IP(at.N, "link set %s type bridge stp_state 1", at.L.Master)).Fix(again...)
	}
	return c.Fix(words.In(at.N, "bridge link set dev %s state 3", at.L.Name))
}

// seconds formats a time of a bridge, which is in hundredths of a second.
func seconds(hundredths int) string {
	return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64) + " s"
}

// inRing reports whether frames that leave a bridge by a port come back to it by another one, or would but for an
// obstacle.
func (m *Map) inRing(at facts.Port) bool {
	return m.searched(at, Frame{}, map[facts.Port]bool{}).bridged[facts.At(at.N, at.N.Link(at.L.Master))]
}

// WantedByTree reports whether spanning tree blocks a port, rather than delays it.
func WantedByTree(at facts.Port) bool {
	return facts.Spanned(at) != nil && at.L.Port != nil && at.L.Port.State == "blocking"
}

package kernel

import (
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// usualWork is the processor time that the work of MeasurePace may take on a machine of pace 1.
const usualWork = 5 * time.Millisecond

// MaxPace is the slowest pace: in software emulation (qemu's TCG) it is 10 to 20.
const MaxPace = 30.0

// MeasurePace is how many times as long as usual this machine takes for the work of a lab: two namespaces with a cable
// between them, and datagrams through it. It is at least 1 and at most 30. Processor time is measured, of the fastest
// of several rounds, so that it does not matter what else the machine does meanwhile.
func MeasurePace() (float64, error) {
	w, err := tryingGround()
	if err != nil {
		return 0, fmt.Errorf("measure the pace of this machine: %w", err)
	}
	defer w.Close()
	least := time.Duration(0)
	for range 3 {
		took, err := processorTime(func() error { return usual(w) })
		if err != nil {
			return 0, fmt.Errorf("measure the pace of this machine: %w", err)
		}
		if least == 0 || took < least {
			least = took
		}
	}
	return paceOf(least), nil
}

// paceOf is the pace of a machine that takes so long for the usual work.
func paceOf(took time.Duration) float64 {
	pace := float64(took) / float64(usualWork)
	if pace < 2 { // within what differs from one round to the next
		return 1
	}
	return min(pace, MaxPace)
}

// processorTime is the time that all threads of this process spend in f, in the kernel too.
func processorTime(f func() error) (time.Duration, error) {
	now := func() time.Duration {
		var t unix.Timespec
		unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) // it fails only for a bad pointer
		return time.Duration(t.Nano())
	}
	start := now()
	err := f()
	return now() - start, err
}

// usual does the usual work of a lab.
func usual(w *netns.World) error {
	var spaces [2]netns.Handle
	for i := range spaces {
		h, err := w.AddNameless()
		if err != nil {
			return err
		}
		defer h.Close()
		spaces[i] = h
	}
	// The cable: each end gets an address and goes up.
	var ends [2]*netlink.Handle
	for i, h := range spaces {
		nl, err := w.NetlinkIn(h)
		if err != nil {
			return err
		}
		defer nl.Close()
		ends[i] = nl
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = linkName
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerNamespace = linkName, netlink.NsFd(spaces[1].FD())
	if err := ends[0].LinkAdd(pair); err != nil {
		return fmt.Errorf("add a cable: %w", err)
	}
	for i, nl := range ends {
		l, err := nl.LinkByName(linkName)
		if err != nil {
			return err
		}
		address := &netlink.Addr{IPNet: &net.IPNet{IP: []net.IP{near, far}[i], Mask: net.CIDRMask(24, 32)}}
		if err := nl.AddrAdd(l, address); err != nil {
			return fmt.Errorf("add an address: %w", err)
		}
		if err := nl.LinkSetUp(l); err != nil {
			return fmt.Errorf("set an end up: %w", err)
		}
	}
	// The datagrams. Nobody answers, and nobody waits for an answer.
	return w.DoIn(spaces[0], func() error {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(s)
		to := &unix.SockaddrInet4{Port: 9, Addr: [4]byte(far.To4())}
		for range 20 {
			if err := unix.Sendto(s, []byte("pace"), unix.MSG_DONTWAIT, to); err != nil && err != unix.ECONNREFUSED {
				return fmt.Errorf("send a datagram: %w", err)
			}
		}
		return nil
	})
}

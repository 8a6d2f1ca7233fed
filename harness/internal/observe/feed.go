package observe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// Event is one change that the kernel reported in a namespace.
type Event struct {
	Object string // link, addr, route, neigh
	Verb   string // add, change, del
	Type   string // of a route unless unicast, such as unreachable; else ""
	// Words describe the object: the name of a link, else the address or destination, followed by further attributes in
	// pairs, such as `via 10.0.0.1` and `dev eth0`.
	Words []string
}

// Is reports whether the event matches that of a check: the first word has to be the same, pairs of words and the type
// of a route may be left out.
func (e Event) Is(object, verb, detail string) bool {
	asked := strings.Fields(detail)
	if e.Type != "" && len(asked) > 0 && asked[0] == e.Type {
		asked = asked[1:]
	}
	if e.Object != object || e.Verb != verb || len(asked) == 0 || len(e.Words) == 0 || asked[0] != e.Words[0] {
		return false
	}
	for asked = asked[1:]; len(asked) >= 2; asked = asked[2:] {
		i := slices.Index(e.Words[1:], asked[0]) + 1
		if i == 0 || i+1 >= len(e.Words) || e.Words[i+1] != asked[1] {
			return false
		}
	}
	return len(asked) == 0
}

func (e Event) String() string {
	words := append([]string{e.Object, e.Verb}, e.Words...)
	if e.Type != "" {
		words = slices.Insert(words, 2, e.Type)
	}
	return strings.Join(words, " ")
}

// Feed receives the events of one namespace (multicast groups of rtnetlink(7)). Its socket keeps the namespace alive:
// close it when the namespace is deleted.
type Feed struct {
	Recorder
	talk   *conversation
	lost   error // why events are missing
	closed bool
}

// Recorder turns the messages of rtnetlink(7) about one namespace into its events.
type Recorder struct {
	names  map[int]string  // of the links, by index
	known  map[string]bool // existing addresses and neighbours, by their identity
	events []Event
}

// Record makes a Recorder for a namespace, to which the messages are handed from then on. It reads existing objects, to
// distinguish their changes from additions.
func Record(w *netns.World, ns string) (*Recorder, error) {
	r := newRecorder()
	if err := w.Do(ns, r.readExisting); err != nil {
		return nil, fmt.Errorf("record the events of %s: %w", ns, err)
	}
	return &r, nil
}

func newRecorder() Recorder { return Recorder{names: map[int]string{}, known: map[string]bool{}} }

// Hear records the event that a message reports, if a check can ask for it, unless it is to be passed over.
func (r *Recorder) Hear(kind, flags uint16, body []byte, passOver bool) {
	if e, ok := r.read(kind, flags, body); ok && !passOver {
		r.events = append(r.events, e)
	}
}

// Recorded are the events so far.
func (r *Recorder) Recorded() []Event { return r.events }

// readExisting reads the objects of the calling thread's namespace.
func (r *Recorder) readExisting() error {
	before, err := open(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer before.close()
	for _, table := range []struct {
		dump, tell uint16
		header     int
	}{
		{unix.RTM_GETLINK, unix.RTM_NEWLINK, unix.SizeofIfInfomsg},
		{unix.RTM_GETADDR, unix.RTM_NEWADDR, unix.SizeofIfAddrmsg},
		{unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, sizeofNeighbour},
	} {
		_, err := dump(before, table.dump, make([]byte, table.header), func(body []byte) (Event, bool) {
			return r.read(table.tell, 0, body)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ErrLost is for a feed whose socket overflowed, so that events are missing.
var ErrLost = errors.New("events were lost (ENOBUFS)")

// groups are the multicast groups of a feed.
const groups = 1<<(unix.RTNLGRP_LINK-1) | 1<<(unix.RTNLGRP_NEIGH-1) |
	1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) |
	1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1)

// Watch starts to receive the events of a namespace. It reads existing objects, to distinguish their changes from
// additions.
func Watch(w *netns.World, ns string) (*Feed, error) {
	f := &Feed{Recorder: newRecorder()}
	err := w.Do(ns, func() (err error) {
		if f.talk, err = open(unix.NETLINK_ROUTE); err != nil {
			return err
		}
		if err := unix.Bind(f.talk.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
			return err
		}
		return f.readExisting()
	})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("watch the events of %s: %w", ns, err)
	}
	return f, nil
}

// Close stops receiving; Events still returns the events received before.
func (f *Feed) Close() {
	if f.talk != nil && !f.closed {
		f.talk.close()
	}
	f.closed = true
}

// Events are the events so far. If there are none, it waits for the given time, because consequences of a change (such
// as the carrier of a peer) are reported a little later than the change. If events were lost, the error is ErrLost, now
// and in all later calls.
func (f *Feed) Events(moment time.Duration) ([]Event, error) {
	if f.lost != nil {
		return nil, f.lost
	}
	if f.closed {
		return f.events, nil
	}
	for wait := moment; ; wait = 0 {
		poll := []unix.PollFd{{Fd: int32(f.talk.fd), Events: unix.POLLIN}}
		if len(f.events) > 0 {
			wait = 0
		}
		timeout := unix.NsecToTimespec(int64(wait))
		n, err := unix.Ppoll(poll, &timeout, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return f.events, err
		}
		if f.lost = f.receive(); f.lost != nil {
			return nil, f.lost
		}
	}
}

// receive receives one datagram.
func (f *Feed) receive() error {
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	n, from, err := unix.Recvfrom(f.talk.fd, buffer[:], unix.MSG_DONTWAIT)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err == unix.ENOBUFS:
		return ErrLost
	case err != nil:
		return fmt.Errorf("receive an event: %w", err)
	case !fromKernel(from):
		return nil
	}
	for part := buffer[:n]; len(part) >= unix.NLMSG_HDRLEN; {
		length := int(native.Uint32(part))
		if length < unix.NLMSG_HDRLEN || length > len(part) {
			return errors.New("receive an event: it is truncated")
		}
		f.Hear(native.Uint16(part[4:]), native.Uint16(part[6:]), part[unix.NLMSG_HDRLEN:length], false)
		part = part[min(align(length), len(part)):]
	}
	return nil
}

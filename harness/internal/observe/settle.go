package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// Settler brings a lab to rest: it waits for what the kernel still has to do because of earlier commands, so that what
// is read, run or sent next does not depend on how fast the machine is.
//
//   - Link-watch (net/core/link_watch.c) follows the carrier of a link later, up to a second if it is not urgent: until
//     then the operational state is the old one, the port of a bridge is disabled, the queueing discipline drops
//     packets (noop), and the event is still to come. Since Linux 6.8 (facd15dfd691) the kernel does that work at once
//     for those who ask about one link; before, it is awaited. A dump of the links does not ask.
//   - A deleted namespace is taken down later (cleanup_net in net/core/net_namespace.c): until then other namespaces
//     have ids for it, and the other ends of its veth pairs, and their going is an event.
type Settler struct {
	world *netns.World
	mu    sync.Mutex // held while the lab is settled
	// stuck is what did not come to rest within a limit. It is not awaited again as long as it stays as it is.
	stuck map[Moving]bool
}

// NewSettler is a settler for a lab.
func NewSettler(w *netns.World) *Settler { return &Settler{world: w, stuck: map[Moving]bool{}} }

// Moving is something that the kernel has not finished yet.
type Moving struct {
	Netns string
	What  string // such as: eth0 has carrier, and its operational state is down
}

func (m Moving) String() string { return m.What + " in " + m.Netns }

// Settle waits until the whole lab rests, and returns what does not within the limit. deleted is set if namespaces may
// have been deleted since the last time. Where nothing moves it takes about 30 microseconds for each namespace, and
// some milliseconds more for deleted ones.
func (s *Settler) Settle(ctx context.Context, limit time.Duration, deleted bool) ([]Moving, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if deleted {
		if err := s.release(); err != nil {
			return nil, fmt.Errorf("settle the lab: %w", err)
		}
	}
	var seen map[Moving]bool // in the last look
	left, err := calm(ctx, limit, func() (moving []Moving, err error) {
		seen = map[Moving]bool{}
		err = s.world.Each(func(name string) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			all, err := movingHere(deleted)
			if err != nil {
				return fmt.Errorf("in %s: %w", name, err)
			}
			for _, what := range all {
				m := Moving{name, what}
				if seen[m] = true; !s.stuck[m] {
					moving = append(moving, m)
				}
			}
			return nil
		})
		return moving, err
	})
	if err != nil {
		return nil, fmt.Errorf("settle the lab: %w", err)
	}
	maps.DeleteFunc(s.stuck, func(m Moving, _ bool) bool { return !seen[m] })
	for _, m := range left {
		s.stuck[m] = true
	}
	return left, nil
}

// Stuck is what did not come to rest within a limit, and has not since, by namespace.
func (s *Settler) Stuck() []Moving {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.stuck), func(a, b Moving) int {
		return cmp.Or(strings.Compare(a.Netns, b.Netns), strings.Compare(a.What, b.What))
	})
}

// release waits until the kernel has let go of what sockets held that were closed before: it gives back a socket's
// namespace with the next RCU callbacks (deferred_put_nlk_sk in net/netlink/af_netlink.c), and until then nothing tells
// a namespace that is about to go from one that somebody has. The removal of a link waits for such callbacks
// (rcu_barrier in netdev_run_todo, net/core/dev.c), so one is made and removed, where nobody sees it.
func (s *Settler) release() error {
	c, err := s.world.Attach("aside", s.openAside)
	if err != nil {
		return fmt.Errorf("open netlink in a namespace without a name: %w", err)
	}
	aside := c.(*attached)
	name := attribute(make([]byte, unix.SizeofIfInfomsg), unix.IFLA_IFNAME, []byte("passing\x00"))
	kind := attribute(nil, unix.IFLA_INFO_KIND, []byte("veth"))
	err = aside.ask(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK,
		attribute(slices.Clone(name), unix.IFLA_LINKINFO, kind), func([]byte) {})
	if errors.Is(err, unix.EOPNOTSUPP) { // without veth: nothing here waits for the callbacks
		return nil
	}
	if err != nil {
		return fmt.Errorf("add a link: %w", err)
	}
	if err := aside.ask(unix.RTM_DELLINK, unix.NLM_F_ACK, name, func([]byte) {}); err != nil {
		return fmt.Errorf("delete a link: %w", err)
	}
	return nil
}

// attached is a conversation that is closed with its lab.
type attached struct{ *conversation }

func (a *attached) Close() error { return unix.Close(a.fd) }

// openAside opens a conversation in a new namespace of the lab that has no name and lasts as long as the lab.
func (s *Settler) openAside() (io.Closer, error) {
	h, err := s.world.AddNameless()
	if err != nil {
		return nil, err
	}
	a := &attached{}
	err = s.world.DoIn(h, func() (err error) {
		a.conversation, err = open(unix.NETLINK_ROUTE)
		return err
	})
	return a, err
}

// SettleHere is Settle for the links in the namespace of the calling thread, about which nothing is remembered.
func SettleHere(limit time.Duration) error {
	_, err := calm(context.Background(), limit, func() ([]string, error) { return movingHere(false) })
	return err
}

// calm looks until nothing moves, and returns what moves after the limit.
func calm[T any](ctx context.Context, limit time.Duration, look func() ([]T, error)) ([]T, error) {
	start := time.Now()
	// A look makes a kernel from 6.8 on do its work, and what follows from that (a bridge gets the carrier of its port)
	// shows in the next one. So the first pauses are short.
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		moving, err := look()
		if err != nil || len(moving) == 0 || time.Since(start) >= limit {
			return moving, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// movingHere is what has not come to rest in the namespace of the calling thread; with deleted, ids included.
func movingHere(deleted bool) (moving []string, err error) {
	c, err := open(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer c.close()
	links, err := dump(c, unix.RTM_GETLINK, linkQuestion(0), parseWatched)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	for _, l := range links {
		now := l
		switch {
		case !l.up:
		case l.late():
			if now, err = askLink(c, l); err != nil {
				return nil, fmt.Errorf("read the link %s: %w", l.name, err)
			}
		default:
			if carrier, known := askCarrier(c.fd, l.name); known {
				now.carrier = carrier
			}
		}
		switch {
		case now.late():
			moving = append(moving, now.String())
		case now != l: // what is above it may follow
			moving = append(moving, l.name+" has just changed")
		case l.netns == unix.NETNSA_NSID_NOT_ASSIGNED:
			moving = append(moving, l.name+" goes with the namespace of its other end")
		}
	}
	if !deleted {
		return moving, nil
	}
	dying, err := dyingIDs(c)
	if err != nil {
		return nil, fmt.Errorf("read namespace ids: %w", err)
	}
	for _, id := range dying {
		moving = append(moving, fmt.Sprintf("the id %d of a deleted namespace is left", id))
	}
	return moving, nil
}

// watched is what link-watch does for a link, and what it is to follow.
type watched struct {
	index       int
	name, kind  string
	up, carrier bool
	operState   uint64
	// changes counts the changes of the carrier. Each of them is an event for link-watch, and after the first one the
	// operational state is never unknown again.
	changes uint64
	netns   int // see link.netns
}

// The operational states of RFC 2863 (linux/if.h).
const (
	operUnknown        = 0
	operNotPresent     = 1
	operDown           = 2
	operLowerLayerDown = 3
	operTesting        = 4
	operDormant        = 5
	operUp             = 6
)

// late reports whether the operational state is not the one that follows from the carrier (rfc2863_policy in
// net/core/link_watch.c). It is for links that are up: of others the kernel reports down, whatever it knows.
func (l watched) late() bool {
	switch l.operState {
	case operUp, operDormant, operTesting: // the latter two by the link's mode
		return l.up && !l.carrier
	case operDown, operLowerLayerDown, operNotPresent:
		return l.up && l.carrier
	}
	// Loopback, dummy, tun and a bridge that never had a port stay unknown: nobody has touched their carrier. That of a
	// vlan or macvlan is only looked at, once, when it is made (linkwatch_fire_event in their newlink).
	return l.up && (l.changes > 0 || slices.Contains([]string{"vlan", "macvlan", "macvtap"}, l.kind))
}

func (l watched) String() string {
	carrier := "no carrier"
	if l.carrier {
		carrier = "carrier"
	}
	return fmt.Sprintf("%s has %s, and its operational state is %s", l.name, carrier,
		operStates[min(l.operState, operUp)])
}

func parseWatched(body []byte) (l watched, ok bool) {
	if len(body) < unix.SizeofIfInfomsg {
		return l, false
	}
	l.index, l.up, l.netns = int(int32(native.Uint32(body[4:]))), native.Uint32(body[8:])&unix.IFF_UP != 0, ownNetns
	attributes(body[unix.SizeofIfInfomsg:], func(kind uint16, data []byte) {
		switch kind {
		case unix.IFLA_IFNAME:
			l.name = text(data)
		case unix.IFLA_CARRIER:
			l.carrier = number(data) == 1
		case unix.IFLA_OPERSTATE:
			l.operState = number(data)
		case unix.IFLA_CARRIER_CHANGES:
			l.changes = number(data)
		case unix.IFLA_LINK_NETNSID:
			l.netns = int(int32(number(data)))
		case unix.IFLA_LINKINFO:
			attributes(data, func(kind uint16, data []byte) {
				if kind == unix.IFLA_INFO_KIND {
					l.kind = text(data)
				}
			})
		}
	})
	return l, true
}

// linkQuestion asks for a link by its index, or for all with 0, without statistics.
func linkQuestion(index int) []byte {
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	question := make([]byte, unix.SizeofIfInfomsg)
	native.PutUint32(question[4:], uint32(index))
	return attribute(question, unix.IFLA_EXT_MASK, native.AppendUint32(nil, skipStatistics))
}

// askLink asks for one link, as it is after its link-watch work since Linux 6.8. A link that is gone counts as it was,
// so that it is looked at again.
func askLink(c *conversation, l watched) (watched, error) {
	now := l
	err := c.ask(unix.RTM_GETLINK, 0, linkQuestion(l.index), func(body []byte) {
		if answer, ok := parseWatched(body); ok {
			now = answer
		}
	})
	if errors.Is(err, unix.ENODEV) {
		err = nil
	}
	return now, err
}

// askCarrier asks with ETHTOOL_GLINK whether a link that is up has carrier: since Linux 6.8 that makes the kernel
// report an event that is still to come, also if it changes nothing any more. Of a link that is gone, or of a kind
// without ETHTOOL_GLINK, it is not known.
func askCarrier(socket int, name string) (carrier, known bool) {
	value := struct{ command, data uint32 }{command: unix.ETHTOOL_GLINK}
	var request struct {
		name  [unix.IFNAMSIZ]byte
		value *struct{ command, data uint32 }
		_     [16]byte // the rest of struct ifreq
	}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	request.value = &value
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	return value.data != 0, errno == 0
}

// dyingIDs are the ids of namespaces that nobody has any more, and that the kernel has not begun to take down.
func dyingIDs(c *conversation) (dying []int, err error) {
	ids, err := readNetnsIDs(c)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		question := attribute(make([]byte, 4), unix.NETNSA_NSID, native.AppendUint32(nil, uint32(id)))
		err := c.ask(unix.RTM_GETNSID, 0, question, func([]byte) {})
		if errors.Is(err, unix.ENOENT) {
			dying = append(dying, id)
		} else if err != nil {
			return nil, err
		}
	}
	return dying, nil
}

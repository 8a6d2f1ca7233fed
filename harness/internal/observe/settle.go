package observe

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// Settle makes the kernel run the pending link-watch work (net/core/link_watch.c) for every link that is up in every
// namespace of the lab: until then a link has carrier, but its queueing discipline still drops packets (noop), and the
// first ones are lost. ETHTOOL_GLINK does that on every kernel; a dump of the links does not.
func Settle(ctx context.Context, w *netns.World) error {
	err := w.Each(func(name string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := settle(); err != nil {
			return fmt.Errorf("in %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle links: %w", err)
	}
	return nil
}

// SettleHere is Settle for the namespace of the calling thread only.
func SettleHere() error { return settle() }

// settle settles the links in the namespace of the calling thread.
func settle() error {
	c, err := open(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer c.close()
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	question := attribute(make([]byte, unix.SizeofIfInfomsg), unix.IFLA_EXT_MASK,
		native.AppendUint32(nil, skipStatistics))
	names, err := dump(c, unix.RTM_GETLINK, question, func(body []byte) (name string, up bool) {
		if len(body) < unix.SizeofIfInfomsg {
			return "", false
		}
		attributes(body[unix.SizeofIfInfomsg:], func(kind uint16, data []byte) {
			if kind == unix.IFLA_IFNAME {
				name = text(data)
			}
		})
		return name, native.Uint32(body[8:])&unix.IFF_UP != 0
	})
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	// A bridge, which usually precedes its ports, gets carrier only after one of them has settled: links without
	// carrier are asked again as long as one of them gains it.
	for {
		without := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return askCarrier(c.fd, name) })
		if len(without) == 0 || len(without) == len(names) {
			return nil
		}
		names = without
	}
}

// askCarrier asks with ETHTOOL_GLINK whether a link has carrier. A link that is gone, or of a kind without
// ETHTOOL_GLINK, has nothing to settle and counts as having carrier.
func askCarrier(socket int, name string) bool {
	value := struct{ command, data uint32 }{command: unix.ETHTOOL_GLINK}
	var request struct {
		name  [unix.IFNAMSIZ]byte
		value *struct{ command, data uint32 }
		_     [16]byte // the rest of struct ifreq
	}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	request.value = &value
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	return errno != 0 || value.data != 0
}

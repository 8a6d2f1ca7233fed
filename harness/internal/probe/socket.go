package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// zoneIndex is the index of the interface that is the zone of an address, in the namespace of the calling thread; 0 for
// no zone. net.InterfaceByName asks the kernel each time; package net caches the zones of its addresses across
// namespaces.
func zoneIndex(a netip.Addr) (uint32, error) {
	if a.Zone() == "" {
		return 0, nil
	}
	iface, err := net.InterfaceByName(a.Zone())
	if err != nil {
		return 0, fmt.Errorf("find the interface %s: %w", a.Zone(), err)
	}
	return uint32(iface.Index), nil
}

// awaitSocket waits for an event on a socket, at most for the time of listen. It returns false without one.
func awaitSocket(ctx context.Context, fd int, events int16, listen time.Duration) (bool, error) {
	poll := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for start := time.Now(); ; {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		left := listen - time.Since(start)
		if left <= 0 {
			return false, nil
		}
		timeout := unix.NsecToTimespec(int64(left))
		n, err := unix.Ppoll(poll, &timeout, nil)
		if err != nil && err != unix.EINTR {
			return false, err
		}
		if n > 0 {
			return true, nil
		}
	}
}

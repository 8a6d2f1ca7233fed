// Package probe asks the kernel and the network whether a packet gets through: route look-up, ICMP echo, TCP connect,
// neighbour resolution. It may be imported by lab alone; it imports internal/netns, and it never goes through the driver
// under test and never sends a packet outside the namespaces it is given.
package probe

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"netnscheck/harness/internal/netns"
)

// Window is how long silence is listened to before it counts as silence.
const Window = 250 * time.Millisecond

// EchoRequest is one ICMP echo. Dest may have a zone that is an interface name.
type EchoRequest struct {
	Dest  netip.Addr
	From  netip.Addr // source address, or not valid
	Bytes int        // payload with DF set; 0: 56 bytes, DF as the kernel likes
}

// EchoResult is what came back. Found says it in words: `reply in 0.05 ms`, `no reply within 250 ms; neighbour
// 10.0.0.1 INCOMPLETE on eth0`, `sendto: Network is unreachable (ENETUNREACH)`.
type EchoResult struct {
	Reached bool
	Found   string
	Errno   syscall.Errno
}

// Echo sends echo requests from the namespace and waits for one reply, Window at most, less when the kernel's state
// shows that none can come. The error is for what kept the probe itself from being carried out.
func Echo(ctx context.Context, w *netns.World, ns string, r EchoRequest) (EchoResult, error) {
	panic("being written")
}

// ConnectResult is how a TCP connection attempt ended: connected, refused, silence, or another errno.
type ConnectResult struct {
	Connected, Refused, Silence bool
	Found                       string
	Errno                       syscall.Errno
}

// Connect attempts a TCP connection from the namespace, Window at most.
func Connect(ctx context.Context, w *netns.World, ns string, dest netip.Addr, port int) (ConnectResult, error) {
	panic("being written")
}

// Lookup is the kernel's own answer to where a packet goes (RTM_GETROUTE).
type LookupResult struct {
	Type  string // unicast, local, …
	Via   netip.Addr
	Dev   string
	Src   netip.Addr
	Errno syscall.Errno // ENETUNREACH and the like; 0 when there is a route
}

// Lookup asks the namespace's kernel for the route to dest, with a source address if from is valid.
func Lookup(ctx context.Context, w *netns.World, ns string, dest, from netip.Addr) (LookupResult, error) {
	panic("being written")
}

// Resolve makes the kernel ask for the link-layer address of addr and waits until the entry is settled, Window at most.
// It returns the entry's final state in lower case (reachable, failed, incomplete, …; "" when no entry came to be) and the device.
func Resolve(ctx context.Context, w *netns.World, ns string, addr netip.Addr) (state, dev string, err error) {
	panic("being written")
}

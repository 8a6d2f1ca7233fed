package rtnetlink

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"netnscheck/harness/internal/echo"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

// The defaults of ping(8).
const (
	defaultPayload  = 56
	defaultInterval = time.Second
	defaultTimeout  = 10 * time.Second
	floodInterval   = 10 * time.Millisecond // without an answer
)

// run is a ping in progress.
type run struct {
	operation.Ping
	socket  *echo.Socket
	payload []byte
	text    strings.Builder

	begun                   time.Time
	sent, received, errors  int
	fastest, slowest, total time.Duration
	errno                   syscall.Errno // the last error
}

// ping is `ping`. Its exit status is 0 if a reply came, 1 if none came, 2 if the requests could not be sent.
func ping(ctx context.Context, w *netns.World, c operation.Command, op operation.Ping) (string, error) {
	if op.Size < 0 {
		op.Size = defaultPayload
	}
	dest, err := destination(w, c, op)
	if err != nil {
		return "", err
	}
	socket, err := openEcho(w, c.Netns, dest, op)
	if err != nil {
		return "", err
	}
	defer socket.Close()
	r := &run{Ping: op, socket: socket, payload: payload(op.Size, op.Pattern), begun: time.Now()}
	fmt.Fprintf(&r.text, "PING %s (%s) %d bytes of data.\n", op.Dest, dest.WithZone(""), op.Size)
	if err := r.exchange(ctx); err != nil {
		return r.text.String(), err
	}
	r.summary()
	if r.received == 0 || r.Deadline > 0 && r.Count > 0 && r.received < r.Count {
		return r.text.String(), &Refused{Errno: r.errno, Status: 1,
			Message: fmt.Sprintf("%d of %d requests were answered", r.received, r.sent)}
	}
	return r.text.String(), nil
}

// openEcho opens the socket in the namespace, after a trial connect to dest: ping(8) reports the kernel's refusal of
// that before it sends anything.
func openEcho(w *netns.World, ns string, dest netip.Addr, op operation.Ping) (socket *echo.Socket, err error) {
	o := echo.Options{Dest: dest.WithZone(""), PMTU: op.PMTU, TTL: op.TTL, ErrorQueue: true,
		Broadcast: op.Broadcast, Direct: op.Direct, NoLoop: op.NoLoop, TOS: op.TOS, Mark: op.Mark}
	for _, source := range []string{op.Source, op.SecondSource} {
		if a, err := netip.ParseAddr(source); err == nil {
			o.From = a.Unmap()
		} else if source != "" {
			o.Device = source
		}
	}
	if o.Zone, err = zoneIndex(w, ns, dest.Zone()); err != nil {
		return nil, err
	}
	err = within(w, ns, func() (err error) {
		if err = echo.Try(o); err == nil {
			socket, err = echo.Open(o)
		}
		return err
	})
	var refused *echo.Error
	if errors.As(err, &refused) {
		return nil, refuse(2, refused.Err, "ping: %s", refused.Doing)
	}
	return socket, err
}

func zoneIndex(w *netns.World, ns, zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	s, err := dial(w, ns)
	if err != nil {
		return 0, err
	}
	defer s.close()
	index, err := s.index(zone)
	if err != nil {
		return 0, refuse(2, err, "ping: Cannot find device %q", zone)
	}
	return uint32(index), nil
}

// payload is the data that ping(8) sends, size bytes: a pattern again and again, by default 00 01 02 and so on.
func payload(size int, pattern string) []byte {
	repeated, err := hex.DecodeString(pattern)
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
		if err == nil && len(repeated) > 0 {
			b[i] = repeated[i%len(repeated)]
		}
	}
	return b
}

// destination is the address to ping: a literal address, or a name from the hosts file of the namespace.
func destination(w *netns.World, c operation.Command, op operation.Ping) (netip.Addr, error) {
	if a, err := netip.ParseAddr(op.Dest); err == nil {
		return a.Unmap(), nil
	}
	var found netip.Addr
	paths := []string{"/etc/hosts"}
	if c.Netns != "" {
		own := filepath.Join("/etc/netns", w.Real(c.Netns), "hosts")
		paths = []string{own, "/etc/hosts"}
	}
	w.InMounts(func() error {
		for _, path := range paths {
			if text, err := netns.ReadFile(path); err == nil {
				found = lookHost(string(text), op.Dest, op.Family)
				return nil
			}
		}
		return nil
	})
	if !found.IsValid() {
		return found, &Refused{Status: 2, Message: fmt.Sprintf("ping: %s: Name or service not known", op.Dest)}
	}
	return found, nil
}

// lookHost looks a name up in the text of a hosts file (hosts(5)). An IPv4 address is preferred to an IPv6 address.
func lookHost(text, name string, f operation.Family) (found netip.Addr) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		a, err := netip.ParseAddr(fields[0])
		if err != nil || f == operation.FamilyV4 && !a.Is4() || f == operation.FamilyV6 && !a.Is6() {
			continue
		}
		for _, alias := range fields[1:] {
			if strings.EqualFold(alias, name) && (!found.IsValid() || found.Is6() && a.Is4()) {
				found = a
			}
		}
	}
	return found
}

// exchange sends requests and receives replies for as long as ping(8) would.
func (r *run) exchange(ctx context.Context) error {
	interval := seconds(r.Interval, defaultInterval)
	if r.Flood && r.Interval == 0 {
		interval = floodInterval
	}
	var end time.Time // zero: not known yet
	if r.Deadline > 0 {
		end = r.begun.Add(seconds(r.Deadline, 0))
	}
	next := r.begun
	for {
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("ping %s: %w", r.Dest, err)
		}
		now := time.Now()
		switch {
		case r.Count > 0 && r.received+r.errors >= r.Count,
			r.Deadline > 0 && r.errors > 0,
			!end.IsZero() && !now.Before(end):
			return nil
		}
		mayDo := r.Count == 0 || r.sent < r.Count || r.Deadline > 0
		if mayDo && !now.Before(next) {
			if err := r.request(); err != nil {
				return err
			}
			if r.sent >= r.Preload {
				next = now.Add(interval)
			}
			continue
		}
		until := next
		if !mayDo && end.IsZero() { // all requests are sent: how long to wait for the last replies
			wait := seconds(r.Timeout, defaultTimeout)
			if r.received > 0 {
				wait = max(2*r.slowest, interval)
			}
			end = now.Add(wait)
		}
		if !end.IsZero() && (!mayDo || end.Before(until)) {
			until = end
		}
		before := r.received
		if err := r.receive(ctx, until); err != nil {
			return err
		}
		if r.received > before && (r.Flood || r.Adaptive) {
			next = time.Now()
		}
	}
}

func (r *run) request() error {
	r.sent++
	err := r.socket.Send(r.sent, r.payload)
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		return fmt.Errorf("ping %s: send: %w", r.Dest, err)
	}
	if err != nil {
		r.fail(errno, "ping: sendmsg: %v", errno)
	}
	return nil
}

// receive takes one reply or error; it returns at the latest at the time until.
func (r *run) receive(ctx context.Context, until time.Time) error {
	a, err := r.socket.Receive(ctx, until)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case err != nil:
		return fmt.Errorf("ping %s: receive: %w", r.Dest, err)
	case a.Errno != 0:
		r.fail(a.Errno, "From %s icmp_seq=%d %v", a.From, a.Seq, a.Errno)
		return nil
	}
	r.received++
	r.total += a.RTT
	r.slowest = max(r.slowest, a.RTT)
	if r.received == 1 || a.RTT < r.fastest {
		r.fastest = a.RTT
	}
	if !r.Quiet {
		fmt.Fprintf(&r.text, "%d bytes from %s: icmp_seq=%d time=%s\n", a.Size, a.From, a.Seq, milliseconds(a.RTT))
	}
	return nil
}

func (r *run) fail(errno syscall.Errno, format string, args ...any) {
	r.errors++
	r.errno = errno
	if !r.Quiet {
		fmt.Fprintf(&r.text, format+"\n", args...)
	}
}

func (r *run) summary() {
	plus := ""
	if r.errors > 0 {
		plus = fmt.Sprintf(", +%d errors", r.errors)
	}
	loss := 0
	if r.sent > 0 {
		loss = 100 * (r.sent - r.received) / r.sent
	}
	fmt.Fprintf(&r.text, "\n--- %s ping statistics ---\n%d packets transmitted, %d received%s, %d%% packet loss, "+
		"time %dms\n",
		r.Dest, r.sent, r.received, plus, loss, time.Since(r.begun).Milliseconds())
	if r.received > 0 {
		fmt.Fprintf(&r.text, "rtt min/avg/max = %s/%s/%s\n",
			milliseconds(r.fastest), milliseconds(r.total/time.Duration(r.received)), milliseconds(r.slowest))
	}
}

func seconds(s float64, otherwise time.Duration) time.Duration {
	if s == 0 {
		return otherwise
	}
	return time.Duration(s * float64(time.Second))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}

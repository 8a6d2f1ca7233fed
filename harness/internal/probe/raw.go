package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"

	"netnscheck/harness/internal/echo"
)

// rawEcho is a ping on a raw socket, opened in the namespace and used outside it: it can set DF, ping link-local
// addresses, and report the ICMP errors of routers. Without a reply, Found is "".
func rawEcho(ctx context.Context, w Place, ns string, r EchoRequest, window time.Duration) (EchoResult, error) {
	var s *echo.Socket
	err := w.Do(ns, func() (err error) {
		s, err = openRaw(r)
		return err
	})
	var refused syscall.Errno
	if errors.As(err, &refused) && refusal(refused) {
		return EchoResult{Found: inWords("prepare to send", refused), Errno: refused}, nil
	}
	if err != nil {
		return EchoResult{}, err
	}
	defer s.Close()
	start := time.Now()
	err = s.Send(1, payload(r))
	if errors.As(err, &refused) && refusal(refused) {
		return EchoResult{Found: inWords("send", refused), Errno: refused}, nil
	}
	if err != nil {
		return EchoResult{}, fmt.Errorf("send: %w", err)
	}
	for {
		a, err := s.Receive(ctx, start.Add(window))
		switch {
		case ctx.Err() != nil:
			return EchoResult{}, context.Cause(ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return EchoResult{}, nil
		case err != nil:
			return EchoResult{}, fmt.Errorf("receive the reply: %w", err)
		case a.Type != nil:
			return EchoResult{Found: fmt.Sprintf("ICMP %v code %d from %s", a.Type, a.Code, a.From)}, nil
		case a.From == r.Dest.WithZone(""): // a reply to a multicast request has another source
			return EchoResult{Reached: true, Found: fmt.Sprintf("reply in %v", a.RTT.Round(time.Microsecond))}, nil
		}
	}
}

// openRaw opens the socket in the namespace of the calling thread.
func openRaw(r EchoRequest) (*echo.Socket, error) {
	o := echo.Options{Dest: r.Dest.WithZone(""), From: r.From, ID: r.ID}
	if r.Bytes > 0 {
		o.PMTU = "do"
	}
	var err error
	if o.Zone, err = zoneIndex(r.Dest); err != nil {
		return nil, err
	}
	return echo.Open(o)
}

// payload is random, so that a reply to another request is not mistaken for the reply to this one.
func payload(r EchoRequest) []byte {
	size := r.Bytes
	if size == 0 {
		size = usualBytes
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

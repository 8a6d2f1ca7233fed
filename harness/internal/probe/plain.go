package probe

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/go-ping/ping"
	"golang.org/x/sys/unix"
)

// plainEcho is an ordinary ping by go-ping on a thread in the namespace, since go-ping opens its socket and waits in one go. Silence
// is a result without words.
func plainEcho(ctx context.Context, w Place, ns string, r EchoRequest, window time.Duration) (result EchoResult, err error) {
	err = w.Go(ns, func() error {
		result, err = pingHere(ctx, r, window)
		return err
	})
	return result, err
}

// pingHere pings from the namespace of the calling thread.
func pingHere(ctx context.Context, r EchoRequest, window time.Duration) (EchoResult, error) {
	pinger := ping.New(r.Dest.String())
	if err := pinger.Resolve(); err != nil {
		return EchoResult{}, err
	}
	pinger.SetLogger(ping.NoopLogger{})
	pinger.SetPrivileged(true)
	pinger.Count, pinger.Timeout, pinger.Interval, pinger.Size = 1, window, window, 56
	if r.From.IsValid() {
		pinger.Source = r.From.String()
	}
	stop := context.AfterFunc(ctx, pinger.Stop)
	defer stop()
	err := pinger.Run()
	var errno syscall.Errno
	switch {
	case ctx.Err() != nil:
		return EchoResult{}, context.Cause(ctx)
	case errors.As(err, &errno) && refusal(errno):
		return EchoResult{Found: inWords("send", errno), Errno: errno}, nil
	case err != nil:
		return EchoResult{}, err
	}
	if s := pinger.Statistics(); s.PacketsRecv > 0 {
		return EchoResult{Reached: true, Found: fmt.Sprintf("reply in %v", s.MaxRtt.Round(time.Microsecond))}, nil
	}
	return EchoResult{}, nil
}

// refusal tells the kernel's answers to what was asked from faults of the probe itself.
func refusal(errno syscall.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL, unix.EMSGSIZE, unix.EPERM, unix.ENETDOWN,
		unix.EADDRNOTAVAIL, unix.ENODEV, unix.ENXIO, unix.ENOBUFS, unix.EHOSTDOWN, unix.ECONNREFUSED:
		return true
	}
	return false
}

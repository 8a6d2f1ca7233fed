package probe

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/go-ping/ping"
)

// goPing is the pinger of the library go-ping, which only this file uses: its successor pro-bing can replace it with a
// file like this one.
type goPing struct{}

func (goPing) ping(ctx context.Context, r EchoRequest, window time.Duration) (EchoResult, error) {
	pinger := ping.New(r.Dest.String())
	if err := pinger.Resolve(); err != nil {
		return EchoResult{}, err
	}
	pinger.SetLogger(ping.NoopLogger{})
	pinger.SetPrivileged(true)
	pinger.Count, pinger.Timeout, pinger.Interval, pinger.Size = 1, window, window, usualBytes
	if r.ID != 0 {
		pinger.SetID(int(r.ID))
	}
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

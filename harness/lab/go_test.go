package lab_test

import (
	"errors"
	"io/fs"
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
)

// TestGo opens a listener in a namespace and connects to it from another one.
func TestGo(t *testing.T) {
	l := started(t, cable...)
	const port80 = "`host` connects to `10.0.0.2` on TCP port `80`"
	var listener net.Listener
	if v := l.Evaluate(t.Context(), claimOf(t, port80), nil); v.Outcome != scenario.Fail {
		t.Fatalf("before anybody listens: %s, %s %s", v.Outcome, v.Found, v.Reason)
	}
	err := l.Go("testns", func() (err error) {
		listener, err = net.Listen("tcp4", "10.0.0.2:80")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	awaitAll(t.Context(), t, l, port80)
}

// TestGoLeavesItsThreadBehind: what a function does to its thread, and how it ends, affects nothing else.
func TestGoLeavesItsThreadBehind(t *testing.T) {
	cause := errors.New("the cause")
	for name, c := range map[string]struct {
		f    func() error
		want error // what the error wraps; nil: any
	}{
		"an error":             {func() error { return cause }, cause},
		"another namespace":    {func() error { return errors.Join(unix.Unshare(unix.CLONE_NEWNET), cause) }, cause},
		"the end of a routine": {func() error { runtime.Goexit(); return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := started(t, cable...)
			for range 3 {
				err := l.Go("testns", c.f)
				if err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("error %v, want one that wraps %v", err, c.want)
				}
			}
			awaitAll(t.Context(), t, l, "`host` reaches `10.0.0.2`", "`testns` has only the interfaces `lo`, `t0`")
		})
	}
}

func TestGoWhereNothingIs(t *testing.T) {
	l := started(t)
	if err := l.Go("testns", func() error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a namespace that does not exist: %v", err)
	}
	defer func() {
		if p := recover(); p != "the panic" {
			t.Errorf("recovered %v", p)
		}
	}()
	l.Go(scenario.HostName, func() error { panic("the panic") })
}

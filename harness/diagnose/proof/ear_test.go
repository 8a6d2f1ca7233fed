package proof_test

import (
	"context"
	"errors"
	"net"
	"net/rpc"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/drops"
)

// Ear hears the kernel's drops outside of the sandbox, since inside nobody may, for the tests inside, which call it
// through their standard input.
type Ear struct {
	mu        sync.Mutex
	listeners map[int]*drops.Listener
	last      int
}

// Listening is an answer of Listen: a listener, or why there is none.
type Listening struct {
	Listener    int
	Unavailable string
}

// NextRequest asks a listener for the next drop.
type NextRequest struct {
	Listener int
	Until    time.Time
}

// Heard is an answer of Next.
type Heard struct {
	Drop    drops.Drop
	Nothing bool // until then
}

// Listen starts a listener.
func (e *Ear) Listen(f drops.Filter, answer *Listening) error {
	l, err := drops.Listen(f)
	var unavailable *drops.Unavailable
	if errors.As(err, &unavailable) {
		answer.Unavailable = unavailable.Reason
		return nil
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	e.listeners[e.last] = l
	answer.Listener = e.last
	return nil
}

// Next waits for the next drop.
func (e *Ear) Next(r NextRequest, heard *Heard) (err error) {
	e.mu.Lock()
	l := e.listeners[r.Listener]
	e.mu.Unlock()
	heard.Drop, err = l.Next(context.Background(), r.Until)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		heard.Nothing, err = true, nil
	}
	return err
}

// Close ends a listener.
func (e *Ear) Close(number int, _ *struct{}) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners[number].Close()
	delete(e.listeners, number)
	return nil
}

// lend makes an ear the standard input of the sandbox that this process is about to start.
func lend() error {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(&Ear{listeners: map[int]*drops.Listener{}}); err != nil {
		return err
	}
	outside := os.NewFile(uintptr(ends[0]), "ear")
	c, err := net.FileConn(outside)
	if err != nil {
		return err
	}
	outside.Close()
	go server.ServeConn(c)
	os.Stdin = os.NewFile(uintptr(ends[1]), "stdin")
	return nil
}

// ear is the other end, inside.
var ear = sync.OnceValues(func() (*rpc.Client, error) {
	c, err := net.FileConn(os.Stdin)
	if err != nil {
		return nil, err
	}
	return rpc.NewClient(c), nil
})

package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
)

// Bounds of the lab's own socket: programs may do with it what they want.
const (
	maxClients   = 16
	requestLasts = 5 * time.Second
	maxRequest   = 16 << 10 // bytes
)

// serve answers the command lab in the lab, through a socket there.
func (s *session) serve(ctx context.Context) error {
	s.listener = nil
	var listener net.Listener
	err := labworld.Of(s.lab).InMounts(func() (err error) {
		if err := os.RemoveAll(shell.Socket); err != nil {
			return err
		}
		listener, err = net.Listen("unix", shell.Socket)
		return err
	})
	if err != nil {
		return fmt.Errorf("listen in the lab: %w", err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // its path is one of the lab's
	s.listener = listener
	room := make(chan struct{}, maxClients)
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			select {
			case room <- struct{}{}:
				go func() {
					defer func() { <-room }()
					s.attend(ctx, conn)
				}()
			default:
				conn.Close()
			}
		}
	}()
	return nil
}

// deaf ends the service of the socket.
func (s *session) deaf() {
	if s.listener != nil {
		s.listener.Close()
	}
}

// attend answers one request.
func (s *session) attend(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(requestLasts))
	to, from := wire.NewWriter(conn), wire.NewReader(conn)
	from.Limit = maxRequest
	f, err := from.Next()
	var r wire.Request
	if err == nil {
		err = f.Decode(&r)
	}
	if err != nil {
		to.Message(wire.Reply{Error: err.Error(), Status: 2})
		return
	}
	s.askedInside.Store(true)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // nobody says more: this ends when the client does
		conn.SetReadDeadline(time.Time{})
		from.Next()
		cancel()
	}()
	s.answer(ctx, r, func(reply wire.Reply) error {
		conn.SetWriteDeadline(time.Now().Add(requestLasts))
		return to.Message(reply)
	})
}

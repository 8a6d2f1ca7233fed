// Package client asks a running lab: from a program in the lab, through the socket there, or from another terminal
// outside, through the one of the process that started the lab. The command line imports it; it never shows anything.
// What it returns comes out of a sandbox: escape it before it is shown.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/internal/session/wire"
)

// ErrNone is the error if no lab is open.
var ErrNone = errors.New("no lab is open; `harness lab start ID` opens one")

// Inside reports whether this process is in a lab.
func Inside() bool {
	st, err := os.Lstat(shell.Socket)
	return err == nil && st.Mode()&os.ModeSocket != 0
}

// Conn is a connection to a lab, for one request.
type Conn struct {
	conn net.Conn
	*wire.Reader
	*wire.Writer
}

// Dial connects to the lab in which this process is, or to the open lab with the id. The id may be "" if only one lab
// is open. The error is ErrNone if none is.
func Dial(ctx context.Context, getenv func(string) string, id string) (*Conn, error) {
	path := shell.Socket
	if !Inside() {
		var err error
		if path, err = find(getenv, id); err != nil {
			return nil, err
		}
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("connect to the lab: %w", err)
	}
	return &Conn{conn, wire.NewReader(conn), wire.NewWriter(conn)}, nil
}

// find finds the socket of an open lab.
func find(getenv func(string) string, id string) (string, error) {
	s, err := store.Open(getenv)
	if err != nil {
		return "", err
	}
	open, err := s.Sockets()
	if err != nil {
		return "", err
	}
	var names []string
	for name, path := range open {
		if !store.Answers(path) {
			continue
		}
		if name == id {
			return path, nil
		}
		names = append(names, name)
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return "", ErrNone
	case id != "":
		return "", fmt.Errorf("connect to the lab %s: it is not open; open is %s", id, strings.Join(names, ", "))
	case len(names) > 1:
		return "", fmt.Errorf("connect to a lab: several are open: %s; name one, as in `harness lab check %s`",
			strings.Join(names, ", "), names[0])
	}
	return open[names[0]], nil
}

// Close closes the connection.
func (c *Conn) Close() { c.conn.Close() }

// Ask sends a request and returns the one reply to it.
func (c *Conn) Ask(r wire.Request) (wire.Reply, error) {
	if err := c.Message(r); err != nil {
		return wire.Reply{}, fmt.Errorf("ask the lab: %w", err)
	}
	return c.Reply()
}

// Reply waits for the next reply.
func (c *Conn) Reply() (reply wire.Reply, err error) {
	f, err := c.Next()
	if err == nil {
		err = f.Decode(&reply)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it has ended")
	}
	if err != nil {
		return reply, fmt.Errorf("wait for the lab: %w", err)
	}
	return reply, nil
}

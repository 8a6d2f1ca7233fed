package start

import (
	"errors"
	"fmt"
	"net"
	"time"

	"netnscheck/harness/internal/session"
	"netnscheck/harness/internal/session/wire"
)

// requestLasts is how long a client of the socket may take for its request.
const requestLasts = 5 * time.Second

// listen lets other terminals of the same user reach the lab. The note says why they cannot.
func (b *broker) listen() (note string) {
	if b.door == nil {
		return ""
	}
	listener, err := b.door.Listen()
	if err != nil {
		return fmt.Sprintf("other terminals cannot join this lab: %v", err)
	}
	b.listener = listener
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go b.attend(conn)
			}
		}
	}()
	return ""
}

// attend serves one client: a request, or a terminal.
func (b *broker) attend(conn net.Conn) {
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(requestLasts))
	to, from := wire.NewWriter(conn), wire.NewReader(conn)
	f, err := from.Next()
	var r wire.Request
	if err == nil {
		err = f.Decode(&r)
	}
	if err != nil {
		to.Message(wire.Reply{Error: err.Error(), Status: 2})
		return
	}
	conn.SetReadDeadline(time.Time{})
	if r.Do == wire.Attach && r.Open != nil {
		b.attach(*r.Open, to, from)
		return
	}
	b.forward(r, to, from)
}

// forward sends a request to the lab, and its answers back.
func (b *broker) forward(r wire.Request, to *wire.Writer, from *wire.Reader) {
	answers := make(chan wire.Reply, 1)
	b.mu.Lock()
	b.number++
	number := b.number
	b.asked[number] = answers
	b.mu.Unlock()
	gone := make(chan struct{})
	go func() { // the client says no more: this ends with it
		from.Next()
		close(gone)
	}()
	defer func() {
		b.mu.Lock()
		delete(b.asked, number)
		b.mu.Unlock()
		b.to.Message(wire.ToLab{Ask: &wire.Ask{Number: number, End: true}})
	}()
	if b.to.Message(wire.ToLab{Ask: &wire.Ask{Number: number, Request: r}}) != nil {
		return
	}
	for {
		select {
		case reply := <-answers:
			if to.Message(reply) != nil || !reply.More {
				return
			}
		case <-gone:
			return
		case <-b.over:
			return
		}
	}
}

// answered hands an answer of the lab to who has asked. A client that does not read gets the last one.
func (b *broker) answered(a wire.Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	answers := b.asked[a.Number]
	if answers == nil {
		return
	}
	for {
		select {
		case answers <- a.Reply:
			return
		default:
		}
		select {
		case <-answers:
		default:
		}
	}
}

// attach shows a new terminal of the lab to a client, until its shell ends or the client goes.
func (b *broker) attach(o wire.Open, to *wire.Writer, from *wire.Reader) {
	b.mu.Lock()
	b.terminal++
	o.Terminal = b.terminal
	ended := make(chan struct{})
	v := newViewer(o.Terminal, func(output []byte) error { return to.Bytes(session.Main, output) }, b.shown(o.Terminal))
	b.viewers[o.Terminal], b.ended[o.Terminal] = v, ended
	b.mu.Unlock()
	if b.to.Message(wire.ToLab{Open: &o}) != nil {
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			f, err := from.Next()
			if err != nil {
				return
			}
			var m wire.ToLab
			switch {
			case f.Kind == wire.Bytes:
				if !v.window.Use(len(f.Payload)) || b.to.Bytes(o.Terminal, f.Payload) != nil {
					return
				}
			case f.Decode(&m) != nil:
				return
			case m.Resize != nil:
				b.to.Message(wire.ToLab{Resize: &wire.Resize{Terminal: o.Terminal, Size: m.Resize.Size}})
			}
		}
	}()
	select {
	case <-gone:
		b.to.Message(wire.ToLab{Hangup: o.Terminal})
		v.close()
	case <-ended:
		<-v.empty
		to.Message(wire.Reply{})
	case <-b.over:
		v.close()
		to.Message(wire.Reply{Text: "The lab has ended."})
	}
}

// shown tells the lab that output of a terminal was shown.
func (b *broker) shown(terminal uint32) func(n int) {
	return func(n int) { b.to.Message(wire.ToLab{Taken: &wire.Taken{Terminal: terminal, Bytes: n}}) }
}

package start

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"netnscheck/harness/internal/cmd/lab/page"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/worker"
	"netnscheck/harness/scenario"
)

// broker connects the learner's terminal with the process in the sandbox that has the lab.
type broker struct {
	tty      *terminal.Terminal
	screen   *screen.Screen
	scenario *scenario.Scenario
	begin    wire.Begin

	process   *sandbox.Process
	lastWords chan string
	to        *wire.Writer
	from      *wire.Reader
	keeper    *keeper
	door      *store.Lab // by which other terminals come; nil if there is no place for it
	main      *viewer
	listener  net.Listener
	over      chan struct{} // closed when the lab has ended
	unwatch   func()        // ends the watch on the terminal's size

	mu       sync.Mutex
	viewers  map[uint32]*viewer
	ended    map[uint32]chan struct{} // closed when the shell of an attached terminal has ended
	terminal uint32                   // the last number of a terminal
	asked    map[uint64]chan wire.Reply
	number   uint64 // the last number of a request
}

// run runs the lab until its shell ends.
func (b *broker) run(ctx context.Context) error {
	end, err := b.start(ctx)
	if err != nil {
		return machine.NoSandbox(err)
	}
	b.over, b.terminal = make(chan struct{}), session.Main
	b.viewers, b.ended = map[uint32]*viewer{}, map[uint32]chan struct{}{}
	b.asked = map[uint64]chan wire.Reply{}
	b.unwatch = func() {}
	err = b.serve(ctx)
	b.tty.Give()
	b.unwatch()
	close(b.over)
	if b.listener != nil {
		b.listener.Close()
	}
	return errors.Join(err, end())
}

// start starts the process in the sandbox. end closes the connection and waits for its end.
func (b *broker) start(ctx context.Context) (end func() error, err error) {
	in, toLab, err1 := os.Pipe()
	fromLab, out, err2 := os.Pipe()
	said, says, err3 := os.Pipe()
	if err = errors.Join(err1, err2, err3); err == nil {
		b.process, err = session.Role.Start(ctx, in, out, says, inside.Needs{TUN: worker.NeedsTUN(b.scenario)})
	}
	for _, f := range []*os.File{in, out, says} {
		f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{toLab, fromLab, said} {
			f.Close()
		}
		return nil, err
	}
	b.lastWords = make(chan string, 1)
	go func() { b.lastWords <- untrusted.LastWords(said) }()
	b.to, b.from = wire.NewWriter(toLab), wire.NewReader(fromLab)
	return func() error {
		toLab.Close()
		wait := b.process.Wait()
		fromLab.Close()
		words := <-b.lastWords
		if ctx.Err() == nil && wait != nil {
			return fmt.Errorf("the lab ended with status %d\n%s", sandbox.Status(wait), words)
		}
		return nil
	}, nil
}

// serve relays until the lab ends.
func (b *broker) serve(ctx context.Context) error {
	if err := b.to.Message(b.begin); err != nil {
		return fmt.Errorf("begin the lab: %w", err)
	}
	for {
		f, err := b.from.Next()
		switch {
		case ctx.Err() != nil:
			return status.With(status.Cut, fmt.Errorf("interrupted: %w", context.Cause(ctx)))
		case errors.Is(err, io.EOF):
			return nil // how its process ended says why
		case err != nil:
			return fmt.Errorf("read from the lab: %w", err)
		}
		if f.Kind == wire.Bytes {
			if v := b.viewer(f.Terminal); v != nil {
				v.output(f.Payload)
			}
			continue
		}
		var m wire.FromLab
		if err := f.Decode(&m); err != nil {
			return err
		}
		if over, err := b.take(m); over || err != nil {
			return err
		}
	}
}

// take takes a message from the lab; over if the lab has ended.
func (b *broker) take(m wire.FromLab) (over bool, err error) {
	switch {
	case m.Ready != nil:
		if m.Ready.View == nil {
			return true, errors.New("begin the lab: it does not say where")
		}
		b.keeper.begun()
		lacks := m.Ready.Lacks
		if note := b.listen(); note != "" {
			lacks = append(lacks, note)
		}
		for _, lack := range lacks {
			fmt.Fprintf(b.screen.Err, "harness: %s\n", lack)
		}
		for _, line := range undone(m.Ready.Undone) {
			fmt.Fprintln(b.screen.Err, line)
		}
		if err := page.Step(b.screen, m.Ready.View, true); err != nil {
			return true, err
		}
		if err := b.tty.Take(); err != nil {
			return true, fmt.Errorf("take the terminal: %w", err)
		}
		b.main = newViewer(session.Main, func(output []byte) error {
			_, err := b.tty.Write(output)
			return err
		}, b.shown(session.Main))
		b.mu.Lock()
		b.viewers[session.Main] = b.main
		b.mu.Unlock()
		go b.keys()
		b.unwatch = b.tty.OnResize(b.resize)
		b.resize(b.tty.Size()) // it may have changed since the lab was begun
	case m.Failed != nil && m.Failed.Terminal != 0:
		if v := b.viewer(m.Failed.Terminal); v != nil {
			v.output([]byte(untrusted.Shown(m.Failed.Text) + "\r\n"))
		}
		b.endOf(m.Failed.Terminal)
	case m.Failed != nil && m.Failed.Usage:
		return true, status.Usagef("%s", untrusted.Shown(m.Failed.Text))
	case m.Failed != nil && m.Failed.Lacks:
		return true, status.Cannotf("%s", untrusted.Shown(m.Failed.Text))
	case m.Failed != nil:
		return true, errors.New(untrusted.Shown(m.Failed.Text))
	case m.Taken != nil:
		if v := b.viewer(m.Taken.Terminal); v != nil {
			v.window.Taken(m.Taken.Bytes)
		}
	case m.Answer != nil:
		b.answered(*m.Answer)
	case m.Work != nil:
		b.keeper.work(*m.Work)
	case m.Ended != nil && m.Ended.Terminal == session.Main:
		b.main.close()
		<-b.main.empty
		return true, nil
	case m.Ended != nil:
		b.endOf(m.Ended.Terminal)
	}
	return false, nil
}

func (b *broker) viewer(terminal uint32) *viewer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.viewers[terminal]
}

// endOf takes note of the end of an attached terminal.
func (b *broker) endOf(terminal uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.viewers[terminal]; v != nil && terminal != session.Main {
		v.close()
		close(b.ended[terminal])
		delete(b.viewers, terminal)
		delete(b.ended, terminal)
	}
}

// keys passes the keys on.
func (b *broker) keys() {
	buf := make([]byte, wire.MaxBytes)
	for {
		n, err := b.tty.Read(buf)
		if n > 0 && b.main.window.Use(n) {
			b.to.Bytes(session.Main, buf[:n])
		}
		if err != nil { // the terminal was closed
			b.to.Message(wire.ToLab{Hangup: session.Main})
			return
		}
	}
}

// resize tells the lab the size of the terminal.
func (b *broker) resize(rows, columns uint16) {
	size := wire.Size{Rows: rows, Columns: columns}
	b.to.Message(wire.ToLab{Resize: &wire.Resize{Terminal: session.Main, Size: size}})
}

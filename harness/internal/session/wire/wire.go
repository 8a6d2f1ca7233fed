// Package wire carries terminals and messages between the process outside that holds the learner's terminal, the one
// in the sandbox that has the lab, and those that join later: frames on a stream of bytes. The session, its faces and
// the command line import it; it imports nothing but values and untrusted. It never trusts a peer: every frame is
// bounded, and every message is one JSON value without unknown keys.
package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"netnscheck/harness/internal/untrusted"
)

// Kind is what a frame carries.
type Kind byte

const (
	Bytes   Kind = 'b' // bytes of a terminal: the first four are its number
	Message Kind = 'm' // a message
)

// The limits of a payload. A message may hold the state of a large lab, which takes some hundred KiB.
const (
	MaxBytes   = 32 << 10
	MaxMessage = 16 << 20
)

// headSize is the size of a frame's head: its kind, and the length of its payload in big-endian order.
const headSize = 5

// Reader reads frames.
type Reader struct {
	from *bufio.Reader
	held []byte
	// Limit is the largest message, in bytes: MaxMessage, or less if the peer is not to take that much memory.
	Limit int
}

// NewReader returns a reader of the frames on a stream.
func NewReader(from io.Reader) *Reader {
	return &Reader{Limit: MaxMessage, from: bufio.NewReaderSize(from, headSize+4+MaxBytes)}
}

// Frame is one frame.
type Frame struct {
	Kind Kind
	// Terminal is the number of the terminal of Bytes.
	Terminal uint32
	// Payload is valid until the next call of Next.
	Payload []byte
}

// Next reads the next frame. The error is io.EOF if the stream ends before one.
func (r *Reader) Next() (Frame, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r.from, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Kind: Kind(head[0])}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	limit := int64(r.Limit)
	switch f.Kind {
	case Bytes:
		limit = 4 + MaxBytes
	case Message:
	default:
		return Frame{}, fmt.Errorf("read a frame: unknown kind %#x", head[0])
	}
	if size > limit {
		return Frame{}, fmt.Errorf("read a frame: %d bytes, more than %d", size, limit)
	}
	var err error
	if r.held, err = readN(r.from, r.held[:0], int(size)); err != nil {
		return Frame{}, err
	}
	f.Payload = r.held
	if f.Kind == Bytes {
		if len(f.Payload) < 4 {
			return Frame{}, errors.New("read a frame: it names no terminal")
		}
		f.Terminal, f.Payload = binary.BigEndian.Uint32(f.Payload), f.Payload[4:]
	}
	return f, nil
}

// readN appends size bytes to into. Memory grows with what has come, not with what was announced.
func readN(from io.Reader, into []byte, size int) ([]byte, error) {
	for size > 0 {
		part := min(size, 64<<10)
		at := len(into)
		into = append(into, make([]byte, part)...)
		if _, err := io.ReadFull(from, into[at:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return into[:0], err
		}
		size -= part
	}
	return into, nil
}

// Decode reads the message of a frame.
func (f Frame) Decode(into any) error {
	if f.Kind != Message {
		return fmt.Errorf("read a message: the frame is of kind %q", string(f.Kind))
	}
	if err := untrusted.Decode(f.Payload, into); err != nil {
		return fmt.Errorf("read a message: %s", untrusted.Shown(err.Error()))
	}
	return nil
}

// A TooLongError is the error for a message that is too long to be sent. Nothing of it was written.
type TooLongError struct{ Size int }

func (e *TooLongError) Error() string {
	return fmt.Sprintf("write a message: %d bytes, more than %d", e.Size, MaxMessage)
}

// Writer writes frames. Several goroutines may use one.
type Writer struct {
	mu sync.Mutex
	to io.Writer
}

// NewWriter returns a writer of frames on a stream.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Bytes writes bytes of a terminal, in as many frames as they need.
func (w *Writer) Bytes(terminal uint32, all []byte) error {
	for len(all) > 0 {
		part := all[:min(len(all), MaxBytes)]
		all = all[len(part):]
		frame := head(Bytes, 4+len(part))
		frame = binary.BigEndian.AppendUint32(frame, terminal)
		if err := w.write(append(frame, part...)); err != nil {
			return err
		}
	}
	return nil
}

// Message writes a message.
func (w *Writer) Message(message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > MaxMessage {
		return &TooLongError{len(text)}
	}
	return w.write(append(head(Message, len(text)), text...))
}

func head(kind Kind, size int) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, headSize+size), byte(kind)), uint32(size))
}

func (w *Writer) write(frame []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.to.Write(frame)
	return err
}

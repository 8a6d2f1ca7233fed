package wire

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestFrames(t *testing.T) {
	var stream bytes.Buffer
	w := NewWriter(&stream)
	long := strings.Repeat("x", MaxBytes+1)
	for _, err := range []error{w.Bytes(7, []byte(long)), w.Message(ToLab{Hangup: 3}), w.Bytes(1, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := NewReader(&stream)
	var got string
	for range 2 {
		f, err := r.Next()
		if err != nil || f.Kind != Bytes || f.Terminal != 7 {
			t.Fatalf("%+v, %v", f, err)
		}
		got += string(f.Payload)
	}
	if got != long {
		t.Errorf("%d bytes came, want %d", len(got), len(long))
	}
	f, err := r.Next()
	var m ToLab
	if err == nil {
		err = f.Decode(&m)
	}
	if err != nil || m.Hangup != 3 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestBadFrames: a peer that does not keep to the frames gets no further, and takes no memory for what it announces.
func TestBadFrames(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown kind":       {"x\x00\x00\x00\x00", "unknown kind 0x78"},
		"too long a message": {"m\xff\xff\xff\xff", "4294967295 bytes, more than 16777216"},
		"too many bytes":     {"b\x00\x01\x00\x00", "65536 bytes, more than 32772"},
		"no terminal":        {"b\x00\x00\x00\x01x", "it names no terminal"},
		"half a head":        {"m\x00", "unexpected EOF"},
		"half a payload":     {"m\x00\x80\x00\x00x", "unexpected EOF"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := NewReader(strings.NewReader(c.text)).Next()
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s: it took %d bytes of memory", name, took)
		}
	}
	for name, text := range map[string]string{"an unknown key": `{"Evil":1}`, "no JSON": "\x1b]0;x\a", "two": "{}{}"} {
		var m ToLab
		if err := (Frame{Kind: Message, Payload: []byte(text)}).Decode(&m); err == nil ||
			strings.ContainsAny(err.Error(), "\x1b\a") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("b\x00\x00\x00\x05\x00\x00\x00\x01xm\x00\x00\x00\x02{}"))
	f.Add([]byte("m\x00\x00\x00\x0c{\"Hangup\":1}"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(bytes.NewReader(stream))
		for {
			frame, err := r.Next()
			if err != nil {
				return
			}
			var m ToLab
			if frame.Kind == Message && frame.Decode(&m) == nil {
				var again bytes.Buffer
				if err := NewWriter(&again).Message(m); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestWindow: a sender waits while too much is on its way, and goes on when it has arrived or the window is closed.
func TestWindow(t *testing.T) {
	w := NewWindow()
	if !w.Use(WindowSize) {
		t.Fatal("an empty window has no room")
	}
	went := make(chan bool)
	go func() { went <- w.Use(1) }()
	w.Taken(WindowSize - 1)
	<-went // what was taken left room for one byte
	go func() { went <- w.Use(WindowSize) }()
	if w.Try(WindowSize) || !w.Try(0) {
		t.Error("it was tried to use more than there is, or nothing")
	}
	w.Close()
	if <-went {
		t.Error("a closed window has room")
	}
	w.Taken(1 << 40) // more than was sent
	if w.used != 0 {
		t.Errorf("%d are on their way", w.used)
	}
}

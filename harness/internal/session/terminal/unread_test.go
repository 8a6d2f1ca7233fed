package terminal

import (
	"os"
	"testing"

	"github.com/creack/pty"
)

// TestUnread: a pipe without a reader and a closed terminal are noticed although nothing is written.
func TestUnread(t *testing.T) {
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	unread := make(chan bool)
	for _, out := range []*os.File{pipe, slave} {
		go func() { unread <- Unread(out) }()
	}
	select {
	case <-unread:
		t.Fatal("both are read")
	default:
	}
	reader.Close()
	master.Close()
	for range 2 {
		if !<-unread {
			t.Error("it cannot tell")
		}
	}
}

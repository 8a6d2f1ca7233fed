package feed

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestHear: a hearer gets the messages about its own namespace, also if that is made later.
func TestHear(t *testing.T) {
	l := newLab(t, "quiet")
	early, quiet := l.f.Hear("later"), l.f.Hear("quiet")
	if err := l.w.Add("later"); err != nil {
		t.Fatal(err)
	}
	l.f.Take()
	setLo(t, l.w, "later", true)
	messages, complete := early.Heard()
	if len(messages) == 0 || !complete || messages[0].Kind != unix.RTM_NEWLINK {
		t.Errorf("heard %v, complete: %v", messages, complete)
	}
	if messages, complete := quiet.Heard(); len(messages) > 0 || !complete {
		t.Errorf("heard %v in a quiet namespace, complete: %v", messages, complete)
	}
	early.Close()
	setLo(t, l.w, "later", false)
	if messages, _ := early.Heard(); len(messages) > 0 {
		t.Errorf("heard %v after its end", messages)
	}
}

// TestHearFromNowOn: a hearer gets nothing that the kernel told before it began.
func TestHearFromNowOn(t *testing.T) {
	l := newLab(t, "testns")
	for i := range 100 {
		setLo(t, l.w, "testns", i%2 == 0)
		h := l.f.Hear("testns")
		messages, _ := h.Heard()
		if h.Close(); len(messages) > 0 {
			t.Fatalf("after %d: heard %v from before", i, messages)
		}
	}
}

package observe

import (
	"testing"

	"netnscheck/harness/internal/netns"
)

// TestLinksThatGo reads while a link moves from one namespace to another and back. Where it is seen it is seen whole:
// with the MAC address that the kernel chose.
func TestLinksThatGo(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it reads links again and again while they move")
	}
	needs(t, "ip")
	w := newWorld(t, "a", "b")
	run(t, w, netns.Host, "ip link add x netns a type veth peer name y")
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for from, to := "a", "b"; ; from, to = to, from {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if _, err := try(w, from, "ip", "link", "set", "x", "netns", to); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	defer func() {
		close(stop)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	}()
	seen := 0
	for range 800 {
		s, err := Lab(t.Context(), w, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			if x := s.Namespace(name).Link("x"); x != nil {
				if seen++; !x.MACRandom {
					t.Fatalf("in %s, seen %d times: %+v", name, seen, x)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("it was never seen")
	}
}

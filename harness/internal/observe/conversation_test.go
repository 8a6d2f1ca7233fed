package observe

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// TestFloodedConversation: root of a namespace fills the receive buffer of a netlink socket with messages of its own.
// The kernel then drops its answers, and tells so only of the first. They are asked for again.
func TestFloodedConversation(t *testing.T) {
	w := newWorld(t)
	err := w.Do(netns.Host, func() error {
		c, err := open(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer c.close()
		if err := unix.Bind(c.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return err
		}
		for range 3 {
			if err := flood(c); err != nil {
				return err
			}
			for range 2 {
				if lo, err := askLink(c, watched{index: 1}); err != nil || lo.name != "lo" {
					t.Errorf("asked for lo: %+v, %v", lo, err)
				}
			}
			if err := flood(c); err != nil {
				return err
			}
			links, err := readLinks(c)
			if err != nil || len(links) == 0 || links[0].Name != "lo" {
				t.Errorf("listed the links: %+v, %v", links, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// flood sends messages to a conversation until its buffer takes no more.
func flood(c *conversation) error {
	self, err := unix.Getsockname(c.fd)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	message := make([]byte, 512)
	native.PutUint32(message, uint32(len(message)))
	for err == nil {
		err = unix.Sendto(fd, message, unix.MSG_DONTWAIT, self)
	}
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	return err
}

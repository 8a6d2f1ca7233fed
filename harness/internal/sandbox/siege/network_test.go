package siege_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// No socket of a scenario's program reaches a server on the host.
func TestServersOfTheMachine(t *testing.T) {
	besiege(t, func(c *caller) {
		args := []string{c.listen("tcp", "127.0.0.1:0"), c.listen("unix", "@"+c.name)}
		private, open := c.places()
		for _, p := range append(private, open...) {
			c.listen("unix", filepath.Join(p.outside, "socket"))
			args = append(args, filepath.Join(p.inside, "socket"))
		}
		if os.Geteuid() == 0 {
			path := filepath.Join("/run", c.name)
			args = append(args, c.listen("unix", path))
			c.Cleanup(func() { os.Remove(path) })
		}
		connect := attackName + " connect " + strings.Join(args, " ")
		c.repelled(c.play(hostile("ip netns add ns", connect, "ip netns exec ns "+connect)))
	})
}

// attackConnect says something to servers: ADDRESS…
func attackConnect(args []string) {
	for _, address := range args {
		network := "tcp"
		if address[0] == '/' || address[0] == '@' {
			network = "unix"
		}
		conn, err := net.DialTimeout(network, address, time.Second)
		if err != nil {
			fmt.Println(err)
			continue
		}
		io.WriteString(conn, "by a connection")
		conn.Close()
	}
}

// AF_VSOCK, the sockets of virtual machines, is not bound to a network namespace.
func TestVsock(t *testing.T) {
	if _, err := os.Stat("/dev/vsock"); err != nil {
		t.Skip("this kernel has no vsock loaded, and the test must not load it:", err)
	}
	besiege(t, func(c *caller) { c.repelled(c.play(hostile(attackName + " vsock"))) })
}

func attackVsock([]string) {
	fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.Close(fd)
		brokeThrough("there is a socket to the host of this virtual machine")
	}
}

package sandbox

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// With `ginkgo -p` a test binary reports its results to a server on the host's loopback, which a sandbox cannot reach.
// The connection is made outside and passed in; inside, a connection to the same address on the sandbox's own loopback
// is forwarded to it. This is for tests alone: what a lab starts inherits nothing of it.

// parallelVariable holds the number of the descriptor of the connection to the server.
const parallelVariable = "NETNSCHECK_GINKGO_SERVER"

// parallelServer returns the address of the server from the arguments of a test binary, "" if there is none.
func parallelServer(args []string) string {
	for _, arg := range args {
		if name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); name == "ginkgo.parallel.host" {
			return value
		}
	}
	return ""
}

// toServer connects to the server, if there is one, and passes the connection in.
func (c *Command) toServer() error {
	server := parallelServer(c.Args)
	if server == "" {
		return nil
	}
	conn, err := net.Dial("tcp", server)
	if err != nil {
		return fmt.Errorf("connect to Ginkgo's server: %w", err)
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return fmt.Errorf("connect to Ginkgo's server: %w", err)
	}
	c.Env = append(c.Env, fmt.Sprintf("%s=%d", parallelVariable, 3+len(c.ExtraFiles)))
	c.ExtraFiles = append(c.ExtraFiles, file)
	return nil
}

// putThrough accepts one connection to the server's address in the background and forwards it to the server outside.
func putThrough() error {
	server, fd := parallelServer(os.Args), number(os.Getenv(parallelVariable))
	if server == "" || fd < 0 {
		return nil
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	unix.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "server "+strconv.Itoa(fd))
	outside, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return fmt.Errorf("connect to Ginkgo's server: %w", err)
	}
	listener, err := net.Listen("tcp", server)
	if err != nil {
		return fmt.Errorf("stand in for Ginkgo's server: %w", err)
	}
	go func() {
		inside, err := listener.Accept()
		listener.Close()
		if err != nil {
			outside.Close() // Ginkgo notices
			return
		}
		go func() {
			io.Copy(inside, outside)
			inside.Close()
		}()
		io.Copy(outside, inside)
		outside.Close()
	}()
	return nil
}

// loopbackUp sets the loopback link of this process's network namespace up.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("set the loopback up: %w", err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("set the loopback up: %w", err)
	}
	return nil
}

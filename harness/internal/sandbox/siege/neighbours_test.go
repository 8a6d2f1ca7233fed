package siege_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
)

// Programs of a scenario run next to processes of the harness. Whatever they do to those that they see, nothing outside
// is reached.

func TestInjectedSystemCalls(t *testing.T) {
	for _, driver := range []string{"iproute2", "netlink", "busybox"} {
		t.Run(driver, func(t *testing.T) {
			if _, err := exec.LookPath("busybox"); err != nil && driver == "busybox" {
				t.Skip(err)
			}
			besiege(t, func(c *caller) {
				server := c.listen("tcp", "127.0.0.1:0")
				file := c.precious(filepath.Join(c.home, "precious"), "as it was", 0o666)
				added := c.absent(filepath.Join(c.home, "planted"))
				tmp := c.absent(filepath.Join("/tmp", c.name))
				attack := strings.Join([]string{attackName, "inject", server, file, added, tmp}, " ")
				c.repelled(c.play(hostile(attack), "--driver", driver))
			})
		})
	}
}

// The memory, the environment and the descriptors of visible processes reveal nothing about the caller, and lead
// nowhere.
func TestReadingOtherProcesses(t *testing.T) {
	besiege(t, func(c *caller) {
		word := c.secret("what the caller has in his environment")
		c.env = append(c.env, "SIEGE_TOKEN=token:"+word)
		secret := c.precious(filepath.Join(c.home, "secret"), c.secret("a file in the home of the caller"), 0o600)
		other := c.precious(filepath.Join(c.dir, "beside"), c.secret("a file beside the scenario"), 0o644)
		c.repelled(c.play(hostile(strings.Join([]string{attackName, "read", secret, other}, " "))))
	})
}

// attackByReading looks for the token in every visible process, and for files through their directories and
// descriptors: FILE…
func attackByReading(args []string) {
	for _, pid := range visible() {
		environ, _ := os.ReadFile(inProc(pid, "environ"))
		tellToken("the environment of a process", environ)
		readMemory(pid)
		for _, way := range []string{"root", "cwd"} {
			readBelow(inProc(pid, way), args)
		}
		fds, _ := filepath.Glob(inProc(pid, "fd/*"))
		for _, fd := range fds {
			readBelow(fd, args)
		}
	}
}

// tellToken prints the token if the bytes have it.
func tellToken(where string, b []byte) {
	if _, rest, ok := bytes.Cut(b, []byte("token"+":secret")); ok {
		fmt.Printf("%s: secret%s\n", where, rest[:min(26, len(rest))])
	}
}

// readBelow reads files below another directory, which may be one of the host.
func readBelow(dir string, paths []string) {
	for _, path := range paths {
		for _, up := range []string{"", "../../../../../../../../../.."} {
			if text, err := os.ReadFile(dir + "/" + up + path); err == nil {
				fmt.Printf("%s%s%s: %s\n", dir, up, path, text)
			}
		}
	}
}

// readMemory looks for the token in the memory of a process, in two ways.
func readMemory(pid int) {
	maps, err := os.Open(inProc(pid, "maps"))
	if err != nil {
		fmt.Printf("process %d: %v\n", pid, err)
		return
	}
	defer maps.Close()
	memory, _ := os.Open(inProc(pid, "mem"))
	defer memory.Close()
	const most = 64 << 20
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var rights string
		_, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights)
		if err != nil || rights[:2] != "rw" || to-from > most {
			continue
		}
		b := make([]byte, to-from)
		local := []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}
		remote := []unix.RemoteIovec{{Base: uintptr(from), Len: len(b)}}
		if _, err := unix.ProcessVMReadv(pid, local, remote, 0); err != nil && memory != nil {
			memory.ReadAt(b, int64(from))
		}
		tellToken(fmt.Sprintf("the memory of process %d", pid), b)
	}
}

// No namespace that can be found in /proc leads to the host.
func TestNamespacesOfOtherProcesses(t *testing.T) {
	besiege(t, func(c *caller) {
		args := []string{attackName, "setns", c.listen("tcp", "127.0.0.1:0"), c.listen("unix", "@"+c.name)}
		for _, kind := range namespaceKinds {
			args = append(args, ownNamespace(kind))
		}
		file := c.precious(filepath.Join(c.home, "precious"), "as it was", 0o666)
		c.repelled(c.play(hostile(strings.Join(append(args, file), " "))))
	})
}

// The test passes the host's namespaces to the attack, in this order.
var namespaceKinds = []string{"net", "mnt", "ipc", "uts", "user", "pid", "cgroup"}

func ownNamespace(kind string) string {
	link, _ := os.Readlink("/proc/self/ns/" + kind)
	return link
}

// attackNamespaces enters the namespaces of every visible process: TCP ABSTRACT, the host's of each kind, FILE
func attackNamespaces(args []string) {
	tcp, abstract, machine, file := args[0], args[1], args[2:2+len(namespaceKinds)], args[2+len(namespaceKinds)]
	for _, pid := range visible() {
		for i, kind := range namespaceKinds {
			if link, err := os.Readlink(inProc(pid, "ns", kind)); err == nil && link == machine[i] && kind != "cgroup" {
				brokeThrough("process %d leads to the machine's namespace %s", pid, link)
			}
		}
		onThread(func() {
			unix.Unshare(unix.CLONE_FS)
			for _, kind := range namespaceKinds {
				fd, err := unix.Open(inProc(pid, "ns", kind), unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					continue
				}
				climb(fd)
				setns(fd, 0)
				unix.Close(fd)
			}
			attackConnect([]string{tcp, abstract})
			attackFiles([]string{file})
		})
	}
}

// climb goes from a namespace to its parent and to its owner (ioctl_nsfs(2)) and enters them.
func climb(fd int) {
	for _, up := range []uint{unix.NS_GET_PARENT, unix.NS_GET_USERNS} {
		parent, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(up), 0)
		if errno == 0 {
			setns(int(parent), 0)
			if up == unix.NS_GET_PARENT {
				brokeThrough("a namespace has a parent that can be had")
			}
			unix.Close(int(parent))
		}
	}
}

// /proc shows nothing of the host's network.
func TestNetworkInProc(t *testing.T) {
	besiege(t, func(c *caller) {
		tcp := c.listen("tcp", "127.0.0.1:0")
		c.listen("unix", "@"+c.name)
		_, port, _ := net.SplitHostPort(tcp)
		c.repelled(c.play(hostile(fmt.Sprintf("%s look %s %s", attackName, port, mirrored(c.name)))))
	})
}

// attackLooking reads the network of every process: PORT NAME, the name backwards
func attackLooking(args []string) {
	port, err := strconv.Atoi(args[0])
	if err != nil {
		panic(err)
	}
	socket := fmt.Sprintf("0100007F:%04X", port)
	for _, pid := range append(visible(), os.Getpid()) {
		for _, file := range []string{"unix", "tcp", "tcp6", "dev", "arp", "route"} {
			b, _ := os.ReadFile(inProc(pid, "net", file))
			if text := string(b); strings.Contains(text, socket) || strings.Contains(text, mirrored(args[1])) {
				brokeThrough("/proc/%d/net/%s shows the machine's", pid, file)
			}
		}
	}
}

// A scenario that kills, stops or starves everything that it sees harms only itself: the run goes on and reports the
// result.
func TestHarmToNeighbours(t *testing.T) {
	for _, harm := range []string{"kill", "stop", "starve"} {
		t.Run(harm, func(t *testing.T) {
			besiege(t, func(c *caller) {
				c.bystander()
				c.file(filepath.Join(c.dir, "honest.md"), honest, 0o644)
				o := c.play(hostile(attackName+" harm "+harm), "honest.md")
				c.survived(o)
				c.passed(o, "honest", "Make one")
			})
		})
	}
}

// survived asserts that the worker was not harmed and has a result for the attack. The attack may have harmed itself,
// and what it needs to go on: then the run reports that.
func (c *caller) survived(o *outcome) {
	c.Helper()
	c.intact(o)
	section := o.of("hostile", "Attack")
	switch {
	case section == nil:
		c.Errorf("there is no result of the attack:\n%s%s", o.stdout, o.stderr)
	case workerEnded.MatchString(o.text):
		c.Errorf("the attack has ended the worker:\n%s%s", o.stdout, o.stderr)
	case section.Outcome == scenario.Pass:
		c.carriedOut(o)
	case section.Reason == "" && len(section.Problems) == 0:
		c.Errorf("there is no reason why the attack's section ended as %s", section.Outcome)
	}
}

// workerEnded are the messages for a worker that ended early.
var workerEnded = regexp.MustCompile(`the worker (died|ended|did not stop)`)

// attackNeighbours harms every process that it can reach: kill, stop or starve
func attackNeighbours(args []string) {
	signals := map[string][]syscall.Signal{
		"kill": {unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGSEGV, unix.SIGKILL},
		"stop": {unix.SIGTSTP, unix.SIGSTOP},
	}
	for _, s := range signals[args[0]] {
		for _, pid := range append(visible(), -1) {
			unix.Kill(pid, s)
		}
	}
	if args[0] == "starve" {
		for _, pid := range visible() {
			starve(pid)
		}
	}
}

func starve(pid int) {
	for _, limit := range []int{unix.RLIMIT_NOFILE, unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_NPROC} {
		unix.Prlimit(pid, limit, &unix.Rlimit{}, nil)
	}
	unix.SchedSetaffinity(pid, &unix.CPUSet{1 << 1})
	unix.Setpriority(unix.PRIO_PROCESS, pid, 19)
	os.WriteFile(inProc(pid, "oom_score_adj"), []byte("1000"), 0)
}

// A scenario that stops every process that it sees with ptrace, and does not end, is still killed at its time limit.
func TestHoldingNeighbours(t *testing.T) {
	besiege(t, func(c *caller) {
		c.bystander()
		c.file(filepath.Join(c.dir, "honest.md"), honest, 0o644)
		o := c.play(hostile(attackName+" hold"), "honest.md")
		c.survived(o)
		if section := o.of("hostile", "Attack"); section == nil || section.Outcome == scenario.Pass {
			c.Errorf("a command that never ends passed: %+v", section)
		}
		c.passed(o, "honest", "Make one")
	})
}

// attackByHolding stops every visible process and stays.
func attackByHolding([]string) {
	for _, pid := range visible() {
		threads, _ := filepath.Glob(inProc(pid, "task/*"))
		for _, thread := range threads {
			tid, err := strconv.Atoi(filepath.Base(thread))
			if err == nil && unix.PtraceSeize(tid) == nil {
				unix.PtraceInterrupt(tid)
			}
		}
	}
	attackBySleeping(nil)
}

// attackBySleeping never ends and ignores all signals.
func attackBySleeping([]string) {
	for s := syscall.Signal(1); s < 64; s++ {
		if s != unix.SIGURG { // Go's runtime uses it to preempt goroutines
			signal.Ignore(s) // has no effect on SIGKILL and SIGSTOP
		}
	}
	for {
		time.Sleep(time.Hour)
	}
}

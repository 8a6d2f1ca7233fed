package siege_test

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
)

// What an attack may use before it counts as unbounded, and before it stops by itself. No lesson comes near any of it.
const (
	mostProcesses = 3000
	mostMemory    = 3 << 30
	mostInFolder  = 1 << 30
	mostInFile    = 8 << 30
	mostOpen      = 8000
	mostPrinted   = 1 << 30
	// mostInHarness is how much memory a process of the harness may use in a run of one small scenario.
	mostInHarness = 400 << 20
)

// limitTold asserts that the run reports that a limit was met.
func (c *caller) limitTold(o *outcome) {
	c.Helper()
	if !strings.Contains(strings.ToLower(o.text), "limit") {
		c.Errorf("the run does not say that a limit was met:\n%s%s", o.stdout, o.stderr)
	}
}

// bounded asserts that the attack was killed or refused before it stopped by itself.
func (c *caller) bounded(o *outcome) {
	c.Helper()
	for line := range strings.Lines(o.said()) {
		if strings.HasPrefix(line, broke) {
			c.Errorf("the attack says: %s", line)
		}
	}
	if o.of("hostile", "Attack") == nil {
		c.Errorf("there is no result of the attack:\n%s%s", o.stdout, o.stderr)
	}
	c.intact(o)
	c.limitTold(o)
}

func TestForkBomb(t *testing.T) {
	besiege(t, func(c *caller) {
		c.bystander()
		c.file(filepath.Join(c.dir, "honest.md"), honest, 0o644)
		o := c.play(hostile(attackName+" fork"), "honest.md")
		c.bounded(o)
		c.passed(o, "honest", "Make one")
	})
}

// attackByForking makes processes that do nothing, with the bare system call: after a fork without execve a Go program
// can do nothing else.
func attackByForking([]string) {
	for i := range mostProcesses {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		switch {
		case errno != 0:
			fmt.Printf("after %d processes: %v\n", i, errno)
			return
		case pid == 0:
			for {
				unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
	}
	brokeThrough("%d processes were made", mostProcesses)
}

func TestMemory(t *testing.T) {
	if available() < 2*mostMemory {
		t.Skip("the machine has too little memory to try it")
	}
	if !memoryLimits() {
		t.Skip("no cgroup can be made here in which memory is limited")
	}
	besiege(t, func(c *caller) { c.bounded(c.play(hostile(attackName + " memory"))) })
}

// available returns the host's available memory, in bytes.
func available() int {
	text, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(text)) {
		var kB int
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kB); n == 1 {
			return kB << 10
		}
	}
	return 0
}

// memoryLimits reports whether this process may make a cgroup that limits memory.
func memoryLimits() bool {
	root := cgroup2()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || root == "" {
		return false
	}
	for line := range strings.Lines(string(own)) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			control, err := os.ReadFile(filepath.Join(root, dir, "cgroup.subtree_control"))
			return err == nil && slices.Contains(strings.Fields(string(control)), "memory") &&
				unix.Access(filepath.Join(root, dir), unix.W_OK) == nil
		}
	}
	return false
}

// attackByEating allocates memory until it is refused or killed.
func attackByEating([]string) {
	const piece = 64 << 20
	for taken := 0; taken < mostMemory; taken += piece {
		if _, err := unix.Mmap(-1, 0, piece, unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE); err != nil {
			fmt.Printf("after %d bytes: %v\n", taken, err)
			return
		}
	}
	brokeThrough("%d bytes of memory were taken", mostMemory)
}

// The directories that a scenario may write to are small.
func TestFillingFolders(t *testing.T) {
	besiege(t, func(c *caller) {
		o := c.play(hostile(attackName + " fill"))
		c.carriedOut(o)
		c.intact(o)
	})
}

// attackByFilling fills every writable directory, and makes one file that is far too long.
func attackByFilling([]string) {
	signal.Ignore(unix.SIGXFSZ) // the answer is EFBIG then
	home, _ := os.UserHomeDir()
	for _, dir := range []string{"/tmp", "/var/tmp", "/dev/shm", "/run", "/etc", home, "/dev"} {
		fillFolder(dir)
	}
}

func fillFolder(dir string) {
	file, err := os.CreateTemp(dir, "fill-")
	if err != nil {
		told("fill "+dir, err)
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if unix.Ftruncate(int(file.Fd()), mostInFile) == nil {
		brokeThrough("a file of %d bytes was made in %s", mostInFile, dir)
	}
	unix.Ftruncate(int(file.Fd()), 0)
	// Several files: a limit on file size does not limit the directory.
	const piece = 64 << 20
	for taken := 0; taken < mostInFolder; taken += piece {
		part, err := os.CreateTemp(dir, "fill-")
		if err != nil {
			told("fill "+dir, err)
			return
		}
		defer os.Remove(part.Name())
		defer part.Close()
		if err := unix.Fallocate(int(part.Fd()), 0, 0, piece); err != nil {
			fmt.Printf("fill %s after %d bytes: %v\n", dir, taken, err)
			return
		}
	}
	brokeThrough("%d bytes were put into %s", mostInFolder, dir)
}

func TestOpenFiles(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Max < mostOpen {
		t.Skipf("the caller himself may open no more than %d files", limit.Max)
	}
	besiege(t, func(c *caller) {
		o := c.play(hostile(attackName + " open"))
		c.carriedOut(o)
		c.intact(o)
	})
}

// attackByOpening opens files, after it has raised its limit as far as it may.
func attackByOpening([]string) {
	var limit unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	limit.Cur = limit.Max
	unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	for i := range mostOpen - 100 { // the program has a few open itself
		if _, err := unix.Open("/dev/null", unix.O_RDONLY, 0); err != nil {
			fmt.Printf("after %d files: %v\n", i, err)
			return
		}
	}
	brokeThrough("%d files were opened", mostOpen-100)
}

// A program that prints without end makes neither the harness nor its reports grow.
func TestFloodOfOutput(t *testing.T) {
	besiege(t, func(c *caller) {
		o := c.play(hostile(attackName+" flood"), "-v")
		if section := o.of("hostile", "Attack"); section == nil {
			c.Error("there is no result of the attack")
		}
		if o.peak > mostInHarness {
			c.Errorf("a process of the run took %d MB", o.peak>>20)
		}
		if most := 16 << 20; len(o.text) > most {
			c.Errorf("the run printed and wrote %d bytes", len(o.text))
		}
		if strings.Contains(o.stdout+o.stderr, "\x1b") {
			c.Error("the run printed an escape")
		}
		c.intact(o)
		if !strings.Contains(o.text, "bytes left out") {
			c.Error("the run does not say that the output was cut")
		}
	})
}

func attackByFlooding([]string) {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	line := "\x1b]0;flood\x07\x1b[2J\x1b[31m::error::" + strings.Repeat("x", 200) + "\n"
	for printed := 0; printed < mostPrinted; printed += len(line) {
		out.WriteString(line)
	}
	out.Flush()
}

// A program that never ends and ignores signals is killed at its time limit.
func TestEndlessProgram(t *testing.T) {
	besiege(t, func(c *caller) {
		c.watch(lingeringCanary(mirrored(c.name)))
		o := c.play(hostile(attackName+" sleep "+mirrored(c.name)), "--timeout", "2s")
		if section := o.of("hostile", "Attack"); section == nil || section.Outcome != scenario.NotRun {
			c.Errorf("the attack ended as %+v", section)
		}
		if most := 20 * time.Second; o.took > most { // the program would sleep for ever
			c.Errorf("it took %v", o.took)
		}
		c.intact(o)
	})
}

// Stopping the processes of a run, here from outside, does not block the run.
func TestStoppedWorker(t *testing.T) {
	besiege(t, func(c *caller) {
		c.file(filepath.Join(c.dir, "hostile.md"), hostile("sleep 5", attackName+" sleep"), 0o644)
		run := c.start("run", "hostile.md", "--driver", "iproute2")
		waitFor(c, "the processes of the run", func() bool {
			below := descendants(run.cmd.Process.Pid)
			return len(below) > 1 && slices.ContainsFunc(below, func(pid int) bool { return commandOf(pid) == "sleep" })
		})
		stopped := c.stop(descendants(run.cmd.Process.Pid))
		o := run.wait()
		for pid, fd := range stopped {
			if poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}; !within(poll, 5*time.Second) {
				c.Errorf("the process %d outlives the run", pid)
			}
		}
		if section := o.of("hostile", "Attack"); section == nil || section.Outcome != scenario.Error {
			c.Errorf("the attack ended as %+v", section)
		}
		if !strings.Contains(o.text, "stopped") {
			c.Errorf("the run does not say that its worker was stopped:\n%s%s", o.stdout, o.stderr)
		}
	})
}

// stop stops processes, and kills at the end those that are left. It returns a pidfd of each, which cannot come to mean
// another process.
func (c *caller) stop(pids []int) map[int]int {
	c.Helper()
	stopped := map[int]int{}
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue // it has ended
		}
		stopped[pid] = fd
		unix.PidfdSendSignal(fd, unix.SIGSTOP, nil, 0)
		c.Cleanup(func() { unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); unix.Close(fd) })
	}
	return stopped
}

// within reports whether something happens to descriptors in time.
func within(poll []unix.PollFd, limit time.Duration) bool {
	for {
		n, err := unix.Poll(poll, int(limit.Milliseconds()))
		if err != unix.EINTR {
			return n > 0
		}
	}
}

// waitFor waits for a condition.
func waitFor(c *caller, what string, holds func() bool) {
	c.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			c.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// descendants returns the descendants of a process, parents before children.
func descendants(of int) (all []int) {
	children := map[int][]int{}
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range entries {
		var pid int
		fmt.Sscan(filepath.Base(dir), &pid)
		parent := parentOf(pid)
		children[parent] = append(children[parent], pid)
	}
	next := []int{of}
	for len(next) > 0 {
		below := children[next[0]]
		all, next = append(all, below...), append(next[1:], below...)
	}
	return all
}

func commandOf(pid int) string {
	text, _ := os.ReadFile(inProc(pid, "comm"))
	return strings.TrimSpace(string(text))
}

package main_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// oddFiles makes irregular files and files that are too large, and returns their folder.
func oddFiles(t *testing.T) string {
	t.Helper()
	dir := write(t, map[string]string{"folder.md/x.txt": "", "huge.md": "# x", "huge.json": "{}", "good.md": good})
	for name, size := range map[string]int64{"huge.md": 8<<20 + 1, "huge.json": 64<<20 + 1} {
		if err := os.Truncate(filepath.Join(dir, name), size); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.md"), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s.md"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "zero.md")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOddFiles: each command that reads a scenario or a state refuses each of them at once.
func TestOddFiles(t *testing.T) {
	dir := oddFiles(t)
	scenarios := [][]string{{"run"}, {"show"}, {"map"}, {"scenario", "check"}}
	states := [][]string{{"diagnose", "--state"}, {"map", "--state"}}
	for _, c := range []struct {
		commands   [][]string
		file, says string
	}{
		{scenarios, "pipe.md", "read pipe.md: it is a pipe, not a regular file"},
		{scenarios, "s.md", "read s.md: it is a socket, not a regular file"},
		{scenarios, "zero.md", "read zero.md: it is a device, not a regular file"},
		{scenarios, "huge.md", "read huge.md: it is larger than the limit of 8 MiB"},
		{scenarios[3:], "folder.md", "read the folder folder.md: there is no scenario (*.md) in it"},
		{scenarios[:1], ".", "pipe.md: it is a pipe, not a regular file"},
		{states, "folder.md", "read folder.md: is a directory"},
		{states, "s.md", "read s.md: it is a socket, not a regular file"},
		{states, "/dev/zero", "read /dev/zero: it is a device, not a regular file"},
		{states, "huge.json", "read huge.json: it is larger than the limit of 64 MiB"},
	} {
		for _, command := range c.commands {
			harness(t, dir, append(command, c.file)...).want(t, 2, c.says)
		}
	}
}

// TestStateOfAPipe: a state may come from a process substitution.
func TestStateOfAPipe(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(write, `{"namespaces": [{"name": "a", "links": []}]}`)
		write.Close()
	}()
	cmd := command(t, t.TempDir(), "diagnose", "--state", "/dev/fd/3")
	cmd.ExtraFiles = []*os.File{read}
	finish(t, cmd).want(t, 0, "nothing looks wrong")
	read.Close()
}

// TestSignalWhileReading: a signal stops the harness while it waits for a pipe without a writer.
func TestSignalWhileReading(t *testing.T) {
	dir := oddFiles(t)
	pipe := filepath.Join(dir, "pipe.md")
	for _, args := range [][]string{
		{"diagnose", "--state", "pipe.md"}, {"map", "--state", "pipe.md"},
		{"__complete", "diagnose", "--state", "pipe.md",
			"--from", ""},
	} {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			cmd := command(t, dir, args...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			reads, ended := make(chan *os.File, 1), make(chan error, 1)
			go func() {
				writer, _ := os.OpenFile(pipe, os.O_WRONLY, 0) // it waits until the harness reads
				reads <- writer
			}()
			go func() { ended <- cmd.Wait() }()
			select {
			case writer := <-reads:
				cmd.Process.Signal(s)
				<-ended
				writer.Close()
			case <-ended:
				t.Fatalf("%s ended by itself: %s", args, stderr.String())
			}
			status := cmd.ProcessState.ExitCode()
			if args[0] == "__complete" {
				if status != 0 {
					t.Errorf("%s, %v: status %d: %s", args, s, status, stderr.String())
				}
				continue
			}
			if status != 5 || !strings.Contains(stderr.String(),
				"harness: read the state pipe.md: interrupted: by SIG") {
				t.Errorf("%s, %v: status %d: %s", args, s, status, stderr.String())
			}
		}
	}
}

// TestSecondSignal ends the process at once, while it waits for a worker that does not end.
func TestSecondSignal(t *testing.T) {
	c := stuck(t, func(p *os.Process) {
		p.Signal(syscall.SIGINT)
		p.Signal(syscall.SIGTERM)
	})
	if status := c.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Errorf("it ended with status %d", status.ExitStatus())
	}
}

// TestSecondHangup: a second SIGHUP does not count: when a terminal closes, the kernel and the shell send one each.
func TestSecondHangup(t *testing.T) {
	t.Parallel()
	c := stuck(t, func(p *os.Process) {
		p.Signal(syscall.SIGHUP)
		p.Signal(syscall.SIGHUP)
	})
	if status := c.ProcessState.Sys().(syscall.WaitStatus); status.ExitStatus() != 5 {
		t.Errorf("it ended with status %d", status.ExitStatus())
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "results", "junit.xml")); err != nil {
		t.Error(err)
	}
}

// stuck runs a scenario, stops its worker so that it does not react any more, and does something to the harness.
func stuck(t *testing.T, do func(p *os.Process)) *exec.Cmd {
	t.Helper()
	needSandbox(t)
	cmd := command(t, write(t, map[string]string{"slow.md": slow}), "run", "slow.md", "--driver", "netlink")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // the first step has ended
		t.Fatal(err)
	}
	for _, child := range childrenOf(t, cmd.Process.Pid) {
		syscall.Kill(child, syscall.SIGSTOP)
	}
	do(cmd.Process)
	io.Copy(io.Discard, out)
	cmd.Wait()
	return cmd
}

package siege_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
)

// forged is a scenario whose attack forges the worker's result for the next section, whose check is false.
func forged(what, word string) string {
	return hostile(attackName+" forge "+what+" "+word) +
		"\n## False\n\n```console\n$ ip netns add another\n```\n\n- [ ] namespace `nowhere` exists within `50ms`\n"
}

// A program cannot forge its verdict, whatever it writes wherever it can.
func TestForgedVerdict(t *testing.T) {
	for _, driver := range []string{"iproute2", "netlink"} {
		t.Run(driver, func(t *testing.T) {
			besiege(t, func(c *caller) {
				word := "forged" + strings.ReplaceAll(c.name, "-", "")
				c.file(filepath.Join(c.dir, "honest.md"), honest, 0o644)
				o := c.play(forged("verdict", mirrored(word)), "honest.md", "--driver", driver)
				c.survived(o)
				if section := o.of("hostile", "False"); section == nil || section.Outcome == scenario.Pass {
					c.Errorf("a false check passed: %+v", section)
				}
				if strings.Contains(o.text, word) {
					c.Errorf("the run reports what the attack has forged:\n%s", o.stdout)
				}
				c.passed(o, "honest", "Make one")
				if o.status != 1 {
					c.Errorf("the status is %d", o.status)
				}
			})
		})
	}
}

// A forged message that labs are kept does not hold up a run without --keep, and prints no command for the user to
// paste.
func TestForgedKeep(t *testing.T) {
	besiege(t, func(c *caller) {
		word := "forged" + strings.ReplaceAll(c.name, "-", "")
		o := c.play(forged("kept", mirrored(word)))
		c.survived(o)
		if strings.Contains(o.text, word) || strings.Contains(o.text, "nsenter") {
			c.Errorf("the run reports labs that are kept:\n%s", o.stdout)
		}
	})
}

// A message without end does not fill the memory of the process outside.
func TestFloodOfMessages(t *testing.T) {
	besiege(t, func(c *caller) {
		o := c.play(forged("flood", "x"))
		c.survived(o)
		if o.peak > mostInHarness {
			c.Errorf("a process of the run took %d MB", o.peak>>20)
		}
		if section := o.of("hostile", "False"); section == nil || section.Outcome == scenario.Pass {
			c.Errorf("a false check passed: %+v", section)
		}
	})
}

// attackMessages writes to every pipe and socket of every visible process: verdict, kept or flood, and a word backwards
func attackMessages(args []string) {
	var text []byte
	word := mirrored(args[1])
	switch args[0] {
	case "verdict":
		for _, driver := range []string{"iproute2", "netlink"} {
			for _, event := range []string{"start", "end"} {
				text = fmt.Appendf(text, `{"event":%q,"key":"hostile: Hostile\ndriver %s\nFalse",`+
					`"case":{"title":"False %s","outcome":"pass"}}`+"\n", event, driver, word)
			}
		}
		text = fmt.Appendf(text, `{"event":"leftover","text":"\u001b[31m%s"}`+"\n"+`{"event":"done"}`+"\n", word)
	case "class":
		text = []byte(`{"Passed":[true]}` + "\n")
	case "kept":
		text = fmt.Appendf(text, `{"event":"kept","commands":["\u001b[31m%s; rm -rf /"]}`+"\n", word)
	case "flood":
		text = []byte(`{"event":"leftover","text":"` + strings.Repeat("x", piece))
	}
	for _, pid := range visible() {
		for fd := range 64 {
			if file := otherDescriptor(pid, fd); file != nil {
				pour(file, text, args[0] == "flood")
				file.Close()
			}
		}
		if args[0] != "flood" { // a process that writes more than is read blocks, and the attacker with it
			injectWrites(pid, text[:min(len(text), 900)])
		}
	}
}

// otherDescriptor returns a pipe or a socket of another process that can be written to, nil if there is none.
func otherDescriptor(pid, fd int) *os.File {
	var got int
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		got, err = unix.PidfdGetfd(pidfd, fd, 0)
		unix.Close(pidfd)
	}
	if err != nil {
		if got, err = unix.Open(inProc(pid, "fd", fmt.Sprint(fd)), unix.O_WRONLY|unix.O_NONBLOCK, 0); err != nil {
			return nil
		}
	}
	var st unix.Stat_t
	kind := uint32(0)
	if unix.Fstat(got, &st) == nil {
		kind = st.Mode & unix.S_IFMT
	}
	if kind != unix.S_IFIFO && kind != unix.S_IFSOCK {
		unix.Close(got)
		return nil
	}
	return os.NewFile(uintptr(got), "taken")
}

// piece is what a writable pipe always takes without blocking; flood is how much is written in all.
const (
	piece = 4096 - 64
	flood = 400 << 20
)

// pour writes a text followed by a flood, as long as somebody reads it.
func pour(file *os.File, text []byte, all bool) {
	for written := 0; len(text) > 0; text = text[min(len(text), piece):] {
		poll := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLOUT}}
		if n, _ := unix.Poll(poll, 500); n == 0 || poll[0].Revents&unix.POLLOUT == 0 {
			return
		}
		n, err := unix.Write(int(file.Fd()), text[:min(len(text), piece)])
		if err != nil {
			return
		}
		if written += n; all && written < flood {
			text = append(text, strings.Repeat("x", piece)...)
		}
	}
}

// injectWrites makes a process write to its own descriptors.
func injectWrites(pid int, text []byte) {
	p, err := seize(pid)
	if err != nil {
		fmt.Printf("process %d: %v\n", pid, err)
		return
	}
	defer p.release()
	for fd := 3; fd < 32; fd++ {
		p.write(fd, string(text))
	}
}

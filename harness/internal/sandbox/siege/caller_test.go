package siege_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// patience is how long a run may take, whatever its scenarios do: 30 s for a command (program.Limit), plus the watchdog
// and the clean-up, on a machine that a fork bomb may have for itself.
const patience = 4 * time.Minute

// caller is a user of the host who starts the harness in a directory of his own, with canaries around him.
type caller struct {
	program string // the harness, if not the common one
	*testing.T
	uid  int    // -1: the user who runs the tests
	name string // a word that occurs nowhere else on this host, for what needs a name outside
	dir  string // the working directory, which belongs to the caller
	home string

	env      []string
	path     []string // directories in front of PATH
	files    []*os.File
	stage    stage
	terminal *os.File
	canaries []canary
}

// canary is something outside that an attack must not touch.
type canary interface {
	// check reports what the attack has done to it; o is the outcome of the run.
	check(t *testing.T, o *outcome)
}

var callers atomic.Int32

// besiege plays an attack with the harness started as root and as an ordinary user. If the tests do not run as root,
// only the latter is possible.
func besiege(t *testing.T, attack func(c *caller)) {
	t.Helper()
	t.Parallel()
	if _, err := exec.LookPath("ip"); err != nil {
		sandbox.Lacking(t, err) // the hostile scenarios are played with it
	}
	if os.Geteuid() == 0 {
		t.Run("started as root", func(t *testing.T) { t.Parallel(); attack(newCaller(t, 0)) })
		t.Run("started as a user", func(t *testing.T) { t.Parallel(); attack(newCaller(t, ordinaryUser())) })
		return
	}
	attack(newCaller(t, -1))
}

// ordinaryUser returns a user id that owns nothing, a new one each time if there are enough, so that what the kernel
// counts per user is counted per caller. Between the ids of useradd and the subordinate ids (subuid(5)) some are
// unused.
func ordinaryUser() int {
	const first, last, nobody = 66000, 99999, 65534
	var inside, outside, size int
	text, err := os.ReadFile("/proc/self/uid_map")
	if err == nil {
		_, err = fmt.Sscan(string(text), &inside, &outside, &size)
	}
	if err != nil || inside+size <= last {
		return nobody
	}
	return first + int(callers.Load())%(last-first)
}

func newCaller(t *testing.T, uid int) *caller {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it lays siege to the built program")
	}
	c := &caller{T: t, uid: uid, name: fmt.Sprintf("netnscheck-siege-%d-%d", os.Getpid(), callers.Add(1))}
	c.stage = stage{Binds: map[string]string{}, UID: uid, Umask: 0o022}
	c.dir, c.home = c.folder(inScratch(c.name, "work"), 0o755), c.folder(inScratch(c.name, "home"), 0o755)
	if err := built(); err != nil {
		t.Fatal(err)
	}
	needSandbox(t)
	return c
}

// unable is the exit status of the harness if this host allows no sandbox.
const unable = 3

// refusal returns what the harness prints if it can have no sandbox, "" if it can.
var refusal = sync.OnceValues(func() (string, error) {
	file := inScratch("first.md")
	if err := os.WriteFile(file, []byte(honest), 0o644); err != nil {
		return "", err
	}
	cmd := exec.Command(inScratch("harness"), "run", file, "--driver", "netlink", "--output", inScratch("first"))
	output, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() == unable {
		return string(output), nil
	}
	if err != nil {
		return "", fmt.Errorf("run an honest scenario: %w\n%s", err, output)
	}
	return "", nil
})

// needSandbox skips the test if the host allows no sandbox.
func needSandbox(t *testing.T) {
	t.Helper()
	why, err := refusal()
	if err != nil {
		t.Fatal(err)
	}
	if why != "" {
		sandbox.Lacking(t, why)
	}
}

func (c *caller) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// own gives a file to the caller.
func (c *caller) own(path string) {
	c.Helper()
	if c.uid > 0 {
		c.must(os.Lchown(path, c.uid, c.uid))
	}
}

// folder makes a directory that belongs to the caller, with its parents, and removes it at the end.
func (c *caller) folder(path string, mode os.FileMode) string {
	c.Helper()
	c.must(os.MkdirAll(filepath.Dir(path), 0o755))
	c.must(os.Mkdir(path, mode))
	c.must(os.Chmod(path, mode))
	c.own(path)
	c.Cleanup(func() { os.RemoveAll(path) })
	return path
}

// file writes a file that belongs to the caller.
func (c *caller) file(path, text string, mode os.FileMode) string {
	c.Helper()
	c.must(os.WriteFile(path, []byte(text), mode))
	c.must(os.Chmod(path, mode))
	c.own(path)
	return path
}

// over mounts a directory of the caller's over one of the host, for the harness alone. It returns the directory as the
// test sees it.
func (c *caller) over(target string) string {
	c.Helper()
	source := c.folder(inScratch(c.name, "over"+target), 0o777)
	c.stage.Binds[target] = source
	return source
}

// outcome is everything known about a finished run of the harness.
type outcome struct {
	stdout, stderr string
	status         int
	ended          bool // by itself
	took           time.Duration
	peak           int64        // the most memory that a process of the run had, in bytes; 0 if this one had more
	report         *reports.Run // nil if there is none
	text           string       // everything that it printed and wrote
}

// running is a run of the harness.
type running struct {
	*caller
	cmd            *exec.Cmd
	ctx            context.Context
	stdout, stderr bytes.Buffer
	began          time.Time
	inherited      int64 // the peak of this process when it started the run, in bytes
}

// start starts the harness as the caller. Its output and results go to the caller's directory.
func (c *caller) start(args ...string) *running {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	c.Cleanup(cancel)
	orders, err := json.Marshal(c.stage)
	c.must(err)
	r := &running{caller: c, ctx: ctx, cmd: exec.CommandContext(ctx, "/proc/self/exe")}
	r.cmd.Args = append([]string{stageName, string(orders), cmp.Or(c.program, inScratch("harness"))}, args...)
	r.cmd.Dir = c.dir
	path := append(append(slices.Clone(c.path), inScratch("bin")), filepath.SplitList(os.Getenv("PATH"))...)
	r.cmd.Env = append(os.Environ(), "HOME="+c.home, "PATH="+strings.Join(path, ":"))
	r.cmd.Env = append(r.cmd.Env, c.env...)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.cmd.ExtraFiles = c.files
	r.cmd.WaitDelay = 5 * time.Second // processes that the harness left may hold the pipes open
	r.cmd.SysProcAttr = c.attributes()
	if c.terminal != nil {
		r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = c.terminal, c.terminal, c.terminal
		r.cmd.SysProcAttr.Setsid, r.cmd.SysProcAttr.Setctty = true, true
	}
	// The peak of a process that is started begins with that of this one (exec_mmap() in fs/exec.c).
	c.must(os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
	r.began = time.Now()
	c.must(r.cmd.Start())
	r.inherited = c.peak()
	return r
}

// peak is the most memory that this process has had since it was reset (VmHWM of proc_pid_status(5)), in bytes.
func (c *caller) peak() (most int64) {
	c.Helper()
	text, err := os.ReadFile("/proc/self/status")
	c.must(err)
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	_, err = fmt.Sscanf(rest, "%d kB", &most)
	c.must(err)
	return most << 10
}

// attributes gives the stage what it needs for its mounts: as root a mount namespace; as an ordinary user also a user
// namespace, in which he keeps his id, and the one capability until the harness is executed.
func (c *caller) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{}
	switch {
	case len(c.stage.Binds) == 0:
	case os.Geteuid() == 0:
		a.Unshareflags = unix.CLONE_NEWNS
	default:
		a.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	return a
}

// wait waits for the end of the run and reads its outcome.
func (r *running) wait() *outcome {
	r.Helper()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		r.Fatalf("run %s: %v", strings.Join(r.cmd.Args[2:], " "), err)
	}
	o := &outcome{stdout: r.stdout.String(), stderr: r.stderr.String(), status: r.cmd.ProcessState.ExitCode()}
	o.took, o.ended = time.Since(r.began), r.ctx.Err() == nil
	if o.peak = r.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10; o.peak <= r.inherited {
		o.peak = 0
	}
	if !o.ended {
		r.Errorf("the run did not end within %v", patience)
	}
	o.text = o.stdout + o.stderr
	for _, name := range []string{"junit.xml", "results.json"} {
		text, err := os.ReadFile(filepath.Join(r.dir, "results", name))
		if err != nil {
			r.Errorf("there is no report: %v", err)
		}
		o.text += string(text)
	}
	if o.report, err = reports.ReadJSON(filepath.Join(r.dir, "results", "results.json")); err != nil {
		o.report = nil
		r.Errorf("read the results: %v", err)
	}
	return o
}

// play writes a scenario and runs it, with the driver iproute2 unless the flags name another one.
func (c *caller) play(text string, flags ...string) *outcome {
	c.Helper()
	c.file(filepath.Join(c.dir, "hostile.md"), text, 0o644)
	if !slices.Contains(flags, "--driver") {
		flags = append(flags, "--driver", "iproute2")
	}
	return c.start(append([]string{"run", "hostile.md"}, flags...)...).wait()
}

// hostile returns a scenario whose first step runs the commands, with an honest check.
func hostile(commands ...string) string {
	text := strings.Join(append(commands, "ip netns add proof"), "\n$ ")
	return "# Hostile\n\n## Attack\n\n```console\n$ " + text + "\n```\n\n- [ ] namespace `proof` exists\n"
}

// attackFrom returns the commands that start an attack from the lab's host and from a namespace in the lab.
func attackFrom(words ...string) []string {
	command := attackName + " " + strings.Join(words, " ")
	return []string{"ip netns add ns", command, "ip netns exec ns " + command}
}

// honest is a scenario that passes by itself.
const honest = "# Honest\n\n## Make one\n\n```console\n$ ip netns add proof\n```\n\n- [ ] namespace `proof` exists\n"

// of finds a section by the scenario's id and its title.
func (o *outcome) of(id, title string) *scenario.SectionResult {
	if o.report == nil {
		return nil
	}
	for _, s := range o.report.Suites {
		for i := range s.Cases {
			if s.ID == id && s.Cases[i].Title == title {
				return &s.Cases[i].SectionResult
			}
		}
	}
	return nil
}

// said is what the attack printed.
func (o *outcome) said() string {
	section := o.of("hostile", "Attack")
	if section == nil {
		return ""
	}
	var b strings.Builder
	for _, e := range section.Transcript {
		b.WriteString(e.Output)
	}
	return b.String()
}

// carriedOut asserts that every command of the attack ran to its end, and that none of them reports that it broke
// through.
func (c *caller) carriedOut(o *outcome) {
	c.Helper()
	said := o.said()
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, broke) {
			c.Errorf("the attack says: %s", line)
		}
	}
	section := o.of("hostile", "Attack")
	if section == nil {
		c.Fatalf("there is no result of the attack:\n%s%s", o.stdout, o.stderr)
	}
	for _, e := range section.Transcript {
		if strings.Contains(e.Command, attackName) && !strings.Contains(e.Output, done) {
			c.Errorf("the attack was cut short: $ %s\n%s(status %d) %s", e.Command, e.Output, e.Status, e.Note)
		}
	}
	if !strings.Contains(said, done) {
		c.Errorf("no attack was run:\n%s%s", o.stdout, o.stderr)
	}
}

// intact asserts that no canary was affected.
func (c *caller) intact(o *outcome) {
	c.Helper()
	for _, k := range c.canaries {
		k.check(c.T, o)
	}
	if c.Failed() {
		c.Logf("the attack said:\n%s", o.said())
	}
}

// repelled asserts that the attack was run and had no effect, not even on the verdict about its own scenario.
func (c *caller) repelled(o *outcome) {
	c.Helper()
	c.carriedOut(o)
	c.intact(o)
	c.passed(o, "hostile", "Attack") // its check is honest
}

// passed asserts that a section passed.
func (c *caller) passed(o *outcome, id, title string) {
	c.Helper()
	section := o.of(id, title)
	switch {
	case section == nil:
		c.Errorf("there is no result of %s, %s", id, title)
	case section.Outcome != scenario.Pass:
		c.Errorf("%s, %s ended as %s: %s %+v", id, title, section.Outcome, section.Reason, section.Problems)
	}
}

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

// patience is how long a run may take, whatever its scenarios do: a command has 30 s (program.Limit), the watchdog and
// the clean-up come to that.
const patience = 60 * time.Second

// caller is a user of the machine who starts the harness in a folder of his own, with canaries around him.
type caller struct {
	program string // the harness, if it is not that of all
	*testing.T
	uid  int    // -1: the one who runs the tests
	name string // a word that is found nowhere else on this machine, for what has to have a name outside
	dir  string // the working directory, which belongs to the caller
	home string

	env      []string
	path     []string // folders of PATH before all others
	files    []*os.File
	stage    stage
	terminal *os.File
	canaries []canary
}

// canary is something outside that an attack must not have touched.
type canary interface {
	// check says what the attack has done to it; o is all that came of the run.
	check(t *testing.T, o *outcome)
}

var callers atomic.Int32

// besiege plays an attack with the harness started as root and as an ordinary user; as an ordinary user only the latter
// is possible.
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

// ordinaryUser is a user who owns nothing, and another one each time where there are enough of them: what the kernel
// counts by user is then counted by caller. Between useradd's users and those that are promised to others (subuid(5))
// there are some that nobody has.
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

// unable is the exit status by which the harness says that this machine gives it no sandbox.
const unable = 3

// refusal is what the harness says where it can have no sandbox, "" where it can.
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

// needSandbox skips where the machine allows no sandbox.
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

// folder makes a folder that belongs to the caller, and those above it, and removes it at the end.
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

// over mounts a folder of the caller's over one of the machine, for the harness alone. It returns the folder as the
// test sees it.
func (c *caller) over(target string) string {
	c.Helper()
	source := c.folder(inScratch(c.name, "over"+target), 0o777)
	c.stage.Binds[target] = source
	return source
}

// outcome is all that came of a run of the harness.
type outcome struct {
	stdout, stderr string
	status         int
	ended          bool // by itself
	took           time.Duration
	peak           int64        // the most memory that a process of the run had, in bytes
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
}

// start starts the harness as the caller does. Its words and results are in his folder.
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
	r.cmd.WaitDelay = 5 * time.Second // what the harness left behind may hold the pipes
	r.cmd.SysProcAttr = c.attributes()
	if c.terminal != nil {
		r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = c.terminal, c.terminal, c.terminal
		r.cmd.SysProcAttr.Setsid, r.cmd.SysProcAttr.Setctty = true, true
	}
	r.began = time.Now()
	c.must(r.cmd.Start())
	return r
}

// attributes give the stage what it needs for its mounts: as root a mount namespace, as an ordinary user a user
// namespace too, in which he keeps his id, and the one capability until the harness is executed.
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

// wait waits for the end of the run, and reads what came of it.
func (r *running) wait() *outcome {
	r.Helper()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		r.Fatalf("run %s: %v", strings.Join(r.cmd.Args[2:], " "), err)
	}
	o := &outcome{stdout: r.stdout.String(), stderr: r.stderr.String(), status: r.cmd.ProcessState.ExitCode()}
	o.took, o.ended = time.Since(r.began), r.ctx.Err() == nil
	o.peak = r.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
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

// play writes a scenario, and runs it with the driver iproute2 unless the flags say another.
func (c *caller) play(text string, flags ...string) *outcome {
	c.Helper()
	c.file(filepath.Join(c.dir, "hostile.md"), text, 0o644)
	if !slices.Contains(flags, "--driver") {
		flags = append(flags, "--driver", "iproute2")
	}
	return c.start(append([]string{"run", "hostile.md"}, flags...)...).wait()
}

// hostile is a scenario whose first step carries the commands out, and whose check is honest.
func hostile(commands ...string) string {
	text := strings.Join(append(commands, "ip netns add proof"), "\n$ ")
	return "# Hostile\n\n## Attack\n\n```console\n$ " + text + "\n```\n\n- [ ] namespace `proof` exists\n"
}

// attackFrom are the commands by which the attacker goes one of his ways from the host of the lab and from a namespace
// in it.
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

// carriedOut asserts that every command of the attack came to its end, and that none of them says that it broke
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
		c.Errorf("no attack was carried out:\n%s%s", o.stdout, o.stderr)
	}
}

// intact asserts that no canary knows of the attack.
func (c *caller) intact(o *outcome) {
	c.Helper()
	for _, k := range c.canaries {
		k.check(c.T, o)
	}
	if c.Failed() {
		c.Logf("the attack said:\n%s", o.said())
	}
}

// repelled asserts that the attack was carried out and did nothing, not even to the verdict about its own scenario.
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

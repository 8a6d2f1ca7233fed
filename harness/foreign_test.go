package main_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

// foreign is a scenario that names namespaces that it did not make: that of the process %[1]s and, by %[2]s, the
// host's. It also starts a program, %[3]s, that leaves its environment, session and parents, in the namespace of
// another name and in the host's.
const foreign = `# Names for the namespaces of others

## Give them names
` + "```console\n" + `$ ip netns add testns
$ ip netns attach other %[1]s
$ ip netns attach machine %[2]s
$ touch /run/netns/bound
$ mount --bind /proc/%[1]s/ns/net /run/netns/bound
$ mount --bind /proc/%[1]s/ns/net /run/netns/other
$ ip netns exec other setsid sh -c 'env -i %[3]s >/dev/null 2>&1 &'
$ ip netns exec machine setsid sh -c 'env -i %[3]s >/dev/null 2>&1 &'
` + "```\n" + `
- [ ] namespace ` + "`other`" + ` exists
- [ ] namespace ` + "`machine`" + ` exists
- [ ] namespace ` + "`bound`" + ` exists

## Go on
` + "```console\n$ ping -c %[4]s 127.0.0.1\n$ ip netns add prodns\n```\n" + `
- [ ] namespace ` + "`prodns`" + ` exists
`

// TestNothingForeignIsEnded runs it with --sandbox=off, in a network namespace that stands for the machine's and with
// an empty /run. However the run ends, the processes that it started end with it, and no others.
func TestNothingForeignIsEnded(t *testing.T) {
	sleep, setsid := installed(t, "sleep"), installed(t, "setsid")
	for _, name := range []string{"ip", "ping", "mount", "nsenter", "unshare"} {
		installed(t, name)
	}
	for name, c := range map[string]struct {
		pings  string
		during func(t *testing.T, cmd *exec.Cmd) // when the first step has passed
		status int
	}{
		"to its end":  {"4", func(*testing.T, *exec.Cmd) {}, 0},
		"interrupted": {"60", func(_ *testing.T, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGINT) }, 5},
		"its worker killed": {"60", func(t *testing.T, cmd *exec.Cmd) {
			for _, keeper := range childrenOf(t, cmd.Process.Pid) {
				for _, worker := range childrenOf(t, keeper) {
					if isHarness(worker) {
						syscall.Kill(worker, syscall.SIGKILL)
					}
				}
			}
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			there := ownMachine(t)
			seconds := strconv.Itoa(1e6 + len(name)) // nobody else sleeps so long
			lost := setsid + " " + sleep + " " + seconds
			t.Cleanup(func() {
				for _, pid := range sleepersOf(lost) {
					syscall.Kill(pid, syscall.SIGKILL)
				}
			})
			inOther := startThere(t, there, "unshare", "--net", sleep, "4732")
			entered := "--net=/proc/" + strconv.Itoa(inOther) + "/ns/net"
			bystanders := map[string]int{
				"in the attached namespace":   inOther,
				"in the machine's namespace":  startThere(t, there, sleep, "4732"),
				"with a mark of another lab":  startThere(t, there, "env", "NETNSCHECK_LAB=zzzzzz", sleep, "4732"),
				"in the attached one, beside": startThere(t, there, "nsenter", entered, sleep, "4732"),
			}
			machine := bystanders["in the machine's namespace"]
			lesson := fmt.Sprintf(foreign, strconv.Itoa(inOther), strconv.Itoa(machine), lost, c.pings)
			dir := write(t, map[string]string{"foreign.md": lesson})
			cmd := command(t, dir)
			there(cmd, "run", "foreign.md", "--driver", "iproute2", "--sandbox", "off")
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Kill() })
			var said strings.Builder
			for lines := bufio.NewScanner(stdout); lines.Scan(); {
				line := lines.Text()
				said.WriteString(line + "\n")
				if strings.HasPrefix(line, "pass") && strings.Contains(line, "Give them names") {
					if !eventually(patience, func() bool { return len(sleepersOf(lost)) == 2 }) {
						t.Error("the scenario's programs that lose everything do not both run: the test shows nothing")
					}
					c.during(t, cmd)
				}
			}
			cmd.Wait()
			if status := cmd.ProcessState.ExitCode(); status != c.status {
				t.Errorf("status %d, want %d:\n%s", status, c.status, said.String())
			}
			for who, pid := range bystanders {
				if !alive(pid) {
					t.Errorf("the bystander %s was ended", who)
				}
			}
			if pids := sleepersOf(lost); len(pids) > 0 {
				t.Errorf("programs of the scenario live on: %v", pids)
			}
			left := command(t, dir)
			there(left, "clean")
			finish(t, left).want(t, 0, "nothing is left behind")
			names := exec.Command("ls", "-A", "/run")
			names.Path, names.Dir = installed(t, "ls"), dir
			there(names, names.Args[1:]...)
			if out, err := names.Output(); err != nil || strings.Contains(string(out), "netns") {
				t.Errorf("left in /run: %q, %v", out, err)
			}
		})
	}
}

func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		sandbox.Lacking(t, err)
	}
	return path
}

// ownMachine is ownRun with a new network namespace, too.
func ownMachine(t *testing.T) func(cmd *exec.Cmd, args ...string) {
	t.Helper()
	return ownNamespaces(t, "--mount", "--net")
}

// startThere starts a process outside any run and waits until it has executed its program.
func startThere(t *testing.T, there func(*exec.Cmd, ...string), argv ...string) int {
	t.Helper()
	cmd := exec.Command(installed(t, argv[0]))
	cmd.Dir = "/"
	there(cmd, argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	last := strings.Join(argv[len(argv)-2:], "\x00") + "\x00"
	if !eventually(patience, func() bool {
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "cmdline"))
		return err == nil && string(line) == last
	}) {
		t.Fatalf("%q does not come to run", argv)
	}
	return cmd.Process.Pid
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func isHarness(pid int) bool {
	exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	return err == nil && strings.HasPrefix(filepath.Base(exe), "harness")
}

// sleepersOf are the processes whose command line ends with the last two words of command.
func sleepersOf(command string) (pids []int) {
	words := strings.Fields(command)
	end := strings.Join(words[len(words)-2:], "\x00") + "\x00"
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && string(text) == end {
			pids = append(pids, pid)
		}
	}
	return pids
}

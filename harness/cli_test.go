package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/reports"
)

// Scenarios for the tests of the command line. They need nothing but network namespaces.
const (
	good = `# Two namespaces

## Make one
` + "```console\n$ ip netns add testns\n```\n" + `
- [ ] namespace ` + "`testns`" + ` exists

### Mistake: a second one of this name
` + "```console\n$ ip netns add testns\n$ ip netns add testns\n[!]\n```\n" + `
- [ ] namespace ` + "`testns`" + ` exists

` + "```console fix\n$ ip netns list\n```\n" + `
## Make another
` + "```console\n$ ip netns add prodns\n```\n" + `
- [ ] namespace ` + "`prodns`" + ` exists
`
	red = `# A claim that does not come true

## Claim it
` + "```console\n$ ip netns add testns\n```\n" + `
- [ ] namespace ` + "`prodns`" + ` exists within ` + "`50ms`" + `

## Needs it
` + "```console\n$ ip netns add other\n```\n" + `
- [ ] namespace ` + "`other`" + ` exists
`
	slow = `# A ping that takes its time

## Make one
` + "```console\n$ ip netns add testns\n```\n" + `
- [ ] namespace ` + "`testns`" + ` exists

## Wait for minutes
` + "```console\n$ ip netns add prodns\n$ ping -c 600 127.0.0.1\n```\n" + `
- [ ] namespace ` + "`prodns`" + ` exists

## Never
` + "```console\n$ ip netns add never\n```\n" + `
- [ ] namespace ` + "`never`" + ` exists
`
)

func TestUnreadableFile(t *testing.T) {
	dir := write(t, map[string]string{"secret.md": good})
	cmd := command(t, dir, "run", "secret.md")
	if os.Geteuid() == 0 {
		asNobody(t, cmd)
	}
	if err := os.Chmod(filepath.Join(dir, "secret.md"), 0); err != nil {
		t.Fatal(err)
	}
	finish(t, cmd).want(t, 2, "read secret.md: permission denied")
}

// needSandbox skips the test if the machine allows no sandbox and the caller is not root.
func needSandbox(t testing.TB) {
	t.Helper()
	if !sandboxPossible(t) {
		t.Skip("no labs are possible here")
	}
}

// doctor is what harness doctor said, when the first test asked it.
var doctor struct {
	sync.Mutex
	said *call
}

// sandboxPossible reports whether labs are possible; it fails the test if they are required and impossible.
func sandboxPossible(t testing.TB) bool {
	t.Helper()
	doctor.Lock()
	defer doctor.Unlock()
	if doctor.said == nil {
		c := harness(t, t.TempDir(), "doctor")
		doctor.said = &c
	}
	c := doctor.said
	if c.status == 3 && os.Getenv("NETNSCHECK_REQUIRE") != "1" {
		t.Logf("no labs are possible here:\n%s%s", c.stdout, c.stderr)
		return false
	}
	return true
}

func TestPassed(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good})
	harness(t, dir, "run", "good.md", "--driver", "netlink").want(t, 0,
		"pass     good  netlink   Make one  (", "Make one / Mistake: a second one of this name", "3 cases: 3 passed",
		"reports: results/junit.xml, results/results.json")
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Count(); c.Pass != 3 || c.Total() != 3 {
		t.Errorf("counts %+v", c)
	}
	facts := map[string]string{}
	for _, p := range r.Properties {
		facts[p.Name] = p.Value
	}
	for _, name := range []string{"kernel", "architecture", "iproute2", "busybox", "seed", "sandbox", "privilege"} {
		if facts[name] == "" {
			t.Errorf("the report does not tell %s", name)
		}
	}
	validJUnit(t, filepath.Join(dir, "results", "junit.xml"))
}

func TestFailed(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"red.md": red, "good.md": good})
	c := harness(t, dir, "run", "red.md", "good.md", "--driver", "netlink", "--junit", "deep/er/out.xml")
	c.want(t, 1, "What did not pass:", "red.md:8", "found:", "$ ip netns add testns", "blocked  red",
		"pass     good", "1 failed", "1 blocked", "deep/er/out.xml")
	validJUnit(t, filepath.Join(dir, "deep", "er", "out.xml"))
	text, _ := os.ReadFile(filepath.Join(dir, "deep", "er", "out.xml"))
	if !strings.Contains(string(text), `<skipped message="blocked: `) {
		t.Errorf("the blocked case is not in the report:\n%s", text)
	}
}

// TestSeed: the same seed gives the same order, and the order of the results follows it.
func TestSeed(t *testing.T) {
	needSandbox(t)
	t.Parallel()
	files := map[string]string{}
	for _, name := range []string{"a.md", "b.md", "c.md", "d.md", "e.md", "f.md"} {
		files[name] = red[:strings.Index(red, "## Needs")]
	}
	dir := write(t, files)
	order := func(args ...string) string {
		harness(t, dir, append([]string{"run", ".", "--driver", "netlink"}, args...)...)
		r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
		if err != nil {
			t.Fatal(err)
		}
		ids := ""
		for _, s := range r.Suites {
			ids += s.ID
		}
		return ids
	}
	if got := order(); got != "abcdef" {
		t.Errorf("without a seed: %s", got)
	}
	first := order("--seed", "7")
	if first == "abcdef" || first != order("--seed", "7", "--procs", "3") {
		t.Errorf("--seed 7 gives %s and %s", first, order("--seed", "7", "--procs", "3"))
	}
	harness(t, dir, "run", ".", "--seed", "7", "--driver", "netlink").want(t, 1, "--seed 7")
}

func TestListShowVersionCompletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := harness(t, dir, "list", "--json")
	c.want(t, 0)
	var listed struct {
		Scenarios []struct{ ID, Title, File string }
	}
	if err := json.Unmarshal([]byte(c.stdout), &listed); err != nil || len(listed.Scenarios) == 0 {
		t.Fatalf("%v: %s", err, c.stdout)
	}
	harness(t, dir, "list").want(t, 0, "LEVEL", "veth-pair")
	for i, s := range listed.Scenarios {
		if s.ID == "suites" || i%10 != 0 { // the suites are written in Go
			continue
		}
		path, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(s.File)))
		if err != nil {
			t.Fatal(err)
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if shown := harness(t, dir, "show", "--solution", s.ID); shown.status != 0 || shown.stdout != string(source) {
			t.Errorf("show %s is not the file %s", s.ID, s.File)
		}
		if shown := harness(t, dir, "show", "--solution", path); shown.stdout != string(source) {
			t.Errorf("show FILE is not the file %s", s.File)
		}
	}
	harness(t, dir, "version").want(t, 0, "netnscheck ")
	harness(t, dir, "completion", "bash").want(t, 0, "__harness_")
	harness(t, dir, "__complete", "run", "veth").want(t, 0, "veth-pair")
	harness(t, dir, "--help").want(t, 0, "--label-filter", "Exit status", "doctor")
}

func TestDoctor(t *testing.T) {
	c := harness(t, t.TempDir(), "doctor")
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	c.want(t, c.status, strings.TrimSpace(string(release)), "sandbox", "PROGRAM", "nsenter")
	if c.status != 0 && c.status != 3 {
		t.Errorf("status %d", c.status)
	}
	if c.status == 0 {
		c.want(t, 0, "FEATURE", "veth")
	}
}

// TestUserNamespacesForbidden forbids them for real, in a user namespace of its own.
func TestUserNamespacesForbidden(t *testing.T) {
	dir := write(t, map[string]string{"good.md": good})
	forbid := "echo 0 > /proc/sys/user/max_user_namespaces"
	ordinary := []string{"-U", "--map-user=1000", "--keep-caps"}
	for _, mode := range []string{"on", "auto"} {
		unshared(t, dir, ordinary, forbid, "run", "good.md", "--sandbox", mode).
			want(t, 3, "user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces")
	}
	unshared(t, dir, ordinary, forbid, "run", "good.md", "--sandbox", "off").want(t, 3, "only root may")
	unshared(t, dir, ordinary, forbid, "doctor").want(t, 3, "sandbox", "impossible", "user.max_user_namespaces is 0")
	if _, err := os.Stat(filepath.Join(dir, "results")); !os.IsNotExist(err) {
		t.Errorf("the folder results is there: %v", err)
	}
}

// TestWithoutIP hides every program called ip: the netlink driver still runs all it can.
func TestWithoutIP(t *testing.T) {
	asRoot := ownMounts()
	dir := write(t, map[string]string{"good.md": good})
	hide := "for f in /usr/local/sbin/ip /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip; do [ ! -e $f ] || mount --bind " +
		"/dev/null $f; done"
	unshared(t, dir, asRoot, hide, "run", "good.md", "--driver", "iproute2").want(t, 3, "use the driver iproute2",
		"install")
	unshared(t, dir, asRoot, hide, "doctor").want(t, 0, "ip       absent", "iproute2")
	c := unshared(t, dir, asRoot, hide, "run", "good.md")
	c.want(t, 0, "pass     good  netlink",
		"left out:\n  3 cases of the driver iproute2: the program ip is not installed (package ")
	if strings.Contains(c.stdout, "pass     good  iproute2") {
		t.Errorf("the driver iproute2 was played without ip:\n%s", c.stdout)
	}
}

const hideBusybox = `for f in /usr/local/sbin /usr/local/bin /usr/sbin /sbin /usr/bin /bin; do
[ ! -e $f/busybox ] || mount --bind /dev/null $f/busybox; done`

// TestWithoutBusybox hides every busybox: --driver busybox names the package to install, other runs leave the driver
// out.
func TestWithoutBusybox(t *testing.T) {
	asRoot := ownMounts()
	dir := write(t, map[string]string{"good.md": good})
	unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--driver", "busybox").
		want(t, 3, "use the driver busybox", "(package busybox)", "--driver netlink")
	unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--label-filter", "busybox").
		want(t, 3, "nothing could be run here", "3 cases of the driver busybox: the program busybox is not installed")
	c := unshared(t, dir, asRoot, hideBusybox, "run", "good.md")
	c.want(t, 0, "pass     good  netlink", "left out:\n", "9 cases: 6 passed, 3 skipped",
		"skip     good  busybox   3 cases: the program busybox is not installed (package busybox)\n",
		"  3 cases of the driver busybox: the program busybox is not installed (package busybox)\n")
	if strings.Contains(c.stdout, "pass     good  busybox") {
		t.Errorf("the driver busybox was played without busybox:\n%s", c.stdout)
	}
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	last := r.Suites[len(r.Suites)-1]
	if n := last.Count(); last.Name() != "good.busybox" || n.Skip != 3 || n.Total() != 3 ||
		last.Cases[0].Reason != "the program busybox is not installed (package busybox)" {
		t.Errorf("the last suite is %+v", last)
	}
	const says = "play what --require wants: the driver busybox: the program busybox is not installed (package busybox)"
	for _, word := range []string{"busybox", "all", "good"} {
		unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--require", word).want(t, 3, says)
		unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--require", word, "--exit-codes", "kselftest").
			want(t, 1, says)
	}
	unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--require", "netlink,veth").want(t, 0, "3 skipped")
	unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--max-skips", "3").want(t, 0, "3 skipped")
	unshared(t, dir, asRoot, hideBusybox, "run", "good.md", "--max-skips", "2").
		want(t, 3, "error    --max-skips 2: 3 cases were skipped")
}

// ownMounts are the flags of unshare(1) for a new mount namespace. An ordinary user needs a user namespace for it, too;
// for root that one would lack an unprivileged user id, without which there is no sandbox.
func ownMounts() []string {
	if os.Geteuid() == 0 {
		return []string{"-m"}
	}
	return []string{"-Urm"}
}

// unshared runs the harness in namespaces that unshare(1) makes and a shell script prepares. Nothing that the script
// started in the background outlives the call: it is in the process group of the call.
func unshared(t *testing.T, dir string, flags []string, prepare string, args ...string) call {
	t.Helper()
	needSandbox(t)
	needPrograms(t, "unshare", "sh", "-ec", prepare)
	path, err := program.LookPath("unshare")
	if err == nil {
		err = exec.Command(path, append(flags, "true")...).Run()
	}
	if err != nil {
		sandbox.Lacking(t, fmt.Sprintf("unshare %s: %v", strings.Join(flags, " "), err))
	}
	cmd := command(t, dir)
	shell := []string{"sh", "-ec", prepare + "\nexec \"$0\" \"$@\"", cmd.Path}
	cmd.Path, cmd.Args = path, append(append(append([]string{"unshare"}, flags...), shell...), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	defer func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // ESRCH: nothing is left
		}
	}()
	return finish(t, cmd)
}

// TestDemandsOfGuests: what is demanded of the guests is judged by what each of them plays, before any is fetched; the
// suites written in Go are chosen, too.
func TestDemandsOfGuests(t *testing.T) {
	dir := t.TempDir()
	harness(t, dir, "vm", "--kernel", "5.10,6.1", "--require", "netlnk").want(t, 2,
		`plan the guest 5.10: --require "netlnk": it is no driver, feature or chosen scenario, did you mean netlink?`)
	harness(t, dir, "vm", "--kernel", "5.10", "--driver", "netlink", "--require", "busybox").want(t, 2,
		"plan the guest 5.10: --require busybox: nothing that is chosen is played with this driver")
}

// TestFullCache: a full disk is told, and once, although apt-get waits for ever then, and says nothing.
func TestFullCache(t *testing.T) {
	for _, name := range []string{"qemu-system-x86_64", "apt-config", "chmod", "dd", "mkdir", "mount", "sleep"} {
		needPrograms(t, name)
	}
	prepare := `mount -t tmpfs -o size=1m cache /mnt; mkdir /mnt/bin
export XDG_CACHE_HOME=/mnt/cache PATH=/mnt/bin:$PATH
printf '#!/bin/sh\ndd if=/dev/zero of=/mnt/more 2>/dev/null; exec sleep 1000\n' >/mnt/bin/apt-get
chmod +x /mnt/bin/apt-get`
	c := unshared(t, t.TempDir(), ownMounts(), prepare, "vm", "--kernel", "6.1", "veth-pair")
	c.want(t, 3, "")
	if strings.Count(c.stderr, "no space left on device: `harness vm prune` frees what was not used lately") != 1 {
		t.Errorf("it says %q", c.stderr)
	}
}

// validJUnit checks a report against the schema if a validator is installed.
func validJUnit(t *testing.T, path string) {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("NETNSCHECK_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Logf("not validated: %v", err)
		return
	}
	schema := filepath.Join("..", "reports", "testdata", "jenkins-junit.xsd")
	if output, err := exec.Command("xmllint", "--noout", "--nonet", "--schema", schema,
		path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// TestLeftOut: the console and the reports list what was left out because of which missing program.
func TestLeftOut(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"lacks.md": `# What no machine has

## One
` + "```console\n$ ip netns add testns\n```\n" + `
- [ ] namespace ` + "`testns`" + ` exists

## Two
` + "```console\n$ ip netns exec testns sh -c 'no-such-program | sort'\n```\n" + `
- [x] namespace ` + "`testns`" + ` exists

## Three
` + "```console\n$ ip netns exec testns nor-this\n```\n" + `
- [x] namespace ` + "`testns`" + ` exists
`})
	harness(t, dir, "run", "lacks.md", "--driver", "netlink", "-q").want(t, 0, "3 cases: 1 passed, 2 skipped in ", `
left out:
  2 cases: the program no-such-program is not installed
  1 case: the program nor-this is not installed
`)
	harness(t, dir, "scenario", "check", "lacks.md").want(t, 0, "the program nor-this is not installed\n")
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.LeftOut) != 2 || r.LeftOut[0].Program != "no-such-program" || r.LeftOut[0].Cases != 2 || r.Install != "" {
		t.Errorf("left out %+v, to be installed by %q", r.LeftOut, r.Install)
	}
	junit, err := os.ReadFile(filepath.Join(dir, "results", "junit.xml"))
	const property = `name="left out" value="2 cases: the program no-such-program is not installed; 1 case: `
	if err != nil || !strings.Contains(string(junit), property) {
		t.Errorf("%v\n%s", err, junit)
	}
}

// TestNowhereToWrite: in a read-only folder, without a home or a folder for temporary files, the harness runs if its
// reports go elsewhere; otherwise it says in one line what to do, before anything runs.
func TestNowhereToWrite(t *testing.T) {
	dir := write(t, map[string]string{"good.md": good})
	prepare := `mount -t tmpfs reports /mnt
for d in "$PWD" /tmp /var/tmp /dev/shm; do mount --bind "$d" "$d"; mount -o remount,bind,ro "$d"; done
cd "$PWD"; unset HOME
for f in x /tmp/x "${0%/*}/x"; do if touch "$f" 2>/dev/null; then echo "$f can be written"; exit 9; fi; done`
	run := func(args ...string) call {
		args = append([]string{"run", "good.md", "--driver", "netlink"}, args...)
		return unshared(t, dir, ownMounts(), prepare, args...)
	}
	run("--output", "/mnt/results").want(t, 0, "3 cases: 3 passed", "reports: /mnt/results/junit.xml")
	c := run()
	c.want(t, 2, "harness: make the output folder results: read-only file system; --output")
	if strings.Count(c.stderr, "\n") != 1 || c.stdout != "" {
		t.Errorf("it says more than one line: %q, %q", c.stdout, c.stderr)
	}
}

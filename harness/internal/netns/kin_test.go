package netns

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A worker in these tests is another process with shared labs, whose descendants were all started by it. It reads one
// request per line from its standard input: {"lab": which, "script": what a program of the lab does, in sh}; without a
// script the lab is closed. It answers with one line: the output, or the error.
type workerOrder struct {
	Lab    string `json:"lab"`
	Script string `json:"script"`
}

type workerAnswer struct {
	ID     string `json:"id"`
	Output string `json:"output"`
	Error  string `json:"error"`
}

// beWorker is the worker's side. In the scripts, $ID is the id of the lab.
func beWorker() int {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	labs := map[string]*World{}
	orders, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var o workerOrder
		if err := orders.Decode(&o); err != nil {
			return 0
		}
		a, err := obeyOrder(labs, o)
		if err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return 1
		}
	}
}

func obeyOrder(labs map[string]*World, o workerOrder) (a workerAnswer, err error) {
	w := labs[o.Lab]
	if w == nil {
		if w, err = New(Options{Shared: true, Ancestor: os.Getpid()}); err != nil {
			return a, err
		}
		labs[o.Lab] = w
	}
	a.ID = w.ID()
	if o.Script == "" {
		return a, w.Close()
	}
	if o.Script == everything {
		return a, endDescendants()
	}
	read, write, err := os.Pipe()
	if err != nil {
		return a, err
	}
	defer read.Close()
	p := command("sh", "-ec", o.Script)
	p.Env, p.Output = append(p.Env, "ID="+w.ID()), write
	running, err := w.Start(p)
	write.Close()
	if err != nil {
		return a, err
	}
	status, err := running.Wait()
	if err == nil && status != 0 {
		err = fmt.Errorf("it ended with status %d", status.ExitStatus())
	}
	if err := unix.SetNonblock(int(read.Fd()), true); err != nil { // what it left may hold the other end
		return a, err
	}
	text := make([]byte, 1<<16)
	if n, _ := unix.Read(int(read.Fd()), text); n > 0 {
		a.Output = string(text[:n])
	}
	return a, errors.Join(err, w.Adopt())
}

// testWorker is a worker as the test sees it.
type testWorker struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

func startWorker(t *testing.T) *testWorker {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"=worker")
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &testWorker{t, in, bufio.NewReader(out), cmd}
}

// do runs a script in a program of the lab, which must succeed, and returns its output and the lab's id.
func (w *testWorker) do(lab, script string) (output, id string) {
	w.t.Helper()
	if err := json.NewEncoder(w.in).Encode(workerOrder{lab, script}); err != nil {
		w.t.Fatal(err)
	}
	line, err := w.out.ReadBytes('\n')
	var a workerAnswer
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil || a.Error != "" {
		w.t.Fatalf("%s: %v %s\n%s", script, err, a.Error, a.Output)
	}
	return a.Output, a.ID
}

func (w *testWorker) closeLab(lab string) { w.t.Helper(); w.do(lab, "") }

// bystander starts a process that belongs to no lab, a child of this test.
func bystander(t *testing.T, attr *syscall.SysProcAttr, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(lookPath("sleep"), "4720")
	cmd.SysProcAttr = attr
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// lost returns the command line of a program that has lost its environment, its session and its parents when the
// command line ends. Its number of seconds identifies it. in may put it into another namespace.
func lost(in, seconds string) string {
	setsid, sleep := lookPath("setsid"), lookPath("sleep")
	return fmt.Sprintf("%s setsid sh -c 'env -i %s %s %s >/dev/null 2>&1 &'\n", in, setsid, sleep, seconds)
}

// sleepersOf returns the ids of the processes that sleep so many seconds.
func sleepersOf(t *testing.T, seconds string) []int {
	t.Helper()
	pids, err := processes(func(pid int) bool {
		return strings.HasSuffix(commandLine(pid), "sleep "+seconds)
	}, patience)
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

// awaitSleepers waits until a given number of processes sleep so many seconds.
func awaitSleepers(t *testing.T, seconds string, want int) []int {
	t.Helper()
	var pids []int
	if err := await(patience, func() error {
		if pids = sleepersOf(t, seconds); len(pids) != want {
			return fmt.Errorf("%d processes sleep %s seconds, want %d", len(pids), seconds, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return pids
}

// TestBystandersLive puts other people's processes wherever a program of a lab can lead the lab to, next to programs of
// the lab that are identified by their descent alone. When the lab is closed, these end and the bystanders live.
func TestBystandersLive(t *testing.T) {
	for _, program := range []string{"ip", "sleep", "setsid", "mount"} {
		need(t, program)
	}
	machinesNamesDir(t)
	newNet := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Setsid: true}
	others := map[string]*exec.Cmd{
		"in the attached namespace":                      bystander(t, newNet),
		"in a namespace bound by a mount":                bystander(t, newNet),
		"in one that is named twice":                     bystander(t, newNet),
		"in one that has a name here":                    bystander(t, newNet),
		"with the mark of another lab":                   bystander(t, newNet, tag+"=zzzzzz"),
		"in the machine's namespace":                     bystander(t, nil),
		"in the machine's namespace and its own session": bystander(t, &syscall.SysProcAttr{Setsid: true}),
	}
	pid := func(who string) string { return strconv.Itoa(others[who].Process.Pid) }
	attach := exec.Command("ip", "netns", "attach", "theirs", pid("in one that has a name here"))
	if out, err := attach.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defer unmountName(filepath.Join(namesDir, "theirs"))

	w := startWorker(t)
	inside := func(name string) string { return "ip netns exec " + name + "-$ID" }
	_, id := w.do("", `
		ip netns add testns-$ID
		ip netns attach attached-$ID `+pid("in the attached namespace")+`
		touch /run/netns/bound-$ID
		mount --bind /proc/`+pid("in a namespace bound by a mount")+`/ns/net /run/netns/bound-$ID
		ip netns attach once-$ID `+pid("in one that is named twice")+`
		ip netns attach twice-$ID `+pid("in one that is named twice")+`
		ip netns attach marked-$ID `+pid("with the mark of another lab")+`
		ip netns attach machine-$ID `+strconv.Itoa(os.Getpid())+`
		touch /run/netns/found-$ID
		mount --bind /run/netns/theirs /run/netns/found-$ID
	`)
	others["in a namespace of the lab"] = bystanderIn(t, "testns-"+id)
	others["in the host of the lab"] = bystanderIn(t, "host-"+id)
	w.do("", lost("", "4721")+lost(inside("testns"), "4721")+lost(inside("attached"), "4721")+
		lost(inside("bound"), "4721")+lost(inside("found"), "4721"))
	awaitSleepers(t, "4721", 5)

	w.closeLab("")
	if pids := sleepersOf(t, "4721"); len(pids) > 0 {
		t.Errorf("programs of the lab live on: %v", pids)
	}
	for _, who := range slices.Sorted(maps.Keys(others)) {
		if p, err := readProcess(others[who].Process.Pid); err != nil || p.ended() {
			t.Errorf("the bystander %s was ended: %v", who, err)
		}
	}
	if got := entries(t, namesDir); !slices.Equal(got, []string{"theirs"}) {
		t.Errorf("names after the end: %q", got)
	}
	inode, _ := namespaceOf(others["in one that has a name here"].Process.Pid, "net")
	if inode != namespaceNumber(t, "theirs") {
		t.Error("the name theirs does not lead to its namespace any more")
	}
}

// bystanderIn starts a bystander in a named namespace.
func bystanderIn(t *testing.T, real string) (cmd *exec.Cmd) {
	t.Helper()
	h, err := OfName(real)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.Do(func() error { cmd = bystander(t, &syscall.SysProcAttr{Setsid: true}); return nil })
	return cmd
}

// TestOneLabOfSeveral closes one of two labs of a worker: no program of the other lab ends, even without its mark.
func TestOneLabOfSeveral(t *testing.T) {
	for _, program := range []string{"ip", "sleep", "setsid"} {
		need(t, program)
	}
	w := startWorker(t)
	for lab, seconds := range map[string]string{"steps": "4722", "mistake": "4723"} {
		w.do(lab, "ip netns add testns-$ID\nsleep "+seconds+" >/dev/null 2>&1 &\n"+
			lost("", seconds)+lost("ip netns exec testns-$ID", seconds))
	}
	steps := awaitSleepers(t, "4722", 3)
	awaitSleepers(t, "4723", 3)
	w.closeLab("mistake")
	if pids := sleepersOf(t, "4722"); !slices.Equal(pids, steps) {
		t.Errorf("of the other lab's programs %v there are %v", steps, pids)
	}
	if pids := sleepersOf(t, "4723"); len(pids) > 0 {
		t.Errorf("left of the lab that is closed: %v", pids)
	}
	w.closeLab("steps")
	if pids := sleepersOf(t, "4722"); len(pids) > 0 {
		t.Errorf("left of the lab that was closed last: %v", pids)
	}
}

// TestMarkIsEnoughForClean: after a worker was killed, processes with the lab's mark and their descendants are killed
// wherever they are. A bystander in a namespace of the lab is not.
func TestMarkIsEnoughForClean(t *testing.T) {
	for _, program := range []string{"ip", "sleep", "setsid", "nsenter"} {
		need(t, program)
	}
	w := startWorker(t)
	elsewhere := bystander(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
	_, id := w.do("", "ip netns add testns-$ID\n"+
		// One in somebody else's namespace, whose child has lost the mark.
		"nsenter --net=/proc/"+strconv.Itoa(elsewhere.Process.Pid)+"/ns/net "+
		"setsid sh -c 'env -i "+lookPath("sleep")+" 4724; :' >/dev/null 2>&1 &")
	awaitSleepers(t, "4724", 1)
	others := []*exec.Cmd{elsewhere, bystanderIn(t, "testns-"+id), bystander(t, nil, tag+"=zzzzzz")}
	kill(t, w.cmd)
	if err := leftover(t).Remove(); err != nil {
		t.Error(err)
	}
	none(t)
	if pids := sleepersOf(t, "4724"); len(pids) > 0 {
		t.Errorf("left: %v", pids)
	}
	for _, other := range others {
		if p, err := readProcess(other.Process.Pid); err != nil || p.ended() {
			t.Errorf("a bystander was ended: %v", err)
		}
	}
}

// TestEndDescendants: descendants are killed whatever they have lost and however often they fork meanwhile.
func TestEndDescendants(t *testing.T) {
	for _, program := range []string{"setsid", "sleep", "seq"} {
		need(t, program)
	}
	before := countProcesses(t)
	storm := func(pid int) bool { return strings.Contains(commandLine(pid), "sleep 4726") }
	t.Cleanup(func() { endProcesses(storm, patience) })
	w := startWorker(t)
	other := bystander(t, &syscall.SysProcAttr{Setsid: true})
	// This one forks all the time; each child is an orphan in a session of its own.
	w.do("", lost("", "4725")+
		"setsid sh -c 'for i in $(seq 400); do setsid -f env -i "+lookPath("sleep")+" 4726; done' >/dev/null 2>&1 &")
	awaitProcesses(t, "20 orphans more", func(count int) bool { return count >= before+20 })
	w.do("", everything)
	w.closeLab("")
	for _, seconds := range []string{"4725", "4726"} {
		if pids := sleepersOf(t, seconds); len(pids) > 0 {
			t.Errorf("%d processes are left that sleep %s seconds", len(pids), seconds)
		}
	}
	if p, err := readProcess(other.Process.Pid); err != nil || p.ended() {
		t.Errorf("a bystander was ended: %v", err)
	}
	kill(t, w.cmd) // it has reaped nobody
	awaitProcesses(t, "none more than the bystander", func(count int) bool { return count <= before+1 })
}

func countProcesses(t *testing.T) int {
	t.Helper()
	pids, err := listProcesses()
	if err != nil {
		t.Fatal(err)
	}
	return len(pids)
}

// awaitProcesses waits until there is a given number of processes.
func awaitProcesses(t *testing.T, want string, enough func(count int) bool) {
	t.Helper()
	if err := await(patience, func() error {
		if count := countProcesses(t); !enough(count) {
			return fmt.Errorf("%d processes, want %s", count, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// everything, instead of a script, makes the worker kill its descendants.
const everything = "end everything"

// TestEnded: a process whose main thread has ended has not ended if other threads run.
func TestEnded(t *testing.T) {
	for name, c := range map[string]struct {
		p    process
		want bool
	}{
		"runs":                         {process{state: "R", threads: 1}, false},
		"sleeps":                       {process{state: "S", threads: 1}, false},
		"waits to be reaped":           {process{state: "Z", threads: 1}, true},
		"its first thread alone ended": {process{state: "Z", threads: 2}, false},
	} {
		if got := c.p.ended(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestLineage follows the parents of this process up to the first of its PID namespace.
func TestLineage(t *testing.T) {
	line := lineage(os.Getpid())
	if len(line) < 2 || line[0].pid != os.Getpid() || line[1].pid != os.Getppid() || line[len(line)-1].parent != 0 {
		t.Errorf("the lineage of %d, child of %d: %+v", os.Getpid(), os.Getppid(), line)
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	if line := lineage(ended.Process.Pid); line != nil {
		t.Errorf("the lineage of a process that is gone: %+v", line)
	}
}

// TestLabOpenedWhileAnotherCloses: a program of a lab that opens while the only other lab closes is not killed as one
// of the latter.
func TestLabOpenedWhileAnotherCloses(t *testing.T) {
	need(t, "sleep")
	closing := worldHere(t, Options{Ancestor: os.Getppid()})
	started := closing.ground.(*site).started()
	opened := worldHere(t, Options{Ancestor: os.Getppid()})
	if err := opened.Add("left"); err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{Host, "left"} {
		running, err := opened.StartIn(ns, command("sleep", "1000"))
		if err != nil {
			t.Fatal(err)
		}
		if started(running.PID) {
			t.Errorf("the closing lab takes a program in %s of the other lab for its own", ns)
		}
		if !opened.ground.(*site).started()(running.PID) {
			t.Errorf("the lab does not know its own program in %s", ns)
		}
	}
}

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestKilledHarnessLeavesNothing kills the harness with SIGKILL at 20 random moments of a run. It leaves no process,
// network namespace, mount or link, and no file but the results.
func TestKilledHarnessLeavesNothing(t *testing.T) {
	bin := buildHarness(t)
	loadModules(bin)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var alive atomic.Int32
	for i := range 20 {
		// The tutorial is killed while it runs; a short scenario also when it is done and the reports are being
		// written.
		id, longest := "veth-pair", 1500
		if i%2 == 1 {
			id, longest = "complete-commands", 500
		}
		after := time.Duration(random.IntN(longest)) * time.Millisecond
		t.Run(fmt.Sprintf("after %v", after), func(t *testing.T) {
			before := census(t)
			dir := t.TempDir()
			args := []string{"run", id, "what-a-namespace-contains", "--output", filepath.Join(dir, "results")}
			if i%4 > 1 {
				args = append(args, "--procs", "2")
			}
			cmd := exec.Command(bin, args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "TMPDIR="+dir)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			moment := time.AfterFunc(after, func() {
				if len(processesOf(bin, dir)) > 1 {
					alive.Add(1)
				}
				cmd.Process.Signal(syscall.SIGKILL)
			})
			cmd.Wait()
			moment.Stop()
			var left []string
			if !eventually(patience, func() bool {
				left = append(processesOf(bin, dir), difference(census(t), before)...)
				return len(left) == 0
			}) {
				t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
			}
			for _, file := range files(t, dir) {
				if file != "results/junit.xml" && file != "results/results.json" {
					t.Errorf("left behind: the file %s", file)
				}
				text, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil || strings.Contains(string(text), "did not finish") {
					t.Errorf("%v; where there was no report is an unfinished one: %s", err, text)
				}
			}
		})
	}
	if alive.Load() < 5 {
		t.Errorf("only %d of 20 runs were killed while a worker was at work: the test proves little", alive.Load())
	}
}

// loadModules makes the harness try all features of the kernel. Some of the modules that this loads add links to the
// host's network namespace, which stay: ifb0, tunl0.
func loadModules(bin string) { exec.Command(bin, "doctor").Run() }

// census lists the mounts, the names of network namespaces and the links that a process outside the sandbox sees.
func census(t *testing.T) []string {
	var found []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		found = append(found, "mount "+strings.Join(strings.Fields(line)[3:5], " "))
	}
	for _, dir := range []string{"/run/netns", "/run/netnscheck", "/sys/class/net"} {
		entries, _ := os.ReadDir(dir) // one that does not exist has nothing in it
		for _, e := range entries {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found
}

// processesOf lists the processes that run our binary, and those of its labs, by their environment. Namespaces end with
// their processes.
func processesOf(bin, tmpdir string) []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		exe, _ := os.Readlink(filepath.Join(dir, "exe"))
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if exe == bin || strings.Contains(string(environ), "TMPDIR="+tmpdir+"\x00") {
			found = append(found, "process "+filepath.Base(dir)+" "+exe)
		}
	}
	return found
}

func difference(now, before []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(s string) bool { return slices.Contains(before, s) })
}

func files(t *testing.T, dir string) []string {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// eventually repeats the question until the answer is true or the time limit is over.
func eventually(limit time.Duration, ask func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !ask() {
		select {
		case <-deadline.C:
			return false
		case <-again.C:
		}
	}
	return true
}

package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

func TestResultsOfTestsAreBroughtOut(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	cmd := exec.Command(self(t),
		"-test.testlogfile="+at("testlog"), "-test.run", "x", "--test.outputdir="+at("output"), "-test.coverprofile", "cover",
		"-test.cpuprofile="+at("cpu"), "-test.memprofile="+at("mem"), "-test.gocoverdir="+at("gocover"), "-test.v",
		"--ginkgo.junit-report="+at("junit"), "-ginkgo.json-report=relative", "--", "-test.trace="+at("trace"))
	if err := os.Mkdir(at("output"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Dir = dir
	temp := at("temp")
	if err := os.Mkdir(temp, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), roleVariable+"=testmain")
	output, err := cmd.CombinedOutput()
	if status := sandbox.Status(err); status != 5 || string(output) != "inside: true\n" {
		t.Fatalf("status %d, want 5\n%s", status, output)
	}
	for path, want := range map[string]string{
		"testlog": "test.testlogfile", "output/cover": "test.coverprofile", "cpu": "test.cpuprofile", "junit": "ginkgo.junit-report",
		"relative": "ginkgo.json-report", "gocover/below/file": "test.gocoverdir", "output/below/file": "test.outputdir",
	} {
		got, err := os.ReadFile(at(path))
		if err != nil || string(got) != want {
			t.Errorf("%s has %q, %v; want %q", path, got, err, want)
			continue
		}
		st, err := os.Stat(at(path))
		if err != nil {
			t.Fatal(err)
		}
		if owner := int(st.Sys().(*syscall.Stat_t).Uid); owner != os.Getuid() {
			t.Errorf("%s belongs to user %d, want %d", path, owner, os.Getuid())
		}
	}
	for _, path := range []string{"mem", "trace"} {
		if _, err := os.Stat(at(path)); err == nil {
			t.Errorf("%s was made, though nothing was written into it", path)
		}
	}
}

func TestFlagsOfResults(t *testing.T) {
	names, paths, _ := sandbox.FlagFiles(strings.Fields(
		"x.test -test.v -test.run Some --test.trace=t -test.cpuprofile c -test.memprofile= name -ginkgo.junit-report=j=j -- -test.testlogfile=no"))
	got := strings.Join(names, " ") + " | " + strings.Join(paths, " ")
	if want := "test.trace test.cpuprofile test.memprofile ginkgo.junit-report | t c  j=j"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

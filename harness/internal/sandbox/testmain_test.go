package sandbox_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
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
		"-test.testlogfile="+at("testlog"), "-test.run", "x", "--test.outputdir="+at("output"), "-test.coverprofile",
		"cover",
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
		"testlog": "test.testlogfile", "output/cover": "test.coverprofile", "cpu": "test.cpuprofile",
		"junit":    "ginkgo.junit-report",
		"relative": "ginkgo.json-report", "gocover/below/file": "test.gocoverdir",
		"output/below/file": "test.outputdir",
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

// talker sends something to a server outside, as under `ginkgo -p`, and prints the answer.
type talker struct{}

func (talker) Run() int {
	_, server, _ := strings.Cut(os.Args[1], "=")
	conn, err := net.Dial("tcp", server)
	if err == nil {
		_, err = conn.Write([]byte("done\n"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	answer, err := io.ReadAll(conn)
	fmt.Printf("%s, %v", answer, err)
	return 0
}

// TestGinkgosServer: a test binary started by `ginkgo -p` reaches Ginkgo's server outside.
func TestGinkgosServer(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	heard := make(chan string, 1)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			heard <- err.Error()
			return
		}
		defer conn.Close()
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil {
			_, err = conn.Write([]byte("go on"))
		}
		heard <- fmt.Sprintf("%s%v", line, err)
	}()
	cmd := exec.Command(self(t), "--ginkgo.parallel.host="+server.Addr().String())
	cmd.Env = append(os.Environ(), roleVariable+"=parallel")
	output, err := cmd.CombinedOutput()
	if err != nil || string(output) != "go on, <nil>" {
		t.Fatalf("%v\n%s", err, output)
	}
	if got := <-heard; got != "done\n<nil>" {
		t.Errorf("the server heard %q", got)
	}
}

func TestFlagsOfResults(t *testing.T) {
	names, paths, _ := sandbox.FlagFiles(strings.Fields(
		"x.test -test.v -test.run Some --test.trace=t -test.cpuprofile c -test.memprofile= name " +
			"-ginkgo.junit-report=j=j -- -test.testlogfile=no"))
	got := strings.Join(names, " ") + " | " + strings.Join(paths, " ")
	if want := "test.trace test.cpuprofile test.memprofile ginkgo.junit-report | t c  j=j"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

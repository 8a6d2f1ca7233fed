package main_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"netnscheck/reports"
)

// TestReportsAreRefusedBeforeTheRun: nothing runs, and the reports of the previous run are unchanged.
func TestReportsAreRefusedBeforeTheRun(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good, "folder/x": ""})
	harness(t, dir, "run", "good.md", "--driver", "netlink").want(t, 0)
	if err := syscall.Mknod(filepath.Join(dir, "socket"), syscall.S_IFSOCK|0o600, 0); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"a folder":        {[]string{"--junit", "folder"}, "write the report folder: it is a folder"},
		"a folder to be":  {[]string{"--report", "json=new/"}, "write the report new/: it is a folder"},
		"what is full":    {[]string{"--junit", "/dev/full"}, "write the report /dev/full: no space left on device"},
		"a full page":     {[]string{"--report", "html=/dev/full"}, "write the report /dev/full: no space left on device"},
		"a socket":        {[]string{"--report", "json=socket"}, "write the report socket: it is not a file, pipe or"},
		"below a file":    {[]string{"--junit", "good.md/x"}, "write into the output folder good.md: not a dir"},
		"a file not open": {[]string{"--junit", "/dev/fd/99"}, "write the report /dev/fd/99: bad file descriptor"},
		"two in one file": {[]string{"--junit", "x", "--report", "json=./x"},
			"write the report ./x: it cannot be both junit and json"},
		"two on one stream": {[]string{"--junit", "-", "--report", "json=/dev/stdout"},
			"on standard output: it cannot be both junit and json"},
		"an usual place": {[]string{"--junit", "results/results.json"}, "it cannot be both junit and json"},
		"one of several": {[]string{"--report", "junit=new/x", "--report", "json=/dev/full"},
			"write the report /dev/full: no space left on device"},
		"a format": {[]string{"--report", "junt=x"},
			`--report junt=x: there is no format "junt", did you mean junit?`},
	} {
		t.Run(name, func(t *testing.T) {
			got := harness(t, dir, append([]string{"run", "good.md", "--driver", "netlink"}, c.args...)...)
			got.want(t, 2, c.says)
			if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("it says more than one line: %q, %q", got.stdout, got.stderr)
			}
			if now := contents(t, dir); !slices.Equal(now, before) {
				t.Errorf("there is now %q, before %q", now, before)
			}
		})
	}
}

// contents are the files and folders below a folder, with the contents of the files.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, err := os.ReadFile(path)
			all = append(all, path+": "+string(text))
			return err
		}
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReportInAPlaceOfSomebodyElse: an ordinary user gets the error before the run.
func TestReportInAPlaceOfSomebodyElse(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good, "theirs/x": ""})
	cmd := command(t, dir, "run", "good.md", "--driver", "netlink", "--junit", "theirs/junit.xml")
	if os.Geteuid() == 0 {
		asNobody(t, cmd)
	} else if err := os.Chmod(filepath.Join(dir, "theirs"), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "theirs"), 0o755) }) // or the folder cannot be removed
	finish(t, cmd).want(t, 2, "write into the output folder theirs: permission denied; --output, --junit and --report")
	if _, err := os.Stat(filepath.Join(dir, "results")); !os.IsNotExist(err) {
		t.Errorf("the folder results is there: %v", err)
	}
}

// TestReportToAStream: pipes and names of open files are written to and not replaced.
func TestReportToAStream(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good})
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan []byte, 1)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- text
	}()
	open, err := os.Create(filepath.Join(dir, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	open.WriteString("before\n")
	cmd := command(t, dir, "run", "good.md", "--driver", "netlink", "-q",
		"--junit", "/dev/stdout", "--report", "junit=pipe", "--report", "junit=/dev/fd/3")
	cmd.ExtraFiles = []*os.File{open}
	c := finish(t, cmd)
	c.want(t, 0)
	text := string(<-read)
	if text != c.stdout || !strings.HasPrefix(text, "<?xml") || !strings.HasSuffix(text, "</testsuites>\n") {
		t.Errorf("the pipe got %q, standard output %q", text, c.stdout)
	}
	if got, err := os.ReadFile(open.Name()); err != nil || string(got) != "before\n"+text {
		t.Errorf("%v; the open file has %q", err, got)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode().IsRegular() {
		t.Errorf("the pipe is now %v, %v", info, err)
	}
}

// TestReaderGoes: `harness run | head -1` writes its reports and has the exit status of the run.
func TestReaderGoes(t *testing.T) {
	needSandbox(t)
	for name, want := range map[string]int{"good.md": 0, "red.md": 1} {
		for _, lines := range []int{0, 1} {
			dir := write(t, map[string]string{"good.md": good, "red.md": red})
			cmd := command(t, dir, "run", name, "--driver", "netlink")
			stdout, in, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stdout, cmd.Stderr = in, in
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			in.Close()
			if lines > 0 {
				bufio.NewReaderSize(stdout, 16).ReadString('\n')
			}
			stdout.Close()
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != want {
				t.Errorf("%s: %v, want status %d", name, cmd.ProcessState, want)
			}
			if r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json")); err != nil || r.Unfinished {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			validJUnit(t, filepath.Join(dir, "results", "junit.xml"))
		}
	}
	for _, format := range []string{"json", "html"} { // a report on standard output is lost
		dir := write(t, map[string]string{"good.md": good})
		stdout, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout.Close()
		cmd := command(t, dir, "run", "good.md", "--driver", "netlink", "--report", format+"=-")
		cmd.Stdout = in
		said, err := stderrOf(cmd)
		in.Close()
		if cmd.ProcessState.ExitCode() != 5 ||
			!strings.Contains(said, "write the report on standard output: broken pipe") {
			t.Errorf("%s: %v: %s", format, err, said)
		}
	}
}

func stderrOf(cmd *exec.Cmd) (string, error) {
	var said strings.Builder
	cmd.Stderr = &said
	err := cmd.Run()
	return said.String(), err
}

// TestKilledRunLeavesNoOldReport: a killed run does not leave the report of an earlier run in place.
func TestKilledRunLeavesNoOldReport(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good, "slow.md": slow})
	killed := func() {
		cmd := command(t, dir, "run", "slow.md", "--driver", "netlink",
			"--report", "console=results/log.txt", "--report", "console", "--report", "html")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil { // the first step ended
			t.Fatal(err)
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	killed()
	if left := files(t, filepath.Join(dir, "results")); len(left) > 0 {
		t.Errorf("where no report was there is %v", left)
	}
	harness(t, dir, "run", "good.md", "--driver", "netlink", "--report", "console=results/log.txt",
		"--report", "html").want(t, 0)
	there := files(t, filepath.Join(dir, "results"))
	killed()
	if left := files(t, filepath.Join(dir, "results")); !slices.Equal(left, there) || len(left) != 4 {
		t.Errorf("there is now %v, before %v", left, there)
	}
	const says = "the run did not finish"
	for _, file := range there {
		text, err := os.ReadFile(filepath.Join(dir, "results", file))
		if err != nil || !strings.Contains(string(text), says) || strings.Contains(string(text), "Make one") {
			t.Errorf("%v; %s has %s", err, file, text)
		}
	}
	var marked struct{ Unfinished bool }
	text, err := os.ReadFile(filepath.Join(dir, "results", "results.json"))
	if err != nil || json.Unmarshal(text, &marked) != nil || !marked.Unfinished {
		t.Errorf("%v: %s", err, text)
	}
	junit := filepath.Join(dir, "results", "junit.xml")
	validJUnit(t, junit)
	text, err = os.ReadFile(junit)
	if err != nil || !strings.Contains(string(text), `tests="1" failures="0" errors="1"`) {
		t.Errorf("%v: %s", err, text)
	}
}

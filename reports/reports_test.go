package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestTranscriptSaysItOnce: the output of a driver in the process already contains its message.
func TestTranscriptSaysItOnce(t *testing.T) {
	x := scenario.Exchange{Command: "ip link set x0 up", Output: "Cannot find device \"x0\"\n",
		Message: `Cannot find device "x0"`, Status: 1, Errno: "ENODEV"}
	want := "$ ip link set x0 up\nCannot find device \"x0\"\n[1] ENODEV\n"
	if diff := cmp.Diff(want, Transcript([]scenario.Exchange{x})); diff != "" {
		t.Error(diff)
	}
}

func TestConsoleGolden(t *testing.T) {
	for name, verbosity := range map[string]Verbosity{"quiet": Quiet, "normal": Normal, "verbose": Verbose} {
		t.Run(name, func(t *testing.T) {
			golden(t, "console-"+name+".golden.txt", tell(&Console{Options: Options{Verbosity: verbosity}}))
		})
	}
}

// tell returns what a console prints about the sample.
func tell(o *Console) string {
	var out bytes.Buffer
	o.Out, o.Files = &out, []string{"results/junit.xml", "results/results.json"}
	r := sample()
	o.Plan(r.Suites)
	for i := range r.Suites {
		s := &r.Suites[i]
		for j := range s.Cases {
			o.Begin(s, &s.Cases[j])
			o.End(s, &s.Cases[j])
		}
	}
	o.Finish(r)
	return out.String()
}

func TestColourAddsNoWordAndTakesNone(t *testing.T) {
	plain := tell(&Console{})
	coloured := tell(&Console{Color: true})
	if coloured == plain || !strings.Contains(coloured, "\x1b[31m") {
		t.Error("there is no colour")
	}
	for _, code := range []string{"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[0m"} {
		coloured = strings.ReplaceAll(coloured, code, "")
	}
	if diff := cmp.Diff(plain, coloured); diff != "" {
		t.Errorf("the words differ (-plain +coloured):\n%s", diff)
	}
	if strings.Contains(plain, "\x1b") {
		t.Error("an escape sequence of a program's output reached the terminal")
	}
}

func TestProgressGoesBeforeEachLine(t *testing.T) {
	var both bytes.Buffer
	o := &Console{Out: &both, Options: Options{Progress: &both}}
	r := sample()
	o.Plan(r.Suites)
	s := &r.Suites[0]
	o.Begin(s, &s.Cases[0])
	o.End(s, &s.Cases[0])
	text := both.String()
	if !strings.HasPrefix(text, "1/10  veth-pair  iproute2  Create the namespaces\r\x1b[Kpass ") {
		t.Errorf("got %q", text)
	}
}

func TestJSONReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	want := sample()
	for i := range want.Suites {
		for j := range want.Suites[i].Cases {
			want.Suites[i].Cases[j].Clean()
		}
	}
	finish(t, "json", path, want)
	got, err := ReadJSON(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestReadJSONRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"another version": {`{"version": 99}`, "version 99"},
		"no version":      {`{}`, "version 0"},
		"no JSON":         {`<xml/>`, "invalid character"},
		"half a file":     {`{"version": 1, "suites": [`, "unexpected EOF"},
	} {
		path := filepath.Join(dir, "results.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadJSON(path); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with the path and %q", name, err, c.want)
		}
	}
	if _, err := ReadJSON(filepath.Join(dir, "missing.json")); err == nil {
		t.Error("a missing file was read")
	}
}

func TestWriteFileReplacesWholeFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	stale := filepath.Join(dir, ".out.txt.new")
	if err := os.WriteFile(stale, []byte("what a killed process left, longer than what comes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first, a long one", "second"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v; want 0644", info.Mode(), err)
	}
	if _, err := os.Lstat(stale); !os.IsNotExist(err) {
		t.Errorf("the temporary file is still there: %v", err)
	}
}

func TestWriteFileFollowsNoLinkBeside(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, ".out.txt.new")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "out.txt"), []byte("text")); err == nil {
		t.Error("it was written through another user's link")
	}
	if got, _ := os.ReadFile(victim); string(got) != "mine" {
		t.Errorf("the link's target holds %q", got)
	}
}

// TestWritersSideBySide: readers never see half a file, and no temporary file is left.
func TestWritersSideBySide(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	texts := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 50_000)}
	if err := WriteFile(path, []byte(texts[0])); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for _, text := range texts {
		writers.Go(func() {
			for range 50 {
				if err := WriteFile(path, []byte(text)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != texts[0] && string(got) != texts[1] {
			t.Fatalf("half a file: %d bytes, %v", len(got), err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("files left: %v", entries)
	}
}

func TestCheckFolder(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := CheckFolder(deep); err != nil {
		t.Errorf("a folder that can be made: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckFolder(file); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file in its place: %v", err)
	}
	if err := CheckFolder("/proc/self"); err == nil {
		t.Error("/proc/self was taken for a folder that can be written")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the check left %v", entries)
	}
}

func TestCountsTotalAndBad(t *testing.T) {
	c := sample().Count()
	want := Counts{Pass: 2, Fail: 1, Blocked: 1, Skip: 1, Error: 1, XFail: 1, XPass: 1, Flaky: 1, NotRun: 1}
	if c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if c.Total() != 10 || c.Bad() != 6 {
		t.Errorf("total %d, bad %d; want 10, 6", c.Total(), c.Bad())
	}
	odd := Suite{Cases: []Case{{SectionResult: scenario.SectionResult{Outcome: "mystery"}}, {}}}
	if got := odd.Count(); got.Error != 2 {
		t.Errorf("unknown outcomes count as %+v, want two errors", got)
	}
}

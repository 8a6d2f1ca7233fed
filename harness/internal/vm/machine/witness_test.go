package machine

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listen reads frames, and returns what was told of them and the violation that ended the reading.
func listen(t testing.TB, frames string) (w *witness, told []Event) {
	w = newWitness(&Guest{Folder: t.TempDir(), Cases: 2}, func(e Event) { told = append(told, e) })
	w.readFrames(strings.NewReader(frames))
	w.log.end()
	return w, told
}

const (
	ready  = `{"ready":{"release":"6.1.0","uptime":5}}` + "\n"
	plan   = `{"event":{"event":"plan","version":1,"cases":1}}` + "\n"
	begin  = `{"event":{"event":"begin","suite":"s.netlink","name":"a"}}` + "\n"
	done   = `{"event":{"event":"end","suite":"s.netlink","name":"a","case":{"name":"a","outcome":"pass"}}}` + "\n"
	finish = `{"event":{"event":"finish","run":{"suites":[],"properties":[{"name":"x","value":"\u001b[2J"}]}}}` + "\n"
	exit   = `{"exit":{"status":0,"uptime":9}}` + "\n"
)

func TestFrames(t *testing.T) {
	w, told := listen(t, ready+plan+begin+`{"output":"pa\u001bss\n"}`+"\n"+done+`{"alive":7}`+"\n"+finish+exit)
	if w.violation != nil || w.exit == nil || w.ready == nil || w.heard.Load() != 8 {
		t.Fatalf("%+v", w)
	}
	if len(told) != 5 || told[1].Begin.Name != "a" || told[2].Output != `pa\x1bss`+"\n" ||
		told[3].Case.Suite != "s.netlink" || told[4].Run.Properties[0].Value != `\x1b[2J` {
		t.Errorf("%+v", told)
	}
}

// TestLies: a frame that makes no sense ends the reading, and nothing of it is told.
func TestLies(t *testing.T) {
	const many = `{"event":{"event":"plan","version":1,"cases":1000}}` + "\n"
	next := func(long int) string {
		return `{"event":{"event":"begin","suite":"s.netlink","name":"` + strings.Repeat("b", long) + `"}}` + "\n"
	}
	for lie, want := range map[string]string{
		"garbage\n":                              "cannot be read: invalid character",
		"{\"ready\":{}}{}\n":                     "text after the JSON value",
		`{"evil":1}` + "\n":                      "unknown field",
		"\xff\n":                                 "not UTF-8",
		begin:                                    "a frame before it was ready",
		ready + ready:                            "twice",
		ready + begin:                            `the event "begin" before the plan`,
		ready + plan + plan:                      `the event "plan"`,
		ready + plan + begin + begin:             "does not fit its plan of 1 cases",
		ready + plan + done + done:               "does not fit",
		ready + plan + finish + done:             "after the finish",
		ready + many + begin + next(1) + next(2): "does not fit its plan of 2 cases",
		ready + many + next(5<<10):               "with names of 51",
		ready + plan + `{"event":{"event":"finish","run":{"left_out":[{"cases":-1}]}}}` + "\n": "that -1 cases were left out",
		ready + exit + exit:                                              "after the last one",
		ready + plan + `{"event":1}` + "\n":                              "an event that cannot be read",
		ready + `{"event":{"event":"plan","cases":-1}}` + "\n":           "before the plan",
		ready + `{"output":"` + strings.Repeat("x", 1<<20) + `"}` + "\n": "more than 1024 KiB",
	} {
		w, _ := listen(t, lie)
		if w.violation == nil || !strings.Contains(w.violation.Error(), want) {
			t.Errorf("%.80q: %v, want %q", lie, w.violation, want)
		}
	}
	if w, _ := listen(t, ready+plan+`{"alive":`); w.violation != nil {
		t.Errorf("half a frame, as of a guest that panics: %v", w.violation)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(ready + plan + begin + done + finish + exit))
	f.Fuzz(func(t *testing.T, frames []byte) {
		ended := 0
		w := &witness{planned: -1, begun: map[key]bool{}, ended: map[key]bool{}, told: func(e Event) {
			if e.Case != nil {
				ended++
			}
		}}
		w.readFrames(bytes.NewReader(frames))
		if ended > max(0, w.planned) {
			t.Errorf("%d cases of %d", ended, w.planned)
		}
	})
}

// TestEvidence: what leads out of the folder is refused, and links are no files.
func TestEvidence(t *testing.T) {
	pack := func(names ...string) *bytes.Buffer {
		var out bytes.Buffer
		to := tar.NewWriter(&out)
		for _, name := range names {
			to.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 2, Mode: 0o644})
			to.Write([]byte("ok"))
		}
		to.WriteHeader(&tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
		to.Close()
		return &out
	}
	dir := t.TempDir()
	inside := filepath.Join(dir, "evidence")
	w := &witness{}
	w.readEvidence(pack("a", "b/c"), inside)
	if w.evidenceErr != nil || fmt.Sprint(w.evidence) != fmt.Sprint([]string{inside + "/a", inside + "/b/c"}) {
		t.Errorf("%q, %v", w.evidence, w.evidenceErr)
	}
	if text, err := os.ReadFile(inside + "/b/c"); string(text) != "ok" {
		t.Errorf("%q, %v", text, err)
	}
	for _, name := range []string{"../out", "/etc/out", "b/../../out"} {
		w := &witness{}
		if w.readEvidence(pack(name), inside); w.evidenceErr == nil || len(w.evidence) > 0 {
			t.Errorf("%s: %q", name, w.evidence)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("it wrote %v", files)
	}
	w = &witness{}
	w.readEvidence(strings.NewReader(""), inside)
	if w.evidenceErr != nil || w.evidence != nil {
		t.Errorf("no evidence: %v", w.evidenceErr)
	}
}

// TestLogIsBounded: a console keeps its beginning and its end, and what is found in between.
func TestLogIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console.log")
	l := newLog(path)
	noise := []byte(strings.Repeat("noise without an end", 1000))
	l.write([]byte("first line\n"))
	for range 400 {
		l.write(noise)
	}
	l.write([]byte("\n[    1.000000] BUG: in the middle\n\n"))
	for range 400 {
		l.write(noise)
	}
	l.write([]byte("\nlast line"))
	if err := l.end(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) > logHead+logTail+100 || !bytes.HasPrefix(text, []byte("first line")) ||
		!bytes.HasSuffix(text, []byte("last line")) || !bytes.Contains(text, []byte("bytes are left out here")) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if len(l.Faults()) != 1 || l.Faults()[0].Title != "BUG: in the middle" {
		t.Errorf("%+v", l.Faults())
	}
}

package specrun

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/scenario"
)

// TestSecondPlay plays units in which cases fail. Those are played once more, and one that passes then is flaky.
func TestSecondPlay(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		titles  []string
		want    []string
		kept    []string // of which evidence is kept, and what it says about packets
		workers int64
	}{
		"passes": {Options{}, []string{"passes"}, []string{"netlink/passes: pass"}, nil, 1},
		"fails": {Options{}, []string{"passes", "fails"},
			[]string{"netlink/passes: pass", "netlink/fails: fail it failed"}, []string{"fails: nobody captured"}, 2},
		"flakes": {Options{}, []string{"flakes", "spoils"},
			[]string{"netlink/flakes: flaky failed in 1 of 2 plays out of luck", "netlink/spoils: pass"},
			[]string{"flakes: nobody captured"}, 2},
		"flaky passes": {Options{FlakyPasses: true}, []string{"flakes"},
			[]string{"netlink/flakes: pass failed in 1 of 2 plays"}, nil, 2},
		"fail fast": {Options{FailFast: true}, []string{"fails"}, []string{"netlink/fails: fail it failed"},
			[]string{"fails: not played once more"}, 1},
		"as expected": {Options{Judge: expectFailures}, []string{"fails"}, []string{"netlink/fails: xfail expected"},
			nil, 1},
		"retries": {Options{Retries: 1}, []string{"fails"}, []string{"netlink/fails: fail it failed"},
			[]string{"fails: not played once more"}, 2},
		"a worker that dies": {Options{}, []string{"exits"},
			[]string{"netlink/exits: error the worker ended before its specs did"},
			[]string{"exits: not played once more"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(markVariable, filepath.Join(t.TempDir(), "mark"))
			var workers atomic.Int64
			var kept []string
			o := c.options
			o.Grace = time.Minute
			o.Start = func(job Job, in, out, stderr *os.File) (Process, error) {
				workers.Add(1)
				return start(job, in, out, stderr)
			}
			o.Evidence = func(f Failure) (string, error) {
				kept = append(kept, f.Case.Name+": "+f.Evidence.Lacks[evidence.Packets])
				return "results/evidence/" + f.Case.CaseID(), nil
			}
			r := Run(t.Context(), mustPlan(t, unit(t, c.titles...)), o)
			same(t, outcomes(r), c.want)
			if len(kept) != len(c.kept) || workers.Load() != c.workers {
				t.Fatalf("evidence %q by %d workers, want %q by %d", kept, workers.Load(), c.kept, c.workers)
			}
			for i, want := range c.kept {
				title, why, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(kept[i], title+": ") || !strings.Contains(kept[i], why) {
					t.Errorf("evidence %q, want %q", kept[i], want)
				}
			}
			for _, k := range r.Suites[0].Cases {
				if has := k.Evidence != ""; has != slices.ContainsFunc(c.kept, func(s string) bool {
					return strings.HasPrefix(s, k.Name+":")
				}) {
					t.Errorf("%s has the evidence %q", k.Name, k.Evidence)
				}
			}
		})
	}
}

// TestEvidenceThatCannotBeKept is told once, and the verdict stands.
func TestEvidenceThatCannotBeKept(t *testing.T) {
	r := Run(t.Context(), mustPlan(t, unit(t, "fails")), Options{Grace: time.Minute, Start: start,
		Evidence: func(Failure) (string, error) { return "", errors.New("keep it: no space left on device") }})
	same(t, outcomes(r), []string{"netlink/fails: fail it failed"})
	same(t, r.Problems, []string{"keep it: no space left on device"})
	if r.Cut || r.Suites[0].Cases[0].Evidence != "" {
		t.Errorf("cut short: %v, evidence %q", r.Cut, r.Suites[0].Cases[0].Evidence)
	}
}

// TestEvidenceOfALiar: what a worker sends is taken only under the names of evidence, for the running case, and
// bounded.
func TestEvidenceOfALiar(t *testing.T) {
	piece := func(key, file, data string) string {
		return fmt.Sprintf(`{"event":"evidence","key":%q,"file":%q,"data":%q}`, key, file,
			base64.StdEncoding.EncodeToString([]byte(data)))
	}
	const start1 = `{"event":"start","key":"ONE"}`
	full := piece("ONE", evidence.Transcript, strings.Repeat("x", pieceSize))
	for _, c := range []lies{
		{"outside", []string{start1, piece("ONE", "../../x", "x"), hang}, `a file that is none of the evidence: "../../x"`,
			false},
		{"a script", []string{start1, piece("ONE", evidence.Script, "rm -rf /"), hang},
			`a file that is none of the evidence: "reproduce.sh"`, false},
		{"packets", []string{start1, piece("ONE", evidence.Packets, "x"), hang},
			"the file packets.pcapng, which was not asked for", false},
		{"another case", []string{start1, piece("TWO", evidence.After, "x"), hang},
			"evidence about a case that is not running", false},
		{"no case", []string{piece("ONE", evidence.After, "x"), hang}, "evidence about a case that is not running", false},
		{"nothing", []string{start1, piece("ONE", evidence.After, ""), hang}, `a message "evidence" without "data"`, false},
		{"words", []string{start1, `{"event":"played","key":"ONE","lines":[1],"text":"rm -rf /"}`, hang},
			`a message "played" with "text"`, false},
		{"lines", []string{start1, `{"event":"played","key":"ONE","lines":[999999]}`, hang},
			"a command in line 999999, where there is none", false},
		{"too much", append(slices.Repeat([]string{full}, evidenceSize/len(full)+2), hang), "", false},
	} {
		if c.want == "" {
			c.lines, c.want = append([]string{start1}, c.lines...), "MiB of evidence about a case"
		}
		t.Run(c.name, func(t *testing.T) {
			u := unitOf(t, "Title", Job{Drivers: []string{"netlink"}}, "one", "two")
			var kept []Failure
			r := runLiarWith(t, u, c.lines, func(f Failure) (string, error) {
				kept = append(kept, f)
				return "", nil
			})
			if got := r.Suites[0].Cases[1].Reason; !strings.Contains(got, c.want) {
				t.Errorf("the reason is %q, want %q", got, c.want)
			}
			for _, f := range kept {
				for name, content := range f.Evidence.Files {
					if !evidence.FromSandbox(name) || len(content) > evidenceSize {
						t.Errorf("%s with %d bytes was kept", name, len(content))
					}
				}
			}
		})
	}
}

// TestEvidenceIsPrintable: of what a worker sends about a case that failed, nothing acts on a terminal.
func TestEvidenceIsPrintable(t *testing.T) {
	data := base64.StdEncoding.EncodeToString([]byte("a\x1b[2Jb"))
	var kept []Failure
	r := runLiarWith(t, unitOf(t, "Title", Job{Drivers: []string{"netlink"}}, "one", "two"), []string{
		`{"event":"start","key":"ONE"}`,
		`{"event":"evidence","key":"ONE","file":"transcript.txt","data":"` + data + `"}`,
		`{"event":"lacking","key":"ONE","file":"diagnosis.txt","text":"no\u001b[2J"}`,
		`{"event":"end","key":"ONE","case":{"outcome":"fail","problems":[{"message":"it failed"}]}}`,
	}, func(f Failure) (string, error) {
		kept = append(kept, f)
		return "folder", nil
	})
	if len(kept) != 1 || string(kept[0].Evidence.Files[evidence.Transcript]) != `a\x1b[2Jb` ||
		kept[0].Evidence.Lacks[evidence.Diagnosis] != `no\x1b[2J` {
		t.Fatalf("kept %+v", kept)
	}
	if c := r.Suites[0].Cases[0]; c.Outcome != scenario.Fail || c.Evidence != "folder" {
		t.Errorf("the case is %+v", c)
	}
}

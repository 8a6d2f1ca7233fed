package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
	"netnscheck/scenarios"
)

// solution are the commands of a step.
func solution(sc *scenario.Scenario, step int) (lines []string) {
	for _, b := range sc.Steps[step].Blocks {
		for _, c := range b.Commands {
			lines = append(lines, c.Text)
		}
	}
	return lines
}

// TestGradeAClass: a class with one who is right, one who has another order, one who did a part, one who means harm,
// one whose script hangs, one who typed, one who handed in nothing and one whose file is broken. A fork bomb is thrown
// in the siege (TestHandedInScripts).
func TestGradeAClass(t *testing.T) {
	needSandbox(t)
	labtest.Needs(t, "ip")
	t.Run("as the caller", func(t *testing.T) { t.Parallel(); gradeAClass(t, false) })
	if os.Geteuid() == 0 {
		t.Run("as a user", func(t *testing.T) { t.Parallel(); gradeAClass(t, true) })
	}
}

func gradeAClass(t *testing.T, nobody bool) {
	sc, err := scenarios.ByID("veth-pair-challenge")
	if err != nil {
		t.Fatal(err)
	}
	one, two, three := solution(sc, 0), solution(sc, 1), solution(sc, 2)
	script := func(parts ...[]string) string {
		text := "#!/bin/sh\n"
		for _, p := range parts {
			text += strings.Join(p, "\n") + "\n"
		}
		return text
	}
	dir := write(t, map[string]string{
		"in/anna.sh": script(one, two, []string{"# step 3", "set -e", "sudo " + three[0]}),
		"in/ben.sh": script(two, one, []string{
			"for end in to-beta", "do", "", "ip -n alpha link del $end", "done",
		}),
		"in/carl.sh":            script(one),
		"in/emil.sh":            script([]string{"sleep 100000"}, one),
		"in/finn/progress.json": typed(t, sc, one),
		"in/hugo.json":          "{",
		"class.csv":             "name;seed\nAnna;\nBen;7\nCarl;\nDora;\nEmil;\nFinn;\nGina;\nHugo;\n",
		"precious":              "untouched",
	})
	precious := filepath.Join(dir, "precious")
	hostile := script(one, []string{"kill -9 -1", "echo changed >" + precious, "rm -rf " + dir,
		"head -c 1000000000 /dev/zero", "for d in /tmp /run /dev/shm; do dd if=/dev/zero of=$d/x bs=1M count=100; done",
		"umount -l /run/netns", "printf '\\033]0;evil\\007=1+1'"})
	if err := os.WriteFile(filepath.Join(dir, "in/dora.sh"), []byte(hostile), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, "lab", "grade", "in", "--lab", sc.ID, "--roster", "class.csv", "--limit", "15s",
		"--hint-cost", "1", "--procs", "3", "--csv", "out.csv", "--json", "out.json", "--junit", "out.xml", "--html",
		"out.html")
	if nobody {
		asNobody(t, cmd)
	}
	c := finish(t, cmd)
	c.want(t, 1, "handed in nothing", "could not be graded: read the progress: line 1", "10/10",
		"did not end within 15s: sleep 100000", "Where the class is stuck (of 6 graded)")
	if strings.ContainsAny(c.stdout+c.stderr, "\x1b\x07\x00") {
		t.Errorf("it prints control characters: %q", c.stdout)
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "untouched" {
		t.Errorf("a file outside was changed: %q, %v", text, err)
	}
	var table struct {
		Learners []struct {
			Name, Status string
			Points       int
			Marks        []struct{ Passed, Solved bool }
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "out.json"))
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range table.Learners {
		marks := ""
		for _, m := range l.Marks {
			marks += map[bool]string{true: "+", false: "-"}[m.Passed]
		}
		got = append(got, strings.TrimSpace(fmt.Sprint(l.Name, " ", l.Status, " ", l.Points, " ", marks)))
	}
	want := []string{"Anna graded 10 +++", "Ben graded 10 +++", "Carl graded 3 +--", "Dora graded 3 +--",
		"Emil graded 0 ---", "Finn graded 4 +++", "Gina missing 0", "Hugo ungraded 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s\n%s", diff, c.stdout)
	}
	for _, name := range []string{"out.csv", "out.xml", "out.html"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), "Gina") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGradeTellsOfTheLimit: the processes of this learner stay. Those of a fork bomb end once fork(2) fails, perhaps
// before they are counted.
func TestGradeTellsOfTheLimit(t *testing.T) {
	needSandbox(t)
	labtest.Needs(t, "ip")
	dir := write(t, map[string]string{"ida.sh": "mkfifo /tmp/open\ni=0\nwhile [ $i -lt 1100 ]\ndo\n" +
		"  read line </tmp/open &\n  i=$((i + 1))\ndone\n"})
	harness(t, dir, "lab", "grade", "ida.sh", "--lab", "veth-pair-challenge").want(t, 0,
		"line 7: the limit of 1024 processes and threads was met")
}

// typed is the progress file of a learner who typed: a ping that was interrupted, a step that was solved for him, and a
// command in the shell of a namespace.
func typed(t *testing.T, sc *scenario.Scenario, one []string) string {
	f := progress.New(sc, time.Now())
	add := func(e progress.Entry) { f.Add(e) }
	add(progress.Entry{Step: 1, Terminal: 1, Line: "ip netns add lost"})
	add(progress.Entry{Step: 1, Do: progress.Reset})
	add(progress.Entry{Step: 1, Do: progress.Hint})
	for _, line := range one {
		add(progress.Entry{Step: 1, Terminal: 1, Line: line})
	}
	add(progress.Entry{Step: 1, Terminal: 2, Line: "ip netns exec alpha ping 10.44.0.2", Status: 130})
	add(progress.Entry{Step: 2, Terminal: 2, Line: "lab next"})
	add(progress.Entry{Step: 2, Do: progress.Solve})
	add(progress.Entry{Step: 3, Terminal: 2, Line: "ip netns exec alpha bash"})
	add(progress.Entry{Step: 3, Terminal: 2, Netns: "alpha", Line: "exit"})
	add(progress.Entry{Step: 3, Terminal: 2, Netns: "alpha", Line: "ip link del to-beta"})
	f.Update([]sitting.Past{{Done: true, Hints: 1}, {Done: true, Solved: true}, {Done: true}}, time.Now())
	text, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestASolutionHasAllPoints: the commands of a lesson, one below the other as a script, do all its steps, also where
// packets are counted and where something takes a moment.
func TestASolutionHasAllPoints(t *testing.T) {
	needSandbox(t)
	for id, programs := range map[string][]string{"veth-pair": {"ip", "ping"}, "nat": {"ip", "ping", "nft"},
		"bridge": {"ip", "ping", "bridge"}} {
		t.Run(id, func(t *testing.T) {
			labtest.Needs(t, programs...)
			t.Parallel()
			sc, err := scenarios.ByID(id)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for i := range sc.Steps {
				lines = append(lines, solution(sc, i)...)
			}
			dir := write(t, map[string]string{"all.sh": strings.Join(lines, "\n")})
			c := harness(t, dir, "lab", "grade", "all.sh", "--lab", id)
			if c.status == 3 {
				sandbox.Lacking(t, c.stderr)
			}
			c.want(t, 0, fmt.Sprintf("  %d/%[1]d\n", len(sc.Steps)))
		})
	}
}

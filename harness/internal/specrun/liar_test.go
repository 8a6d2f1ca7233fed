package specrun

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/scenario"
)

// liarWord makes this test binary a worker that sends whatever its script says.
const liarWord = "liar"

// Words of a script that are not sent as lines.
const (
	flood   = "flood"   // 400 MB of messages that the worker is alive
	endless = "endless" // 400 MB without a newline
	bomb    = "bomb"    // 400 MB of empty checks in lines of the maximum length
	rubbish = "rubbish" // 400 MB of leftovers
	noise   = "noise"   // 400 MB to standard error, with signs of life
	hang    = "hang"
	shut    = "shut" // closes the results and hangs
	half    = "half" // the next line is sent without its newline
)

const floodSize = 400 << 20

// lie is main of such a worker.
func lie(script string) {
	in := bufio.NewReader(os.Stdin)
	in.ReadString('\n') // the job
	out := os.NewFile(3, "results")
	text, err := os.ReadFile(script)
	if err != nil {
		panic(err)
	}
	end := "\n"
	for line := range strings.SplitSeq(string(text), "\x00") {
		switch line {
		case flood:
			spam(out, strings.Repeat(`{"event":"alive"}`+"\n", 4096))
		case endless:
			spam(out, strings.Repeat(" ", 1<<16))
		case bomb:
			spam(out, `{"event":"end","key":"x","case":{"checks":[`+strings.Repeat("{},", messageSize/3-64)+"{}]}}\n")
		case rubbish:
			spam(out, `{"event":"leftover","text":"`+strings.Repeat("x", 200<<10)+"\"}\n")
		case noise:
			go func() { // under load the noise takes longer than a worker may be silent
				for range time.Tick(beat) {
					fmt.Fprintln(out, `{"event":"alive"}`)
				}
			}()
			spam(os.Stderr, strings.Repeat("\x1b", 1<<16))
		case shut:
			out.Close()
			time.Sleep(time.Hour)
		case hang:
			time.Sleep(time.Hour)
		case half:
			end = ""
		default:
			fmt.Fprint(out, line+end)
		}
	}
	os.Exit(0)
}

func spam(out *os.File, text string) {
	for n := 0; n < floodSize; n += len(text) {
		if _, err := out.WriteString(text); err != nil {
			os.Exit(1)
		}
	}
}

// lies are sent by the worker of a unit with two cases, one and two.
type lies struct {
	name  string
	lines []string
	want  string // in the reason of the case that ran, or of both
	keep  bool
}

func TestWorkerThatLies(t *testing.T) {
	const good = `"outcome":"pass","checks":[{"phase":"before","outcome":"pass"},{"phase":"after","outcome":"pass"}]`
	start1, end1 := `{"event":"start","key":"ONE"}`, `{"event":"end","key":"ONE","case":{`+good+`}}`
	failed := []string{start1, `{"event":"failed","text":"it failed"}`}
	result := func(text string) []string {
		return []string{start1, `{"event":"end","key":"ONE","case":{` + text + `}}`, hang}
	}
	all := []lies{
		{"floods", []string{start1, flood, hang}, "too many messages \"alive\"", false},
		{"never ends a line", []string{start1, endless, hang}, "a message of more than 256 KiB", false},
		{"bombs", []string{start1, bomb, hang}, "the end of a case that is not in the plan", false},
		{"bombs a case", result(`"outcome":"pass","checks":[` + strings.Repeat("{},", 60000) + `{}]`),
			"60001 checks, at most 2 are possible", false},
		{"leaves rubbish behind", []string{start1, rubbish, hang}, "more than 1536 KiB for 2 cases", false},
		{"makes noise", []string{start1, noise}, "the worker ended before its specs did", false},
		{"sends half a message and ends", []string{start1, half, `{"event":"en`},
			"the worker ended before its specs did", false},
		{"sends half a message and hangs", []string{start1, half, `{"event":"en`, hang},
			"the worker sent nothing for", false},
		{"closes its results", []string{start1, end1, shut}, "the worker closed its results and did not end", false},
		{"unknown key", []string{start1, `{"event":"alive","evil":1}`, hang}, `unknown field "evil"`, false},
		{"unknown key inside", result(`"outcome":"pass","evil\u001b[2J":1`), `unknown field "evil\x1b[2J"`, false},
		{"a name of its own", result(`"outcome":"pass","name":"x"`), `unknown field "name"`, false},
		{"unknown event", []string{start1, `{"event":"\u001b]0;x"}`, hang},
			`a message of an unknown kind: "\x1b]0;x"`, false},
		{"no JSON", []string{start1, "::add-mask::x", hang},
			"a message that cannot be decoded: invalid character ':'", false},
		{"two values", []string{start1, `{"event":"alive"}{}`, hang}, "text after the JSON value", false},
		{"deep", []string{start1, strings.Repeat("[", 100000), hang}, "a message that cannot be decoded", false},
		{"deep in a case", result(`"checks":` + strings.Repeat(`[`, 100000)),
			"a message that cannot be decoded", false},
		{"not UTF-8", []string{start1, "{\"event\":\"leftover\",\"text\":\"\xff\"}", hang}, "text that is not UTF-8",
			false},
		{"huge number", result(`"outcome":"pass","duration_ns":1e400`),
			"a message that cannot be decoded: json: cannot unmarshal", false},
		{"long ago", result(`"outcome":"pass","duration_ns":9000000000000000000`), "it lasted 2500000h", false},
		{"before it began", result(`"outcome":"pass","duration_ns":-1`), "it lasted -1ns", false},
		{"line", result(`"outcome":"fail","problems":[{"line":-5,"message":"x"}]`), "the line number -5", false},
		{"outcome", result(`"outcome":"passed"`), `the unknown outcome "passed"`, false},
		{"outcome of a check", result(`"outcome":"pass","checks":[{"outcome":"great"}]`),
			`the unknown outcome "great" of a check`, false},
		{"passed without its check", result(`"outcome":"pass"`), "it passed with 0 of its 1 checks", false},
		{"passed by what was before", result(`"outcome":"pass","checks":[{"phase":"before","outcome":"pass"}]`),
			"it passed with 0 of its 1 checks", false},
		{"passed with a failed check",
			result(`"outcome":"pass","checks":[{"phase":"after","outcome":"fail","line":7}]`),
			"it passed with a check that is fail, line 7", false},
		{"passed with a problem", result(good + `,"problems":[{"message":"x"}]`), "it passed with 1 problems", false},
		{"another case's result", result(`"outcome":"pass","scenario":"SCENARIO","driver":"netlink",` +
			`"kind":"step","step":2,"title":"two"`),
			"an impossible result of “one”: it belongs to", false},
		{"end without a start", []string{end1, hang}, "the end of “one”, which is not running", false},
		{"end of a case that is not planned", []string{`{"event":"end","key":"else","case":{"outcome":"pass"}}`, hang},
			`the end of a case that is not in the plan: "else"`, false},
		{"start of a case that is not planned", []string{`{"event":"start","key":"else"}`, hang},
			`not in the plan: "else"`, false},
		{"two at once", []string{start1, `{"event":"start","key":"TWO"}`, hang},
			"the start of “two” while “one” runs", false},
		{"starts again", []string{start1, end1, start1, hang}, "a second start of “one”", false},
		{"ends again", []string{start1, end1, end1, hang}, "a second end of “one”", false},
		{"goes on after its end", []string{start1, end1, `{"event":"done"}`, start1, hang},
			`the message "start" after its last one`, false},
		{"done in the middle", []string{start1, `{"event":"done"}`, hang}, "its last message while a case runs", false},
		{"failure of nothing", []string{`{"event":"failed","text":"it failed"}`, hang}, "a failure while no case runs",
			false},
		{"failed and passed", append(failed, end1, hang), "the outcome pass of “one” after its failure", false},
		{"kept without being asked", append(failed, `{"event":"kept","threads":[1]}`, hang),
			"a message about kept labs without --keep", false},
		{"kept without a failure", []string{start1, `{"event":"kept","threads":[1]}`, hang},
			"a message about kept labs before any failure", true},
		{"kept with words", append(failed, `{"event":"kept","threads":[1],"text":"rm -rf /"}`, hang),
			`a message "kept" with "text"`, true},
		{"kept with a command", append(failed, `{"event":"kept","commands":["rm -rf /"]}`, hang),
			`unknown field "commands"`, true},
		{"kept by nobody", append(failed, `{"event":"kept","threads":[-1]}`, hang), "the thread id -1", true},
		{"kept by text", append(failed, `{"event":"kept","threads":["1; rm"]}`, hang), "cannot unmarshal", true},
		{"kept too many", append(failed, `{"event":"kept","threads":[1,1,1,1]}`, hang),
			"4 kept labs of 2 cases", true},
		{"unable in the middle", []string{start1, `{"event":"unable","text":"x"}`, hang},
			`a message "unable" that was not asked for`, false},
	}
	t.Run("all at once", func(t *testing.T) {
		for _, c := range all {
			t.Run(c.name, func(t *testing.T) {
				if testing.Short() && c.name == "sends half a message and hangs" {
					t.Skip("-short: it waits until the worker counts as silent")
				}
				u := unitOf(t, "Title", Job{Drivers: []string{"netlink"}, Keep: c.keep}, "one", "two")
				r := runLiar(t, u, c.lines)
				cases := r.Suites[0].Cases
				if len(cases) != 2 || cases[1].Outcome != scenario.NotRun || !strings.Contains(cases[1].Reason, c.want) {
					t.Errorf("the report is incomplete or lacks %q: %+v", c.want, cases)
				}
				if cases[0].Outcome != scenario.Pass && !strings.Contains(cases[0].Reason, c.want) {
					t.Errorf("the case lacks the reason %q: %+v", c.want, cases[0])
				}
				if len(r.Problems) != 1 || !r.Cut {
					t.Errorf("problems %q, cut short: %v", r.Problems, r.Cut)
				}
				if text := fmt.Sprint(outcomes(r), r.Problems); strings.ContainsAny(text, "\x1b\u009b") {
					t.Errorf("an escape sequence came through: %q", text)
				}
			})
		}
	})
	// The run has been sent 1.6 GB, and needs less memory than one of the floods.
	t.Logf("peak %d MB", peakMemory(t)>>20)
	if peak := peakMemory(t); peak > 300<<20 {
		t.Errorf("this process used %d MB", peak>>20)
	}
}

// runLiar runs a unit whose worker sends these lines. In them the name of a case in capitals stands for its key, and
// SCENARIO for the unit's id.
func runLiar(t *testing.T, u Job, lines []string) Result {
	t.Helper()
	t.Parallel()
	return runLiarWith(t, u, lines, nil)
}

// runLiarWith is runLiar, alone, where evidence is kept if keep is there.
func runLiarWith(t *testing.T, u Job, lines []string, keep func(Failure) (string, error)) Result {
	t.Helper()
	plan := mustPlan(t, u)
	words := []string{"SCENARIO", u.Unit}
	for key, at := range plan[0].at {
		quoted, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, `"`+strings.ToUpper(plan[0].Suites[0].Cases[at.index].Name)+`"`, string(quoted))
	}
	told := make([]string, len(lines))
	for i, line := range lines {
		told[i] = strings.NewReplacer(words...).Replace(line)
	}
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte(strings.Join(told, "\x00")), 0o600); err != nil {
		t.Fatal(err)
	}
	grace := time.Minute // a worker that ends by itself may take its time under load
	if slices.Contains(lines, shut) {
		grace = 100 * time.Millisecond
	}
	return Run(t.Context(), plan, Options{
		Grace: grace, Evidence: keep,
		// Hardly a liar sends signs of life, so it counts as hung after five silent seconds.
		patience: patience{every: 20 * time.Millisecond, stopped: 1 << 20, silent: 250},
		Start: func(job Job, in, out, stderr *os.File) (Process, error) {
			return startAs(in, out, stderr, liarWord, script)
		},
		Kept: func(_ context.Context, k KeptLabs) { t.Errorf("%s kept %d", k.Unit, k.Threads) },
	})
}

// peakMemory is the largest resident set of this process so far, in bytes.
func peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

package progress

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
)

const lesson = `---
id: two
vars:
  net: [10.1.0.0/24, 10.2.0.0/24]
---
# Two namespaces

## Make one

- [ ] namespace ` + "`a`" + ` exists

> [!TIP]
> A hint.

## Make another

- [ ] namespace ` + "`b`" + ` exists
`

var noon = time.Date(2026, 11, 29, 12, 0, 0, 123, time.FixedZone("CET", 3600))

func parsed(t testing.TB, text string) *scenario.Scenario {
	t.Helper()
	sc, err := scenario.ParseWith("two.md", []byte(text), scenario.Values{Seed: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// sample is a file with something in each place.
func sample(t testing.TB) *File {
	f := New(parsed(t, lesson), noon)
	f.Seed, f.Challenge, f.Exam = "anna", &Challenge{1, 2, "anna"}, true
	f.Update([]sitting.Past{{Done: true, Hints: 1}, {Solved: true}}, noon.Add(time.Minute))
	f.Add(Entry{At: noon, Step: 1, Terminal: 1, Line: "ip netns add a"})
	f.Add(Entry{At: noon, Step: 1, Do: Hint})
	f.Add(Entry{At: noon, Step: 2, Terminal: 2, Netns: "a", Line: "echo '<&>' \x1b[2J\nfoo", Status: 2})
	return f
}

const written = `{
  "format": "netnscheck progress",
  "version": 1,
  "scenario": "two",
  "text": "sha256:T",
  "variables": {
    "net": "N"
  },
  "seed": "anna",
  "challenge": {
    "faults": 1,
    "level": 2,
    "seed": "anna"
  },
  "exam": true,
  "began": "2026-11-29T11:00:00Z",
  "saved": "2026-11-29T11:01:00Z",
  "steps": [
    {"title":"Make one","done":"2026-11-29T11:01:00Z","hints":1},
    {"title":"Make another","solved":true}
  ],
  "log": [
    {"at":"2026-11-29T11:00:00Z","step":1,"terminal":1,"line":"ip netns add a"},
    {"at":"2026-11-29T11:00:00Z","step":1,"do":"hint"},
    {"at":"2026-11-29T11:00:00Z","step":2,"terminal":2,"netns":"a","line":"echo '<&>' \u001b[2J\nfoo","status":2}
  ],
  "sum": "sha256:S"
}
`

// encoded is the file as text.
func encoded(t testing.TB, f *File) string {
	t.Helper()
	text, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEncode: the file is as small and readable as this, and what is read is what was written.
func TestEncode(t *testing.T) {
	f := sample(t)
	got := encoded(t, f)
	sum := got[strings.LastIndex(got, hashName)+len(hashName):][:64]
	readable := strings.NewReplacer(strings.TrimPrefix(f.Text, hashName), "T", sum, "S", f.Variables["net"], "N").
		Replace(got)
	if diff := cmp.Diff(written, readable); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	back, err := Decode([]byte(got))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, back, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Errorf("-written +read\n%s", diff)
	}
	if _, err := Decode([]byte(strings.ReplaceAll(got, "\n", "\r\n"))); err != nil {
		t.Errorf("with other line ends: %v", err)
	}
}

// TestDamage: whatever a file has lost or got, it is told, and where.
func TestDamage(t *testing.T) {
	good := encoded(t, sample(t))
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "the file is empty"},
		{"binary", "\xff\xfe", "the file is not UTF-8"},
		{"zeros", strings.Repeat("\x00", 512), "line 1: invalid character '\\x00' looking for beginning of value"},
		{"half", good[:len(good)/2], "line 19: unexpected end of JSON input"},
		{"no JSON", "\n\nhello", "line 3: invalid character 'h' looking for beginning of value"},
		{"null", "null", "it is no progress file of a lab"},
		{"another format", `{"results": []}`, "it is no progress file of a lab"},
		{"a newer version", strings.Replace(good, `"version": 1`, `"version": 2, "new": 1`, 1),
			"the file has version 2, and this program knows version 1: use a newer one"},
		{"no version", strings.Replace(good, `"version": 1`, `"version": 0`, 1),
			"there is no version 0 of progress files"},
		{"an unknown key", strings.Replace(good, `"exam"`, `"oral"`, 1), `unknown field "oral"`},
		{"another type", strings.Replace(good, `"steps": [`, `"steps": [7,`, 1), "line 18: steps is a number"},
		{"text behind it", good + "{}", "line 29: invalid character '{' after top-level value"},
		{"a status", strings.Replace(good, `"status":2`, `"status":0`, 1),
			"the checksum is not that of the file: it is damaged, or was changed"},
		{"a step done", strings.Replace(good, `another","solved":true`, `another","done":"2026-11-29T11:01:00Z"`, 1),
			"the checksum is not that of the file: it is damaged, or was changed"},
		{"no steps", strings.Replace(good, `"steps": [`, `"steps": [], "x": [`, 1), `unknown field "x"`},
		{"an act", strings.Replace(good, `"do":"hint"`, `"do":"cheat"`, 1),
			`entry 2 of the log: there is no act "cheat"`},
		{"a step", strings.Replace(good, `"step":2`, `"step":9`, 1), "entry 3 of the log: there is no step 9"},
		{"an id", strings.Replace(good, `"two"`, `"../two"`, 1), "the scenario is no id"},
		{"a level", strings.Replace(good, `"level": 2`, `"level": -2`, 1), "the challenge is out of bounds"},
		{"huge", good + strings.Repeat(" ", MaxSize), "the file has more than 8 MiB"},
	} {
		f, err := Decode([]byte(c.text))
		if f != nil || err == nil || err.Error() != "read the progress: "+c.want {
			t.Errorf("%s: got %v", c.name, err)
		}
		var newer *NewerError
		if errors.As(err, &newer) != (c.name == "a newer version") {
			t.Errorf("%s: got a %T", c.name, err)
		}
	}
}

// TestSmallTextsTakeLittleMemory: what a learner hands in takes no more memory than a file that a lab has written.
func TestSmallTextsTakeLittleMemory(t *testing.T) {
	head := `{"format":"netnscheck progress","version":1,`
	for name, c := range map[string]struct{ begin, one, end string }{
		"entries":   {head + `"log":[`, `{},`, `{}]}`},
		"nothing":   {head + `"log":[`, `null,`, `null]}`},
		"steps":     {head + `"steps":[`, `{},`, `{}]}`},
		"variables": {head + `"variables":{`, `"a":"",`, `"a":""}}`},
		"told":      {head + `"log":[{"told":[`, `"",`, `""]}]}`},
		"depth":     {head + `"log":`, `[`, `]}`},
	} {
		text := c.begin + strings.Repeat(c.one, (MaxSize-len(c.begin)-len(c.end))/len(c.one)) + c.end
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode([]byte(text))
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; err == nil || took > 200 {
			t.Errorf("%s: %d MiB, %v", name, took, err)
		}
	}
}

// TestTheLogIsBounded: what is too long is cut, what has no room is counted, and the file can still be read.
func TestTheLogIsBounded(t *testing.T) {
	f := sample(t)
	before := len(f.Log)
	f.Add(Entry{At: noon, Step: 1, Line: strings.Repeat("ä", maxLine), Netns: strings.Repeat("n", 999)})
	f.Add(Entry{At: noon, Step: 1, Line: "printf \xff"})
	for _, e := range f.Log[before:] {
		if !e.Cut || len(e.Line) > maxLine || len(e.Netns) > maxName {
			t.Errorf("a line of %d bytes, a name of %d, cut %v", len(e.Line), len(e.Netns), e.Cut)
		}
	}
	added := 0
	for f.Add(Entry{At: noon, Step: 1, Line: strings.Repeat("\x01", maxLine)}) {
		added++
	}
	if added == 0 || f.Dropped != 1 {
		t.Errorf("%d added, %d dropped", added, f.Dropped)
	}
	text := encoded(t, f)
	if len(text) > MaxSize {
		t.Errorf("the file has %d bytes", len(text))
	}
	if _, err := Decode([]byte(text)); err != nil {
		t.Error(err)
	}
	small := New(parsed(t, lesson), noon)
	for range maxEntries {
		small.Add(Entry{At: noon, Step: 1, Do: Next})
	}
	if small.Add(Entry{At: noon, Step: 1, Do: Next}) || len(small.Log) != maxEntries {
		t.Errorf("%d entries", len(small.Log))
	}
}

// TestAnyEntryCanBeKept: whatever a program in the lab has made of an entry, such as by a mark of its own, the file can
// be written.
func TestAnyEntryCanBeKept(t *testing.T) {
	f := sample(t)
	before := len(f.Log)
	for _, e := range []Entry{
		{Step: 1, Line: "a", Status: 99999}, {Step: 1, Line: "a", Status: -7}, {Step: 1, Terminal: 1 << 40, Line: "a"},
		{Step: 0, Line: "a"}, {Step: 99, Line: "a"}, {Step: 1, Do: "cheat"}, {Step: 1, Do: Hint, Line: "a"},
	} {
		e.At = noon
		f.Add(e)
		if _, err := f.Encode(); err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
	}
	if f.Log[before].Status != NoStatus || f.Log[before+1].Status != NoStatus || len(f.Log) != before+2 ||
		f.Dropped != 5 {
		t.Errorf("%+v, %d dropped", f.Log[before:], f.Dropped)
	}
	f.Update([]sitting.Past{{Hints: 1 << 40}, {Hints: -1}}, noon)
	if _, err := f.Encode(); err != nil {
		t.Error(err)
	}
}

// TestSolvedEarnsNothing: a step that the log has solved is solved, whatever the file says of the step.
func TestSolvedEarnsNothing(t *testing.T) {
	f := New(parsed(t, lesson), noon)
	f.Add(Entry{At: noon, Step: 2, Do: Solve})
	f.Add(Entry{At: noon, Step: 3, Do: Solve})
	f.Update([]sitting.Past{{Done: true}, {Done: true}}, noon)
	want := []sitting.Past{{Done: true}, {Done: true, Solved: true}}
	if diff := cmp.Diff(want, f.Past()); diff != "" {
		t.Error(diff)
	}
}

// TestEncodeRefuses: what Decode would not take is not written.
func TestEncodeRefuses(t *testing.T) {
	f := sample(t)
	f.Seed = strings.Repeat("x", maxLine+1)
	if _, err := f.Encode(); err == nil || err.Error() != "write the progress: the variables are out of bounds" {
		t.Errorf("got %v", err)
	}
}

// TestPast: what a sitting remembers comes back, and a step keeps the time at which it was done.
func TestPast(t *testing.T) {
	f := New(parsed(t, lesson), noon)
	past := []sitting.Past{{Done: true, Hints: 1}, {Solved: true}}
	f.Update(past, noon)
	f.Update(past, noon.Add(time.Hour))
	if diff := cmp.Diff(past, f.Past()); diff != "" {
		t.Error(diff)
	}
	if !f.Steps[0].Done.Equal(noon.Truncate(time.Second)) || f.DoneSteps() != 1 || f.Finished() {
		t.Errorf("%+v", f.Steps)
	}
	past[1].Done = true
	if f.Update(past, noon); !f.Finished() {
		t.Error("it is not finished")
	}
	past[0].Done = false
	if f.Update(past, noon); !f.Steps[0].Done.IsZero() {
		t.Error("a step that was reset is done")
	}
}

// TestFits: a file is about one text of one scenario, with any values of its variables.
func TestFits(t *testing.T) {
	f := New(parsed(t, lesson), noon)
	sc, err := scenario.ParseWith("elsewhere.md", []byte(lesson), f.Values())
	if err != nil || f.Fits(sc) != nil || sc.Vars[0].Value != f.Variables["net"] {
		t.Errorf("the same: %v, %v", err, f.Fits(sc))
	}
	if err := f.Fits(parsed(t, lesson+"\nMore.\n")); !errors.Is(err, ErrChanged) {
		t.Errorf("another text: %v", err)
	}
	err = f.Fits(parsed(t, strings.Replace(lesson, "id: two", "id: three", 1)))
	if err == nil || err.Error() != "go on with the lab: its progress is about the scenario two, not three" {
		t.Errorf("another scenario: %v", err)
	}
}

// TestReplay: a reset takes back what was done before it, that of a step what was done in it.
func TestReplay(t *testing.T) {
	f := &File{Log: []Entry{
		{Step: 1, Line: "lost"}, {Step: 1, Do: Reset}, {Step: 1, Line: "one"}, {Step: 1, Do: Hint},
		{Step: 2, Line: "gone"}, {Step: 2, Do: Solve}, {Step: 2, Do: ResetStep}, {Step: 2, Line: "two"},
		{Step: 2, Do: Next}, {Step: 3, Do: Solve},
	}}
	want := []Entry{{Step: 1, Line: "one"}, {Step: 2, Line: "two"}, {Step: 3, Do: Solve}}
	if diff := cmp.Diff(want, f.Replay()); diff != "" {
		t.Error(diff)
	}
}

// FuzzDecode: any text is read or refused, and what was read is written as it was.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(encoded(f, sample(f))))
	f.Add([]byte(encoded(f, New(parsed(f, lesson), noon))))
	f.Add([]byte(`{"format":"netnscheck progress","version":1,"steps":[{}],"log":[{"step":1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, _, err := decode(text) // no mutation would have the right checksum
		if err != nil {
			return
		}
		again, err := Decode([]byte(encoded(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(file, again, cmpopts.IgnoreUnexported(File{}), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		file.Replay()
	})
}

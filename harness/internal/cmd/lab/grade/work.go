package grade

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"netnscheck/harness/fault"
	class "netnscheck/harness/grade"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/replay"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
	"netnscheck/harness/term"
)

// work is what a learner handed in, ready to be replayed.
type work struct {
	scenario *scenario.Scenario // with his values
	// challenge is set if he looked for faults in its finished network.
	challenge *progress.Challenge
	commands  []replay.Command
	shell     string
	whole     bool
	past      []sitting.Past
	exam      bool // as his file says
	// remark is what the teacher should know about the file.
	remark string
}

// workOf reads the file of a learner. seeded is set if a roster gives each learner a seed.
func (o *options) workOf(h class.Handed, sc *scenario.Scenario, seeded bool) (work, error) {
	text, err := readFile(h.Of.Path, progress.MaxSize)
	if err != nil {
		return work{}, err
	}
	w := work{scenario: sc}
	chosen := o.values.Given()
	if seeded && !chosen && len(sc.Vars) > 0 {
		chosen = true
		if w.scenario, err = scenario.ParseWith(sc.File, []byte(sc.Source), scenario.Values{Seed: h.Seed}); err != nil {
			return w, err
		}
	}
	seed := o.values.Seed()
	if seed == "" && seeded {
		seed = h.Seed
	}
	if o.faults.On {
		w.challenge = &progress.Challenge{Faults: o.faults.Faults, Level: o.faults.Level, Seed: seed}
	}
	if filepath.Ext(h.Of.Path) == ".json" || bytes.HasPrefix(bytes.TrimSpace(text), []byte("{\"")) {
		err = w.ofProgress(o, text, chosen, seed)
		return w, err
	}
	if w.challenge != nil && seed == "" {
		return w, errors.New("a script does not say which faults it mends: give their seed (--seed, or a roster)")
	}
	switch {
	case len(text) > replay.MaxScript:
		return w, fmt.Errorf("a script of more than %d KiB", replay.MaxScript>>10)
	case !utf8.Valid(text) || bytes.ContainsRune(text, 0):
		return w, errors.New("it is no script: it is not UTF-8")
	}
	w.commands, w.shell = replay.OfScript(string(text))
	w.whole = true
	return w, nil
}

// page is what he worked on, as far as it is known outside: the scenario, or the outline of the page of a challenge.
func (w *work) page() *scenario.Scenario {
	if w.challenge != nil {
		return fault.Outline(w.scenario, w.challenge.Faults)
	}
	return w.scenario
}

// ofChallenge takes the faults of a progress file, if they are of those that are to be graded.
func (w *work) ofChallenge(o *options, c *progress.Challenge, seed string) error {
	switch {
	case c == nil && w.challenge == nil:
		return nil
	case c == nil:
		return errors.New("it is about the lab itself, not about faults in its network (--challenge)")
	case w.challenge == nil:
		return errors.New("it is about faults in the network of the lab: grade those with --challenge")
	case c.Faults != o.faults.Faults:
		return fmt.Errorf("its network has %s, not %d: see --faults", term.Count(c.Faults, "fault"), o.faults.Faults)
	case o.faults.Level != 0 && c.Level != o.faults.Level:
		return fmt.Errorf("its faults were to be of %s, not of level %d", ofLevel(c.Level), o.faults.Level)
	case seed != "" && c.Seed != seed:
		return fmt.Errorf("its faults are of the seed %s, not of this learner's, %s", term.Brief(c.Seed),
			term.Brief(seed))
	}
	w.challenge = c
	return nil
}

func ofLevel(level int) string {
	if level == 0 {
		return "any level"
	}
	return fmt.Sprintf("level %d", level)
}

// ofProgress reads a progress file. Its values of the variables, and its faults, are taken if nothing else chooses
// them.
func (w *work) ofProgress(o *options, text []byte, chosen bool, seed string) error {
	f, err := progress.Decode(text)
	switch {
	case err != nil:
		return err
	case f.Scenario != w.scenario.ID:
		return fmt.Errorf("it is about the lab %s, not %s", f.Scenario, w.scenario.ID)
	}
	if err := w.ofChallenge(o, f.Challenge, seed); err != nil {
		return err
	}
	if n := len(w.page().Steps); len(f.Steps) != n {
		return fmt.Errorf("it is about another version of the lab, with %d steps, not %d", len(f.Steps), n)
	}
	if !chosen && len(w.scenario.Vars) > 0 {
		of := w.scenario
		if w.scenario, err = scenario.ParseWith(of.File, []byte(of.Source), f.Values()); err != nil {
			return fmt.Errorf("its values of the variables: %w", err)
		}
	}
	if w.commands, err = replay.OfProgress(f); err != nil {
		return err
	}
	if w.shell = "sh"; hasBash() {
		w.shell = "bash"
	}
	w.past, w.exam = f.Past(), f.Exam
	var remarks []string
	if other := w.otherValues(f.Variables); other != "" {
		remarks = append(remarks, "it was done with values that are not this learner's: "+other)
	}
	if f.Text != progress.Fingerprint(w.scenario) {
		remarks = append(remarks, "the text of the lab has changed since it was begun")
	}
	w.remark = strings.Join(remarks, "; ")
	return nil
}

// otherValues are the values in a file that are not those of the learner's scenario.
func (w *work) otherValues(values map[string]string) string {
	own := map[string]string{}
	for _, v := range w.scenario.Vars {
		own[v.Name] = v.Value
	}
	var other []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != own[name] {
			other = append(other, name+"="+values[name])
		}
	}
	return strings.Join(other, ", ")
}

func hasBash() bool {
	_, err := program.LookPath("bash")
	return err == nil
}

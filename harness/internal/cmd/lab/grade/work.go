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

	class "netnscheck/harness/grade"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/replay"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// work is what a learner handed in, ready to be replayed.
type work struct {
	scenario *scenario.Scenario // with his values
	commands []replay.Command
	shell    string
	whole    bool
	past     []sitting.Past
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
	if filepath.Ext(h.Of.Path) == ".json" || bytes.HasPrefix(bytes.TrimSpace(text), []byte("{\"")) {
		err = w.ofProgress(text, chosen)
		return w, err
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

// ofProgress reads a progress file. Its values of the variables are taken if nothing else chooses them.
func (w *work) ofProgress(text []byte, chosen bool) error {
	f, err := progress.Decode(text)
	switch {
	case err != nil:
		return err
	case f.Scenario != w.scenario.ID:
		return fmt.Errorf("it is about the lab %s, not %s", f.Scenario, w.scenario.ID)
	case len(f.Steps) != len(w.scenario.Steps):
		return fmt.Errorf("it is about another version of the lab, with %d steps, not %d", len(f.Steps),
			len(w.scenario.Steps))
	case f.Challenge != nil:
		return errors.New("it is about a network with a fault (--challenge), and only the lab itself is graded")
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
	w.past = f.Past()
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

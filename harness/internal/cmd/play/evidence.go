package play

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"netnscheck/harness/internal/cmd/version"
	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
	"netnscheck/reports"
)

// Evidence is where the evidence of a run is kept: a folder, with one in it for each case that failed.
type Evidence struct {
	folder     string
	kept, left int
}

// mostFolders is of how many cases evidence is kept. Where more of them fail, there is hardly more to see.
const mostFolders = 100

// OpenEvidence checks that evidence can be kept below a folder of results. It changes nothing.
func OpenEvidence(results string) (*Evidence, error) {
	e := &Evidence{folder: filepath.Join(results, "evidence")}
	if _, err := os.Lstat(e.folder); errors.Is(err, fs.ErrNotExist) {
		return e, nil // a folder of results that cannot be made is told by the reports
	}
	return e, reports.CheckFolder(e.folder)
}

// clear removes the evidence of an earlier run: of folders that are named like the case in their case file, the files
// that evidence has. What else is there is somebody else's, and stays.
func (e *Evidence) clear() error {
	if e == nil {
		return nil
	}
	entries, err := os.ReadDir(e.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, entry := range entries {
		errs = append(errs, remove(filepath.Join(e.folder, entry.Name())))
	}
	os.Remove(e.folder) // if nothing is left in it: it is made with the first evidence
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove the evidence of an earlier run: %w", err)
	}
	return nil
}

// remove removes a folder of evidence: the files that evidence has, and the folder if nothing else is in it. A folder
// that is none, or is not named like its case, stays as it is.
func remove(dir string) error {
	file, err := os.ReadFile(filepath.Join(dir, evidence.CaseFile))
	if err != nil || !evidence.Wrote(file, filepath.Base(dir)) {
		return nil
	}
	var errs []error
	for _, f := range evidence.Files {
		if err := os.Remove(filepath.Join(dir, f.Name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	os.Remove(dir)
	return errors.Join(errs...)
}

// keeper keeps evidence about cases that were played on a machine with these properties; nil if none is to be kept.
func (e *Evidence) keeper(machine []reports.Property) func(specrun.Failure) (string, error) {
	if e == nil {
		return nil
	}
	return func(f specrun.Failure) (string, error) {
		if e.kept == mostFolders {
			e.left++
			return "", nil
		}
		folder := filepath.Join(e.folder, f.Case.CaseID())
		err := fill(f.Evidence, f, machine)
		if err == nil {
			err = write(folder, f.Evidence.Files)
		}
		if err != nil {
			return "", fmt.Errorf("keep the evidence of %s: %w", f.Case.CaseID(), err)
		}
		e.kept++
		return folder, nil
	}
}

// fill adds what this process knows: the case, the scenario, the script, and the index.
func fill(b *evidence.Bundle, f specrun.Failure, machine []reports.Property) error {
	sc, c := f.Job.Scenario, f.Case
	known := evidence.Case{
		Program: evidence.Program + " " + version.Of(), ID: c.CaseID(), Driver: c.Driver, Name: c.Name,
		Outcome: string(c.Outcome), File: sc.File, Taken: f.Job.Taken, Seed: f.Job.Seed, StrictOutput: f.Job.StrictOutput,
		Variables: map[string]string{}, Machine: map[string]string{},
	}
	for _, v := range sc.Vars {
		known.Variables[v.Name] = v.Value
	}
	for _, p := range machine {
		known.Machine[p.Name] = p.Value
	}
	text, err := known.Encode(sc.Source)
	if err != nil {
		return err
	}
	b.Files[evidence.CaseFile], b.Files[evidence.Scenario] = text, []byte(sc.Source)
	draw(b)
	title := fmt.Sprintf("%s, driver %s, “%s” (%s:%d): %s", sc.ID, c.Driver, c.Name, c.File, c.Line, c.Outcome)
	if len(b.Lines) == 0 {
		b.Lack(evidence.Script, "no command of the section is known to have been run")
	} else if script, err := evidence.ScriptText(sc, c.CaseID(), title, b.Lines); err != nil {
		b.Lack(evidence.Script, err.Error())
	} else {
		b.Files[evidence.Script] = []byte(script)
	}
	b.Files[evidence.Index] = []byte(b.IndexText(title, c.Describe()))
	return nil
}

// draw adds the picture of the state after the section. It is drawn here, of values: what a sandbox calls a picture
// could be a program for whoever opens it.
func draw(b *evidence.Bundle) {
	if b.Files[evidence.AfterJSON] == nil {
		b.Lack(evidence.DrawingSVG, b.Lacks[evidence.AfterJSON])
		return
	}
	after, err := state.Decode(b.Files[evidence.AfterJSON])
	if err != nil {
		b.Lack(evidence.DrawingSVG, err.Error())
		return
	}
	var changed []string
	if before, err := state.Decode(b.Files[evidence.BeforeJSON]); err == nil {
		changed = state.Diff(before, after)
	}
	svg := drawing.Of(after, drawing.Options{Width: evidence.Columns, Changed: changed}).SVG()
	b.Files[evidence.DrawingSVG] = []byte(svg)
}

// write writes the files of a folder, the case file first, by which the folder is known. One that could not be written
// whole is removed.
func write(folder string, files map[string][]byte) error {
	if err := errors.Join(remove(folder), os.MkdirAll(folder, 0o755)); err != nil {
		return err
	}
	if err := reports.WriteFile(filepath.Join(folder, evidence.CaseFile), files[evidence.CaseFile]); err != nil {
		os.Remove(folder)
		return err
	}
	for _, f := range evidence.Files {
		if content := files[f.Name]; content != nil && f.Name != evidence.CaseFile {
			if err := reports.WriteFile(filepath.Join(folder, f.Name), content); err != nil {
				return errors.Join(err, remove(folder))
			}
		}
	}
	return nil
}

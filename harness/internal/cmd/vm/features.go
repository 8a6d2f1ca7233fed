package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/vm/features"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// tried is what a guest says of the features of its kernel.
type tried struct {
	row      matrix.Row
	kernel   kernels.Kernel
	findings []machine.Feature
	err      error
}

// runFeatures tries the features of all kernels, and writes the table of them. A feature that a newer kernel lacks, or
// that a kernel had in the table before, is a failure unless the file says that it is gone. Then the file stays as it
// was.
func (o *options) runFeatures(ctx context.Context, rows []matrix.Row) error {
	if len(o.choice.Names) > 0 {
		return status.Usagef("--features plays no scenario: it was given %s", strings.Join(o.choice.Names, " "))
	}
	before, err := readFeatures()
	if err != nil {
		return err
	}
	rig, err := guests.Open(o.guests, func(text string) { fmt.Fprintln(o.screen.Err, term.Printable(text)) })
	if err != nil {
		return err
	}
	defer rig.Close()
	if err := rig.Ready(ctx, rows); err != nil {
		return err
	}
	all := o.tryAll(ctx, rig, rows)
	var errs []error
	for _, one := range all {
		errs = append(errs, one.err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	table := tableOf(all)
	table.Gone = before.Gone
	if err := o.printFeatures(table); err != nil {
		return err
	}
	bad := append(table.Vanished(kernels.CompareRelease), table.Lost(before, kernels.CompareRelease)...)
	for _, line := range bad {
		fmt.Fprintf(o.screen.Err, "vanished: %s\n", line)
	}
	if len(bad) > 0 {
		return fmt.Errorf("compare the kernels: %s vanished; %s stays as it was",
			term.Count(len(bad), "feature"), features.File)
	}
	text, err := table.Text()
	if err != nil {
		return err
	}
	return reports.WriteFile(features.File, text)
}

// readFeatures reads the table that is there, an empty one if there is none.
func readFeatures() (*features.Table, error) {
	text, err := os.ReadFile(features.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &features.Table{}, nil
	case err != nil:
		return nil, status.Usagef("read the features: %w", err)
	}
	t, err := features.Parse(text)
	return t, status.With(status.Usage, err)
}

// tryAll tries the features in all guests, some of them side by side.
func (o *options) tryAll(ctx context.Context, rig *guests.Rig, rows []matrix.Row) []tried {
	all := make([]tried, len(rows))
	queue := make(chan int, len(rows))
	for i := range rows {
		queue <- i
	}
	close(queue)
	var jobs sync.WaitGroup
	var telling sync.Mutex
	for range o.sideBySide(len(rows)) {
		jobs.Go(func() {
			for i := range queue {
				all[i] = o.try(ctx, rig, rows[i], func(line string) {
					telling.Lock()
					defer telling.Unlock()
					fmt.Fprintln(o.screen.Err, line)
				})
			}
		})
	}
	jobs.Wait()
	return all
}

// try asks the doctor of a guest.
func (o *options) try(ctx context.Context, rig *guests.Rig, row matrix.Row, say func(string)) tried {
	t := tried{row: row}
	t.findings, t.kernel, t.err = rig.Features(ctx, row, guests.Folder(o.reporting.Output, row), func(n guests.News) {
		if n.Stage == guests.Booting {
			say(fmt.Sprintf("%s  boots %s", term.OneLine(row.Name()), release(n)))
		}
	})
	return t
}

// tableOf is the table of what the guests said, from the oldest kernel to the newest.
func tableOf(all []tried) *features.Table {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b tried) int {
		return kernels.CompareRelease(a.kernel.Release, b.kernel.Release)
	})
	t := &features.Table{}
	for _, one := range all {
		k := features.Kernel{Name: one.row.Name(), Release: one.kernel.Release}
		for _, f := range one.findings {
			t.Add(k, f.Name, f.Presence == kernel.Present.String(), f.Presence == kernel.Unknown.String())
		}
	}
	return t
}

// printFeatures prints the features in which kernels differ, and how many all have or none has.
func (o *options) printFeatures(t *features.Table) error {
	heading := []string{"feature"}
	for _, k := range t.Kernels {
		heading = append(heading, k.Name)
	}
	rows := [][]string{heading}
	everywhere, nowhere := 0, 0
	for i := range t.Features {
		f := &t.Features[i]
		switch {
		case len(f.Present) == len(t.Kernels):
			everywhere++
			continue
		case len(f.Present)+len(f.Undecided) == 0:
			nowhere++
			continue
		}
		row := []string{f.Name}
		for _, k := range t.Kernels {
			word := "yes"
			switch {
			case f.Absent(k.Name):
				word = "-"
			case slices.Contains(f.Undecided, k.Name):
				word = "?"
			}
			row = append(row, word)
		}
		rows = append(rows, row)
	}
	if len(rows) > 1 {
		if err := o.screen.List(rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(o.screen.Out, "%d of %s everywhere, %d nowhere, on %s\n", everywhere,
		term.Count(len(t.Features), "feature"), nowhere, term.Count(len(t.Kernels), "kernel"))
	return err
}

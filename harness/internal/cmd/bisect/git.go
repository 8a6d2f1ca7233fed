package bisect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/vm/halve"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/internal/vm/tree"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// buildLog is the name of the file with what make prints.
const buildLog = "build.log"

// helper judges one kernel for `git bisect run`, and tells it by its exit status.
func (o *options) helper(ctx context.Context) error {
	w, err := o.plan(ctx)
	if err != nil {
		return status.With(stop, err)
	}
	if follow := conditional(w.plan, o.choice.Taken); len(follow) > 0 {
		o.remark(fmt.Sprintf("Blocks with= and without= follow each commit, so that a change of %s is good on all: "+
			"--with or --without says how they are to be played.", reports.And(follow)))
	}
	rig, err := guests.Open(o.guests, o.remark)
	if err != nil {
		return status.With(stop, err)
	}
	defer rig.Close()
	// The programs do not depend on the commit: without them, no commit can be told.
	if err := rig.ReadyBut(ctx, matrix.Row{Kernel: o.kernel}); err != nil {
		return status.With(stop, err)
	}
	if tree.Is(o.kernel) {
		if err := o.build(ctx); err != nil {
			return err
		}
	}
	if err := o.find(ctx, rig); err != nil {
		return err
	}
	l, err := o.boot(ctx, rig, o.kernel, w)
	if err != nil {
		return status.With(stop, fmt.Errorf("judge %s: %w", o.kernel, err))
	}
	return o.tell(l)
}

// find finds the kernel. A tree or a file that is there and holds none is the commit's fault.
func (o *options) find(ctx context.Context, rig *guests.Rig) error {
	_, err := rig.Find(ctx, o.kernel)
	if err == nil {
		return nil
	}
	var wrong *kernels.NameError // any other error is this machine's
	info, missing := os.Stat(o.kernel)
	if !errors.As(err, &wrong) || missing != nil || info.IsDir() && !tree.Is(o.kernel) {
		return status.With(stop, err)
	}
	return status.With(cannotTell, fmt.Errorf("cannot be told: %w", err))
}

// build builds the tree. A commit that does not build cannot be told.
func (o *options) build(ctx context.Context) error {
	if err := os.MkdirAll(o.output, 0o755); err != nil {
		return status.With(stop, fmt.Errorf("make the output folder: %w", err))
	}
	path := filepath.Join(o.output, buildLog)
	log, err := os.Create(path)
	if err != nil {
		return status.With(stop, fmt.Errorf("write the log of the build: %w", err))
	}
	defer log.Close()
	fmt.Fprintf(o.screen.Err, "building %s; the log is %s\n", o.kernel, path)
	err = tree.Build(ctx, o.kernel, log)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, errors.Is(err, tree.ErrNotConfigured), errors.Is(err, tree.ErrNoMake), diskWasFull(path):
		return status.With(stop, fmt.Errorf("build %s: %w", o.kernel, err))
	}
	return status.With(cannotTell, fmt.Errorf("cannot be told: build %s: %w (%s)", o.kernel, err, path))
}

// diskWasFull reports whether a program of the build says so in the log, in which no fault of a commit has these words.
func diskWasFull(log string) bool {
	text, err := os.ReadFile(log)
	return err == nil && bytes.Contains(bytes.ToLower(text), []byte(syscall.ENOSPC.Error()))
}

// tell prints the verdict and turns it into the exit status.
func (o *options) tell(l look) error {
	v, why := l.alone()
	switch v {
	case halve.Good:
		fmt.Fprintf(o.screen.Out, "good: %s\n", term.OneLine(why))
		return nil
	case halve.Bad:
		fmt.Fprintf(o.screen.Out, "bad: %s\n", term.OneLine(why))
		return &status.Error{Status: status.Failed}
	}
	fmt.Fprintf(o.screen.Out, "cannot be told: %s\n", term.OneLine(why))
	return &status.Error{Status: cannotTell}
}

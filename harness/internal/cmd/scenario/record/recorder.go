package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/worker"
	"netnscheck/harness/recording"
	"netnscheck/harness/scenario"
)

// recorder is the process in the sandbox, as seen from outside.
type recorder struct {
	process   *sandbox.Process
	in, out   *os.File // the ends of its pipes
	to        *wire.Writer
	from      *wire.Reader
	lastWords chan string
	sent      []recording.Line // those that it took
}

// refused is the error of a line that was not taken, or of a recording that is none.
type refused struct {
	text  string
	lacks bool
}

func (r *refused) Error() string { return r.text }

// start starts the process and the lab. With a terminal the author's shell runs there.
func start(ctx context.Context, from *scenario.Scenario, open *wire.Open) (*recorder, error) {
	in, to, err1 := os.Pipe()
	answers, out, err2 := os.Pipe()
	said, says, err3 := os.Pipe()
	r := &recorder{in: to, out: answers, to: wire.NewWriter(to), from: wire.NewReader(answers),
		lastWords: make(chan string, 1)}
	err := errors.Join(err1, err2, err3)
	if err == nil {
		r.process, err = Role.Start(ctx, in, out, says, inside.Needs{TUN: worker.NeedsTUN(from)})
	}
	for _, f := range []*os.File{in, out, says} {
		f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{to, answers, said} {
			f.Close()
		}
		return nil, machine.NoSandbox(err)
	}
	go func() { r.lastWords <- untrusted.LastWords(said) }()
	_, err = r.exchange(request{from, open})
	if wrong := (*refused)(nil); errors.As(err, &wrong) && wrong.lacks {
		err = status.With(status.Cannot, err)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the lab: %w", err), r.end(ctx))
	}
	return r, nil
}

// exchange sends a value and receives the answer.
func (r *recorder) exchange(value any) (a answer, err error) {
	if err := r.to.Message(value); err != nil {
		return a, fmt.Errorf("send to the lab: %w", err)
	}
	f, err := r.from.Next()
	if err != nil {
		return a, lost(err)
	}
	return r.answer(f)
}

// lost is the error of an answer that does not come.
func lost(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the lab has ended")
	}
	return fmt.Errorf("read from the lab: %s", untrusted.Shown(err.Error()))
}

// answer reads an answer.
func (r *recorder) answer(f wire.Frame) (a answer, err error) {
	switch err := f.Decode(&a); {
	case err != nil:
		return a, lost(err)
	case a.Error != "":
		return a, &refused{untrusted.Shown(a.Error), a.Lacks}
	}
	return a, nil
}

// ask sends a line.
func (r *recorder) ask(m message) (answer, error) {
	a, err := r.exchange(m)
	if err == nil {
		r.sent = append(r.sent, m.Line)
	}
	return a, err
}

// finish receives the recording. Its words have to be those that were sent; whatever else is in it was printed by a
// program or is a check.
func (r *recorder) finish() (*recording.Recording, error) {
	a, err := r.exchange(message{End: true})
	switch {
	case err != nil:
		return nil, err
	case a.Recording == nil:
		return nil, errors.New("end the recording: the lab sent none")
	case !slices.EqualFunc(a.Recording.Lines(), r.sent, func(a, b recording.Line) bool {
		return a.Kind == b.Kind && a.Text == b.Text
	}):
		return nil, errors.New("end the recording: the lab sent another one")
	}
	return a.Recording, checkChecks(a.Recording)
}

func checkChecks(r *recording.Recording) error {
	for _, c := range r.AllChecks() {
		if _, err := claim.Parse(c.Sentence); err != nil {
			return fmt.Errorf("end the recording: the lab sent no check: %s", untrusted.Shown(err.Error()))
		}
	}
	return nil
}

// end ends the process.
func (r *recorder) end(ctx context.Context) error {
	r.in.Close()
	wait := r.process.Wait()
	r.out.Close()
	words := <-r.lastWords
	if wait != nil && ctx.Err() == nil {
		return fmt.Errorf("the lab ended with status %d\n%s", sandbox.Status(wait), words)
	}
	return nil
}

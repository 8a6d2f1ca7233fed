package inside

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/untrusted"
)

// Question is a role that gives one answer to its request.
type Question[Request, Answer any] struct {
	Name   string
	Answer func(context.Context, Request) (Answer, error)
}

// Role is the question as an entry of the table of roles.
func (q Question[Request, Answer]) Role() Role {
	return Role{Name: q.Name, Play: func(in io.Reader, out io.Writer) (status int, err error) {
		var request Request
		if err := json.NewDecoder(in).Decode(&request); err != nil {
			return 0, fmt.Errorf("read the request: %w", err)
		}
		answer, err := q.Answer(context.Background(), request)
		if err != nil {
			return 0, err
		}
		return 0, json.NewEncoder(out).Encode(answer)
	}}
}

// answerSize limits an answer, in bytes. The state of a large lab takes some hundred KiB.
const answerSize = 16 << 20

// StartError is the error of Ask when the process could not be started.
type StartError struct{ Cause error }

func (e *StartError) Error() string { return e.Cause.Error() }
func (e *StartError) Unwrap() error { return e.Cause }

// Ask starts this program in a sandbox, sends it the request and returns its answer. The error is a *StartError if the
// process could not be started; otherwise it says how the process failed, with the last lines of its standard error.
func (q Question[Request, Answer]) Ask(ctx context.Context, request Request, n Needs) (answer Answer, err error) {
	text, err := json.Marshal(request)
	if err != nil {
		return answer, err
	}
	read, write, err1 := os.Pipe()
	said, says, err2 := os.Pipe()
	defer closeAll(read, said)
	if err := errors.Join(err1, err2); err != nil {
		closeAll(write, says)
		return answer, &StartError{err}
	}
	p, err := q.Role().Start(ctx, bytes.NewReader(text), write, says, n)
	closeAll(write, says)
	if err != nil {
		return answer, &StartError{err}
	}
	lastWords := make(chan string, 1)
	go func() { lastWords <- untrusted.LastWords(said) }()
	ended := make(chan struct{})
	stopped := make(chan string, 1)
	go func() { stopped <- endStopped(p, ended) }()

	err = readAnswer(read, &answer)
	if err != nil {
		p.Kill()
	}
	wait := p.Wait()
	close(ended)
	// Everything it wrote is in the pipe by now, but a process that it started may still hold the pipe open.
	said.SetReadDeadline(time.Now().Add(time.Second))
	words := <-lastWords
	switch why := <-stopped; {
	case ctx.Err() != nil:
		return answer, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	case why != "":
		return answer, errors.New(why)
	case errors.Is(err, io.EOF):
		return answer, fmt.Errorf("read its answer: it ended without one (status %d)\n%s", sandbox.Status(wait), words)
	case err != nil:
		return answer, fmt.Errorf("read its answer: %w", err)
	case wait != nil:
		return answer, fmt.Errorf("it ended with status %d after its answer\n%s", sandbox.Status(wait), words)
	}
	return answer, nil
}

// readAnswer reads one line, a JSON value. The error is io.EOF if there is none.
func readAnswer(from io.Reader, into any) error {
	line, err := untrusted.NewLines(from, answerSize).Next()
	var tooLong *untrusted.TooLongError
	switch {
	case errors.As(err, &tooLong):
		return fmt.Errorf("it is longer than %d MiB", answerSize>>20)
	case err != nil:
		return err
	}
	if err := untrusted.Decode(line, into); err != nil {
		return errors.New(untrusted.Shown(err.Error()))
	}
	return nil
}

// endStopped watches a process in a sandbox until it ends. If the process stays stopped for ten seconds, endStopped
// kills it and returns what was stopped, and "" otherwise.
func endStopped(p *sandbox.Process, ended <-chan struct{}) string {
	const patience = 10 // looks, a second apart: none are counted while this process is stopped itself
	looks := time.NewTicker(time.Second)
	defer looks.Stop()
	for stopped := 0; ; {
		select {
		case <-ended:
			return ""
		case <-looks.C:
		}
		what := p.Stopped()
		if what == "" {
			stopped = 0
			continue
		}
		if stopped++; stopped == patience {
			p.Kill()
			return what + ", and did not go on"
		}
	}
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close() // of a nil file this is an error and nothing else
	}
}

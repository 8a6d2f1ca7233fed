package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/specrun"
)

// answerSize is how much a process in a sandbox may answer, in bytes: the state of a large lab has some hundred KiB.
const answerSize = 16 << 20

// ask starts this program in a sandbox with one word as its argument, hands it a job, and reads its answer. What
// comes out of the sandbox is not trusted: the answer is bounded, and what it means is for the caller to check. tun
// lets it make links by /dev/net/tun.
func ask(ctx context.Context, word string, job, answer any, tun bool) error {
	text, err := json.Marshal(job)
	if err != nil {
		return err
	}
	read, write, err1 := os.Pipe()
	said, says, err2 := os.Pipe()
	defer closeAll(read, said)
	if err := errors.Join(err1, err2); err != nil {
		closeAll(write, says)
		return beforeRun(err)
	}
	p, err := sandbox.Start(ctx, sandbox.Command{
		Args: []string{os.Args[0], word}, Stdin: bytes.NewReader(text), Stderr: says, ExtraFiles: []*os.File{write}, TUN: tun,
	})
	closeAll(write, says)
	if err != nil {
		return noSandbox(err)
	}
	lastWords := make(chan string, 1)
	go func() { lastWords <- specrun.LastWords(said) }()
	ended := make(chan struct{})
	stopped := make(chan string, 1)
	go func() { stopped <- endStopped(p, ended) }()

	err = readAnswer(read, answer)
	if err != nil {
		p.Kill()
	}
	wait := p.Wait()
	close(ended)
	said.SetReadDeadline(time.Now().Add(time.Second)) // all that it wrote is there; what it started may hold the pipe open
	words := <-lastWords
	switch why := <-stopped; {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w", context.Cause(ctx))
	case why != "":
		return errors.New(why)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("hear its answer: it ended without one (status %d)\n%s", sandbox.Status(wait), words)
	case err != nil:
		return fmt.Errorf("hear its answer: %w", err)
	case wait != nil:
		return fmt.Errorf("it ended with status %d after its answer\n%s", sandbox.Status(wait), words)
	}
	return nil
}

// readAnswer reads one line, a JSON value. Without one it is io.EOF.
func readAnswer(from io.Reader, into any) error {
	line, err := bufio.NewReader(io.LimitReader(from, answerSize)).ReadBytes('\n')
	switch {
	case err == nil:
	case len(line) == answerSize:
		return fmt.Errorf("it says more than %d MiB", answerSize>>20)
	default:
		return err
	}
	if err := specrun.Decode(line, into); err != nil {
		return errors.New(specrun.Shown(err.Error()))
	}
	return nil
}

// endStopped ends a process in a sandbox that is stopped and does not go on, until it has ended by itself, and says
// what it was.
func endStopped(p *sandbox.Process, ended <-chan struct{}) string {
	const patience = 10 // looks, a second apart: while this process is stopped itself, nobody looks
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
		f.Close() // a nil one says so and no more
	}
}

// tell writes the answer of a process that was asked, as one line.
func tell(answer any) error { return json.NewEncoder(os.NewFile(resultsFD, "results")).Encode(answer) }

package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/lab"
	"netnscheck/harness/term"
)

// player runs the commands.
type player struct {
	Request
	lab    *lab.Lab
	judge  *judge
	shells map[place]*typist
	last   *typist
	// status is that of a script that ran to its end.
	status int
	late   bool // the time was over, for commands or for looks
}

// place is where a shell runs.
type place struct {
	terminal int
	netns    string
}

// typist is a shell, and whether it has its first commands.
type typist struct {
	*program.Fed
	begun bool
}

// interruptAfter is how long a command may run that was interrupted when it was typed, such as a ping.
const interruptAfter = time.Second

// run runs all commands and looks after each. The error is what the work did wrong; it ends there. The commands have
// the limit for themselves, whatever the looks take, and the looks as much: later ones are left out.
func (p *player) run(ctx context.Context) error {
	step := 0
	commands, looks := budget{p.Limit, errLimit}, budget{p.Limit, errJudgement}
	for i, c := range p.Commands {
		if c.Step > step {
			looks.spend(ctx, func(ctx context.Context) { p.judge.upTo(ctx, c.Step-1) })
			step = c.Step
		}
		var err error
		commands.spend(ctx, func(ctx context.Context) { err = p.command(ctx, i) })
		if err != nil {
			return err
		}
		if blank(c.Text) && !c.Solve {
			continue
		}
		if err := program.Crowded(labworld.Of(p.lab)); err != nil {
			p.stop()
			return fmt.Errorf("%s: %w", c.Where, err)
		}
		if looks.left > 0 {
			looks.spend(ctx, p.judge.look)
		}
		p.late = p.late || looks.left <= 0
	}
	var err error
	commands.spend(ctx, func(ctx context.Context) { err = p.finish(ctx) })
	if err == nil && len(p.Commands) > 0 { // the last command may have gone on
		if crowded := program.Crowded(labworld.Of(p.lab)); crowded != nil {
			err = fmt.Errorf("%s: %w", p.Commands[len(p.Commands)-1].Where, crowded)
		}
	}
	return err
}

// budget is a time that is spent bit by bit, and the cause of its end.
type budget struct {
	left time.Duration
	over error
}

func (b *budget) spend(ctx context.Context, do func(context.Context)) {
	limited, cancel := context.WithTimeoutCause(ctx, b.left, b.over)
	defer cancel()
	begun := time.Now()
	do(limited)
	b.left -= time.Since(begun)
}

// blank reports whether a line runs nothing.
func blank(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || strings.HasPrefix(text, "#")
}

// command runs command i.
func (p *player) command(ctx context.Context, i int) error {
	c := p.Commands[i]
	if c.Solve {
		if _, err := p.lab.Perform(ctx, p.Scenario, c.Step-1); err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: solve step %d again: %w", c.Where, c.Step, err)
		}
		return nil
	}
	t, err := p.shellOf(c)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Where, err)
	}
	limited := ctx
	if c.Interrupted {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, interruptAfter, errInterrupt)
		defer cancel()
	}
	err = p.feed(limited, t, i)
	if errors.Is(err, errInterrupt) {
		p.interrupt(ctx, t, c)
		err = nil
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, program.ErrGone):
		return p.gone(t, i)
	}
	p.stop()
	if errors.Is(err, errLimit) {
		p.late = true
		return fmt.Errorf("%s did not end within %v: %s", c.Where, p.Limit, term.Brief(c.Text))
	}
	return fmt.Errorf("%s: %w", c.Where, err)
}

var errInterrupt = errors.New("it was interrupted")

// feed gives command i to its shell.
func (p *player) feed(ctx context.Context, t *typist, i int) error {
	text, next := p.Commands[i].Text, byte('\n')
	switch {
	case !p.Whole:
		text = "\n" + strings.TrimSuffix(text, "\n") + "\n"
	case i+1 < len(p.Commands):
		next = p.Commands[i+1].Text[0]
	}
	if !t.begun {
		first := byte('\n')
		if p.Whole {
			first = text[0]
		}
		if err := t.Run(ctx, program.Prelude, first); err != nil {
			return err
		}
		t.begun = true
	}
	return t.Run(ctx, text, next)
}

// shellOf is the shell for a command; it is started if there is none.
func (p *player) shellOf(c Command) (*typist, error) {
	at := place{c.Terminal, cmp.Or(c.Netns, netns.Host)}
	if t := p.shells[at]; t != nil {
		p.last = t
		return t, nil
	}
	f, err := program.Feed(labworld.Of(p.lab), at.netns, p.Shell, shell.Bin)
	if err != nil {
		return nil, err
	}
	p.last = &typist{Fed: f}
	p.shells[at] = p.last
	return p.last, nil
}

// gone takes note of a shell that has ended, which a script ends with. Typed commands go on in a new one.
func (p *player) gone(t *typist, i int) error {
	status, _ := t.Status()
	maps.DeleteFunc(p.shells, func(_ place, other *typist) bool { return other == t })
	left := slices.ContainsFunc(p.Commands[min(i+1, len(p.Commands)):], func(c Command) bool { return !blank(c.Text) })
	switch {
	case !p.Whole:
		return nil
	case status > 128:
		return fmt.Errorf("%s: the shell was ended by signal %d", p.Commands[i].Where, status-128)
	case left:
		return fmt.Errorf("%s: the script ended here with status %d", p.Commands[i].Where, status)
	}
	return nil
}

// interrupt ends a command as Ctrl-C does, or else its shell.
func (p *player) interrupt(ctx context.Context, t *typist, c Command) {
	err := t.Interrupt(ctx)
	if err == nil {
		limited, cancel := context.WithTimeoutCause(ctx, interruptAfter, errInterrupt)
		err = t.Again(limited)
		cancel()
	}
	if err != nil {
		t.Kill()
		maps.DeleteFunc(p.shells, func(_ place, other *typist) bool { return other == t })
	}
}

// finish lets the shells end.
func (p *player) finish(ctx context.Context) error {
	for _, t := range p.shells {
		t.Close()
	}
	for _, t := range p.shells {
		select {
		case <-t.Ended():
			if p.Whole {
				p.status, _ = t.Status()
			}
		case <-ctx.Done():
			p.stop()
			p.late = true
			return fmt.Errorf("it did not end within %v", p.Limit)
		}
	}
	return nil
}

// stop kills the shells and what runs in them.
func (p *player) stop() {
	for _, t := range p.shells {
		t.Kill() // what survives ends with the sandbox
	}
}

// said is the end of what was printed by the shell that ran last.
func (p *player) said() string {
	if p.last == nil {
		return ""
	}
	return p.last.Said()
}

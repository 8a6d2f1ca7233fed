package record

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/session/seat"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/recording"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// attended is the work of an author in his own shell, whose hooks tell what he typed. It is in the sandbox.
type attended struct {
	*work
	open      wire.Open
	to        *wire.Writer
	furniture seat.Furniture

	mu     sync.Mutex
	seat   *seat.Seat // where he is now
	gone   bool       // the terminal was closed outside
	typing bool       // a line was typed since the last shell has begun

	// of the command that runs
	line      *string // nil between commands
	output    []byte
	status    int
	elsewhere bool // the shell is to end, and another one to begin
}

// maxOutput limits what is kept of an output, in bytes.
const maxOutput = 1 << 20

// atTerminal gives the author a shell, one after the other in the labs of the recording, until he has ended the last,
// and answers with the recording.
func atTerminal(ctx context.Context, w *work, o wire.Open, from *wire.Reader, to *wire.Writer) error {
	a := &attended{work: w, open: o, to: to, furniture: seat.Furniture{Lab: w.from.ID, Secret: rand.Text(),
		Programs: []string{"harness", "sudo"}, More: more}}
	if err := a.furniture.Furnish(labworld.Of(w.main)); err != nil {
		return to.Message(refusal(err))
	}
	go a.obeyTerminal(from)
	for {
		if err := a.sit(ctx); err != nil {
			return to.Message(refusal(err))
		}
		if a.elsewhere {
			a.elsewhere = false
			continue
		}
		err := w.whole(ctx)
		if err != nil && a.typing && !a.isGone() {
			a.say(err.Error())
			continue
		}
		if err == nil {
			a.say("Everything is run once more, to see what differs and which checks hold …")
			err = w.verify(ctx)
		}
		what := answer{Recording: &w.done}
		if err != nil {
			what = refusal(err)
			what.Recording = &w.done
		}
		return to.Message(what)
	}
}

// more is what the shells of an author read behind their usual files: hooks that tell a comment too, and a prompt with
// the section.
var more = map[string]string{
	"bash": `__record_comment() {
	local status=$? c n
	c=$(HISTTIMEFORMAT= builtin history 1)
	n=${c#"${c%%[0-9]*}"}
	n=${n%%[!0-9]*}
	c=${c#*"$n"??}
	case $c in
	"#"*) [ "$n" = "$__lab_last" ] ||
		printf '\e]7377;%s;C;%s;%s\a' "$__lab_secret" "$__lab_netns" "$(__lab_escape "$c")" ;;
	esac
	return "$status"
}
PROMPT_COMMAND='__record_comment; __lab_prompt'
PS1='[$__lab_name: $(cat ` + atPath + `)${__lab_netns:+, in $__lab_netns}] # '
`,
	// what zsh prints before a prompt, for a line that did not end, would be of the command
	"zsh": `unsetopt PROMPT_SP PROMPT_CR
__record_comment() {
	[[ $1 = \#* ]] && printf '\e]7377;%s;C;%s;%s\a' "$__lab_secret" "$__lab_netns" "$(__lab_escape "${1%$'\n'}")"
	return 0
}
zshaddhistory_functions+=(__record_comment)
PROMPT='[$__lab_name: ${$(<` + atPath + `)//\%/%%}${__lab_netns:+, in $__lab_netns}] # '
`,
}

// atPath is the file that has the name of the section, for the prompt.
const atPath = shell.Home + "/section"

// sit gives the author a shell in the lab in which he is, until it has ended.
func (a *attended) sit(ctx context.Context) error {
	world := labworld.Of(a.here())
	if err := seat.Write(world, atPath, []byte(a.section()+"\n")); err != nil {
		return fmt.Errorf("prepare the shell: %w", err)
	}
	s, err := seat.Open(world, a.open, a.furniture)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.seat, a.typing, a.line = s, false, nil
	if a.gone {
		s.Master.Close()
	}
	a.mu.Unlock()
	go func() {
		<-s.Running.Ended()
		s.Master.SetReadDeadline(time.Now().Add(lull))
	}()
	scanner := shell.NewScanner(a.furniture.Secret)
	buf := make([]byte, wire.MaxBytes)
	for !a.elsewhere {
		n, err := s.Master.Read(buf)
		scanner.Scan(buf[:n], func(e shell.Event) { a.found(ctx, e) })
		if err != nil {
			break
		}
	}
	a.show(scanner.Rest())
	s.Master.Close()
	if a.elsewhere || a.isGone() {
		s.Running.Kill()
		return nil
	}
	_, err = s.Running.Wait()
	return err
}

func (a *attended) isGone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gone
}

// lull is how long what a shell has printed last is awaited once it has ended.
const lull = 50 * time.Millisecond

// section is where the author is, in a few words.
func (a *attended) section() string {
	const wide = 30
	name := "set-up"
	if s := a.step(); s != nil {
		name = s.Title
	}
	if m := a.mistake(); m != nil {
		name = m.Title
		if a.fixing {
			name = "fix of " + name
		}
	}
	end := "…"
	if a.open.ASCII {
		end = "..."
	}
	return term.Cut(name, wide, end)
}

// obeyTerminal takes in what is typed.
func (a *attended) obeyTerminal(from *wire.Reader) {
	for {
		f, err := from.Next()
		var m message
		if err == nil && f.Kind == wire.Message {
			err = f.Decode(&m)
		}
		a.mu.Lock()
		s := a.seat
		switch {
		case err != nil || m.Hangup:
			a.gone = true
			if s != nil {
				s.Master.Close()
			}
		case m.Resize != nil:
			a.open.Size = *m.Resize
		}
		a.mu.Unlock()
		switch {
		case err != nil || m.Hangup:
			return
		case s == nil:
		case m.Resize != nil:
			s.Resize(*m.Resize)
		case f.Kind == wire.Bytes:
			s.Master.Write(f.Payload)
		}
	}
}

func (a *attended) show(text []byte) {
	if len(text) > 0 {
		a.to.Bytes(a.open.Terminal, text)
	}
}

// say tells the author something, on a line of its own.
func (a *attended) say(text string) {
	for _, line := range term.Wrap(term.Printable(text), max(a.looks().Width, 20)) {
		a.show([]byte(line + "\r\n"))
	}
}

// looks is how lines are made for the terminal.
func (a *attended) looks() sitting.Look {
	a.mu.Lock()
	defer a.mu.Unlock()
	return sitting.Look{Width: int(a.open.Size.Columns), Colour: a.open.Colour, ASCII: a.open.ASCII}
}

// found takes a part of what the shell prints.
func (a *attended) found(ctx context.Context, e shell.Event) {
	switch {
	case a.elsewhere:
	case e.Text != nil:
		if a.line != nil {
			a.output = append(a.output, e.Text[:min(len(e.Text), maxOutput-len(a.output))]...)
		}
		a.show(e.Text)
	case e.Kind == 'C':
		a.line, a.output, a.typing = &e.Value, nil, true
	case e.Kind == 'D':
		a.status, _ = strconv.Atoi(e.Value)
	case e.Kind == 'P' && a.line != nil:
		netns, line, _ := strings.Cut(*a.line, ";")
		a.line = nil
		if err := a.typed(ctx, netns, line); err != nil {
			a.say("not recorded: " + err.Error())
		}
	}
}

// typed takes a line that has run.
func (a *attended) typed(ctx context.Context, netns, text string) error {
	line, err := recording.Typed(text, netns)
	if err == nil && line.Kind == recording.Run {
		err = a.recordable(line)
	}
	switch {
	case err != nil:
		if changed, failed := a.look(ctx); failed == nil && len(changed) > 0 {
			return fmt.Errorf("%w; it changed something (%s): take that back, or the recording lacks it", err,
				changed[0])
		}
		return err
	case line.Kind == recording.Nothing:
		return nil
	case line.Kind == recording.Run:
		changed, err := a.note(ctx, recording.Command{Text: line.Text, Argv: line.Argv, Status: a.status,
			Output: plainOutput(a.output)})
		if len(changed) > 0 {
			a.show([]byte(strings.Join(sitting.News{Changed: changed}.Lines(a.looks()), "\r\n") + "\r\n"))
		}
		return err
	}
	before := a.here()
	if err := a.mark(ctx, line); err != nil {
		return err
	}
	// a new shell, which has the section in its prompt: nothing of the old one is in a scenario either
	a.elsewhere = true
	if a.side != nil && a.side != before {
		return a.furniture.Furnish(labworld.Of(a.side))
	}
	return nil
}

// recordable reports why a command that has run is none of a scenario.
func (a *attended) recordable(line recording.Line) error {
	if a.status > 128 && a.status <= 128+64 {
		return errors.New("a signal ended it, and a scenario's commands end by themselves (ping -c1)")
	}
	return a.driver.CanSay(scenario.Command{Text: line.Text, Argv: line.Argv})
}

// plainOutput is what a command printed to a terminal as it prints it elsewhere: without colours, with plain ends of
// lines.
func plainOutput(output []byte) string {
	text := strings.ReplaceAll(string(output), "\r\n", "\n")
	return colours.ReplaceAllString(text, "")
}

var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

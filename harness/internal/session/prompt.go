package session

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// maxPrompt limits what is remembered of a prompt, in bytes. A longer one is not written again.
const maxPrompt = 4 << 10

// found takes a part of the output. What became known while the prompt was on its way is told above it.
func (t *terminal) found(e shell.Event) {
	t.mu.Lock()
	prompted := t.takes(e)
	t.mu.Unlock()
	if prompted {
		go t.session.late()
	}
}

// takes is found with the terminal locked. It reports whether it was the text of a prompt.
func (t *terminal) takes(e shell.Event) (prompted bool) {
	switch {
	case e.Text != nil:
		if t.prompt != nil && len(t.prompt) < maxPrompt {
			t.prompt = append(t.prompt, e.Text...)
			prompted = t.idle.Load()
		}
		t.show(e.Text)
	case e.Kind == 'C':
		t.session.desk().begins()
		t.command, t.prompt, t.told = &e.Value, nil, true
		t.status = 0
	case e.Kind == 'D':
		t.status, _ = strconv.Atoi(e.Value)
	case e.Kind == 'P' || e.Kind == 'S':
		t.once.Do(func() { close(t.prompted) })
		t.beforePrompt(e.Kind == 'P')
	}
	return prompted
}

// beforePrompt tells what the command did, while the prompt waits. tells is set if the shell tells its commands.
func (t *terminal) beforePrompt(tells bool) {
	var netns, line string
	entered, nothing := t.entered.Swap(false), false
	did := t.command != nil || entered || !tells // who types ahead in sh has entered it before the last prompt
	keyed, asked := t.keyed.Swap(false), t.session.askedInside.Swap(false)
	switch {
	case t.command != nil:
		netns, line, _ = strings.Cut(*t.command, ";")
	case tells && t.told:
		nothing = true
	default:
		nothing = !keyed || asked || !entered
	}
	empty := tells && t.command == nil && !keyed
	t.command = nil
	if did {
		e := progress.Entry{Terminal: int(t.number), Netns: netns, Line: line, Status: t.status}
		if line == "" {
			e.Cut, e.Status = true, progress.NoStatus
		}
		news := t.session.desk().command(context.Background(),
			ran{netns: netns, line: line, status: t.status, nothing: nothing, empty: empty},
			func(step int, changed bool) {
				if e.Step = step; line != "" || changed {
					t.session.work(&e)
				}
			})
		t.tell(news)
		t.session.told(kept(news))
	}
	t.prompt = []byte{}
	t.idle.Store(true)
}

// kept are news as lines for the log.
func kept(all []sitting.News) []string {
	news, any := sitting.Join(all)
	if !any {
		return nil
	}
	return news.Lines(wide)
}

// tell writes news into the terminal.
func (t *terminal) tell(all []sitting.News) { t.show(t.lines(all)) }

// lines are news as the terminal shows them.
func (t *terminal) lines(all []sitting.News) []byte {
	news, any := sitting.Join(all)
	if !any {
		return nil
	}
	look := sitting.Look{Width: int(t.size.Load().Columns), Colour: t.open.Colour, ASCII: t.open.ASCII}
	return []byte(strings.Join(news.Lines(look), "\r\n") + "\r\n")
}

// late tells what became known after the prompt, above it: what the last command has done, what is true now, and
// answers, while what else has changed waits for the next prompt. It does so only while nothing is typed there, and no
// terminal runs a command, before whose next prompt it is told.
func (s *session) late() {
	s.mu.Lock()
	var idle *terminal
	for _, t := range s.terminals {
		if t.entered.Load() {
			idle = nil
			break
		}
		if t.idle.Load() && (idle == nil || t.number < idle.number) {
			idle = t
		}
	}
	s.mu.Unlock()
	if idle != nil {
		s.desk().late(idle.late)
	}
}

func (t *terminal) late(news []sitting.News, owed bool) (taken bool) {
	if !t.mu.TryLock() { // its output goes on: a prompt follows
		return false
	}
	defer t.mu.Unlock()
	if joined, _ := sitting.Join(news); !owed && len(joined.Now) == 0 && !joined.StepDone && joined.Answer == nil {
		return false
	}
	if !t.idle.Load() || len(t.prompt) == 0 || len(t.prompt) >= maxPrompt {
		return false
	}
	text := slices.Concat([]byte("\r\x1b[J"), t.lines(news), t.prompt)
	if !t.window.Try(len(text)) { // whoever has it does not read, and must not hold up the others
		return false
	}
	t.session.out.Bytes(t.number, text)
	t.session.told(kept(news))
	return true
}

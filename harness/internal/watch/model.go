package watch

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/sitting"
)

// model is what the screen shows. It is of one goroutine, that of the program.
type model struct {
	ctx           context.Context
	lab           Lab
	look          Look
	paper         paper
	rows, columns int
	rest          func() error // is called once the program runs

	view *sitting.View // nil until the first one has come
	// scroll is how far the text on the left, or the large map, is scrolled, in lines; room how far it can be.
	scroll, room int
	large        bool // the map alone
	// said is the answer to the last key, as Markdown; wrong if it is an error.
	said  string
	wrong bool
	// question is asked until the next key, which may be one of its answers.
	question *question
	waiting  bool  // for an answer of the lab
	ended    error // why no more views come
}

// question is what a key asks before it does something that cannot be undone.
type question struct {
	text    string
	answers map[string]request
}

// request is something to ask of the lab.
type request struct {
	do   string
	args []string
}

// answered is the answer of the lab to a key.
type answered struct {
	text  string
	after *sitting.View
	err   error
}

func (m *model) Init() tea.Cmd {
	m.draw()
	return func() tea.Msg {
		m.rest()
		return nil
	}
}

// View is not used: see paper.
func (m *model) View() tea.View { return tea.NewView("") }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.take(msg)
	m.draw()
	return m, cmd
}

func (m *model) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case crash:
		panic(msg.text)
	case viewed:
		if msg.err != nil {
			m.ended = msg.err
			return tea.Quit
		}
		if m.hasNews(msg.view) {
			m.said, m.wrong = "", false
		}
		m.see(msg.view)
	case answered:
		m.waiting, m.said, m.wrong = false, msg.text, false
		if msg.err != nil {
			m.said, m.wrong = msg.err.Error(), true
		}
		if msg.after != nil && m.view != nil {
			v := *msg.after
			v.State = m.view.State
			m.see(v)
		}
	case resized:
		m.rows, m.columns, m.scroll = msg.rows, msg.columns, 0
		m.paper.forget()
	case tea.KeyPressMsg:
		return m.key(msg.String())
	}
	return nil
}

// hasNews reports whether a view says more than what a key was answered with, which then makes room for it.
func (m *model) hasNews(v sitting.View) bool {
	return m.view != nil && (v.Step != m.view.Step ||
		v.Answer != nil && (m.view.Answer == nil || *v.Answer != *m.view.Answer))
}

// see takes a view.
func (m *model) see(v sitting.View) {
	if m.view == nil || m.view.Step != v.Step {
		m.scroll = 0
	}
	m.view = &v
}

var (
	solving = &question{"Have this step done for you, for no points?   y yes   any other key no",
		map[string]request{"y": {do: wire.Solve}}}
	resetting = &question{"Begin anew?   y this step   a all steps   any other key no",
		map[string]request{"y": {wire.Reset, []string{wire.StepAlone}}, "a": {do: wire.Reset}}}
)

// key does what a key says.
func (m *model) key(key string) tea.Cmd {
	asked := m.question
	m.question, m.said, m.wrong = nil, "", false
	if key == "ctrl+c" {
		return tea.Quit
	}
	if asked != nil {
		if r, ok := asked.answers[key]; ok {
			return m.ask(r)
		}
		return nil
	}
	switch key {
	case "q":
		return tea.Quit
	case "h":
		return m.ask(request{do: wire.Hint})
	case "n":
		return m.ask(request{do: wire.Next})
	case "s":
		if m.view != nil && m.view.Exam { // the lab says so
			return m.ask(request{do: wire.Solve})
		}
		m.question = solving
	case "r":
		m.question = resetting
	case "m":
		m.large, m.scroll = !m.large, 0
	case "esc":
		m.large, m.scroll = false, 0
	case "up":
		m.scroll = max(m.scroll-1, 0)
	case "down":
		m.scroll = min(m.scroll+1, m.room)
	case "pgup":
		m.scroll = max(m.scroll-m.rows/2, 0)
	case "pgdown":
		m.scroll = min(m.scroll+m.rows/2, m.room)
	}
	return nil
}

// ask asks the lab. While it has not answered, nothing more is asked.
func (m *model) ask(r request) tea.Cmd {
	if m.waiting {
		return nil
	}
	m.waiting = true
	return func() tea.Msg {
		return caught(func() tea.Msg {
			text, after, err := m.lab.Do(m.ctx, r.do, r.args...)
			return answered{text, after, err}
		})
	}
}

func (m *model) draw() { m.paper.draw(m.screen()) }

package reports

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// htmlDetail is what the page shows of a case when it is opened. The script puts its texts into the page as text.
type htmlDetail struct {
	Where string `json:"where,omitempty"`
	htmlPlay
	// Expectation is the entry of the expectations that says that the case fails.
	Expectation []string      `json:"expectation,omitempty"`
	Evidence    *htmlLink     `json:"evidence,omitempty"`
	NotPlayed   []string      `json:"notPlayed,omitempty"`
	Attempts    []htmlAttempt `json:"attempts,omitempty"`
}

// htmlAttempt is one play of a case that was played more than once.
type htmlAttempt struct {
	Outcome scenario.Outcome `json:"outcome"`
	Took    string           `json:"took"`
	htmlPlay
}

// htmlPlay is what is known of one play.
type htmlPlay struct {
	Reason   string        `json:"reason,omitempty"`
	Problems []htmlProblem `json:"problems,omitempty"`
	Commands []htmlCommand `json:"commands,omitempty"`
	Checks   []htmlCheck   `json:"checks,omitempty"`
}

type htmlProblem struct {
	Where     string   `json:"where,omitempty"`
	Message   string   `json:"message"`
	Expected  string   `json:"expected,omitempty"`
	Found     string   `json:"found,omitempty"`
	Hint      string   `json:"hint,omitempty"`
	Diagnosis []string `json:"diagnosis,omitempty"`
}

// htmlCommand is a command with its output, the kernel's message, its status and what is wrong with them.
type htmlCommand struct {
	Command string `json:"command"`
	Output  string `json:"output,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
	Status  string `json:"status,omitempty"`
	Note    string `json:"note,omitempty"`
	Took    string `json:"took,omitempty"`
}

type htmlCheck struct {
	Outcome scenario.Outcome `json:"outcome"`
	Text    string           `json:"text"`
	Phase   string           `json:"phase"`
	Line    int              `json:"line"`
	Found   string           `json:"found,omitempty"`
	Reason  string           `json:"reason,omitempty"`
	Hint    string           `json:"hint,omitempty"`
	Took    string           `json:"took,omitempty"`
}

// detail is the number of a case's details in the row. What another case says alike is there once.
func (row *htmlRow) detail(c *Case) int {
	d := htmlDetailOf(c)
	text, err := json.Marshal(d)
	if err != nil { // it has nothing but texts and numbers
		panic(fmt.Sprintf("encode the details of %s: %v", c.Name, err))
	}
	n, there := row.details[string(text)]
	if !there {
		n = len(row.Details)
		row.details[string(text)] = n
		row.Details = append(row.Details, d)
	}
	return n
}

func htmlDetailOf(c *Case) *htmlDetail {
	d := &htmlDetail{
		Where:    term.OneLine(c.Where(scenario.Problem{})),
		htmlPlay: c.play(c.Reason, c.Problems, c.Transcript, c.Checks),
	}
	d.Evidence = c.evidenceLink()
	if e := c.Expectation; e != nil {
		d.Expectation = append(d.Expectation, fmt.Sprintf("%s:%d: %s", term.OneLine(e.File), e.Line,
			term.OneLine(e.Reason)))
		if e.Link != "" {
			d.Expectation = append(d.Expectation, term.OneLine(e.Link))
		}
		if e.Expires != "" {
			d.Expectation = append(d.Expectation, "valid until "+term.OneLine(e.Expires))
		}
	}
	for _, sentence := range c.Excluded {
		d.NotPlayed = append(d.NotPlayed, term.Printable(sentence))
	}
	for i := range c.Attempts {
		a := &c.Attempts[i]
		d.Attempts = append(d.Attempts, htmlAttempt{
			Outcome: known(a.Outcome), Took: duration(a.Duration),
			htmlPlay: c.play(a.Reason, a.Problems, a.Transcript, a.Checks),
		})
	}
	return d
}

// play is one play of the case; where a problem is depends on the case's file and line.
func (c *Case) play(reason string, problems []scenario.Problem, transcript []scenario.Exchange,
	checks []scenario.CheckResult) htmlPlay {
	play := htmlPlay{Reason: term.Printable(reason)}
	for _, p := range problems {
		problem := htmlProblem{
			Where: term.OneLine(c.Where(p)), Message: term.Printable(p.Message), Expected: term.Printable(p.Expected),
			Found: term.Printable(p.Found), Hint: term.Printable(p.Hint),
		}
		for _, line := range p.Diagnosis {
			problem.Diagnosis = append(problem.Diagnosis, term.Printable(line))
		}
		play.Problems = append(play.Problems, problem)
	}
	for i := range transcript {
		play.Commands = append(play.Commands, htmlCommandOf(&transcript[i]))
	}
	for _, k := range checks {
		check := htmlCheck{
			Outcome: known(k.Outcome), Text: term.Printable(k.Text), Phase: term.OneLine(k.Phase), Line: k.Line,
			Took: noticeable(k.Waited),
		}
		if k.Outcome != scenario.Pass {
			check.Found, check.Reason = term.Printable(k.Found), term.Printable(k.Reason)
			check.Hint = term.Printable(k.Hint)
		}
		play.Checks = append(play.Checks, check)
	}
	return play
}

func htmlCommandOf(x *scenario.Exchange) htmlCommand {
	command := htmlCommand{
		Command: term.Printable(x.Command), Output: term.Printable(x.Output), Note: term.Printable(x.Note),
		Took: noticeable(x.Duration),
	}
	if !strings.Contains(x.Output, x.Message) { // as in Transcript
		command.Kernel = term.Printable(x.Message)
	}
	if x.Status != 0 || x.Errno != "" {
		command.Status = term.OneLine(fmt.Sprintf("%d %s", x.Status, x.Errno))
	}
	return command
}

// noticeable is a duration that a person notices, "" for a shorter one.
func noticeable(d time.Duration) string {
	if d < 100*time.Millisecond {
		return ""
	}
	return duration(d)
}

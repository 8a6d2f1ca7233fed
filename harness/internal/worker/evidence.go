package worker

import (
	"cmp"
	"fmt"
	"strings"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
)

// bundle is what a section that failed has left, as the files of a folder of evidence. What it prints comes last: it is
// cut where there is no room for it.
func bundle(left *lab.Remains) *evidence.Bundle {
	b := evidence.NewBundle()
	b.Lines = left.Lines
	room := evidence.Size
	add := func(name, text string) {
		if len(text) > room {
			b.Lack(name, fmt.Sprintf("it has %d bytes, and there is no room for more than %d MiB", len(text),
				evidence.Size>>20))
			return
		}
		room -= len(text)
		b.Files[name] = []byte(text)
	}
	addState := func(s *state.State, why, listing, file string) {
		if s == nil {
			b.Lack(listing, why)
			b.Lack(file, why)
			return
		}
		add(listing, state.Listing(s))
		if text, err := state.Encode(s, "netnscheck"); err != nil {
			b.Lack(file, err.Error())
		} else {
			add(file, string(text))
		}
	}
	unknown := "nobody has read it: a step before was not played to its end"
	unread := ""
	if left.AfterErr != nil {
		unread = left.AfterErr.Error()
	}
	addState(left.After, unread, evidence.After, evidence.AfterJSON)
	addState(left.Before, unknown, evidence.Before, evidence.BeforeJSON)
	addDrawing(b, add, left, cmp.Or(unread, unknown))
	if len(left.Diagnoses) == 0 {
		b.Lack(evidence.Diagnosis, "no check says that something is reached that is not")
	} else {
		texts := make([]string, len(left.Diagnoses))
		for i := range left.Diagnoses {
			texts[i] = left.Diagnoses[i].Text()
		}
		add(evidence.Diagnosis, strings.Join(texts, "\n"))
	}
	if left.ProcessesErr != nil {
		b.Lack(evidence.Processes, left.ProcessesErr.Error())
	} else {
		add(evidence.Processes, cmp.Or(strings.Join(left.Processes, "\n"), "none")+"\n")
	}
	b.Files[evidence.Transcript] = []byte(transcript(left.Transcript, room))
	return b
}

// addDrawing adds what differs between the states, and the later one drawn.
func addDrawing(b *evidence.Bundle, add func(name, text string), left *lab.Remains, why string) {
	var changed []string
	if left.Before == nil || left.After == nil {
		b.Lack(evidence.Difference, why)
	} else {
		changed = state.Diff(left.Before, left.After)
		add(evidence.Difference, cmp.Or(strings.Join(changed, "\n"), "nothing")+"\n")
	}
	if left.After == nil {
		b.Lack(evidence.Drawing, why)
		return
	}
	add(evidence.Drawing, drawing.Of(left.After, drawing.Options{Width: evidence.Columns, Changed: changed}).Text())
}

// transcript are commands with their whole output, as far as there is room: of the output that has none, the beginning.
func transcript(all []scenario.Exchange, room int) string {
	const aside = 64 << 10 // for the words around the outputs
	room = max(room-aside, 0)
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintf(&b, "line %d$ %s\n", x.Line, x.Command)
		output := x.Output
		if len(output) > room {
			output = fmt.Sprintf("%s\n… cut here: %d of %d bytes, there is no room for more\n", output[:room], room,
				len(output))
		}
		room -= min(room, len(x.Output))
		if b.WriteString(output); output != "" && !strings.HasSuffix(output, "\n") {
			b.WriteByte('\n')
		}
		if x.Message != "" && !strings.Contains(x.Output, x.Message) {
			fmt.Fprintf(&b, "kernel: %s\n", x.Message)
		}
		fmt.Fprintf(&b, "[%s] after %v\n", strings.TrimSpace(fmt.Sprint(x.Status, " ", x.Errno)), x.Duration)
		if x.Note != "" {
			fmt.Fprintf(&b, "^ %s\n", x.Note)
		}
	}
	if len(all) == 0 {
		b.WriteString("no command was run\n")
	}
	return b.String()
}

// packets is a capture as a file of a folder of evidence.
func packets(c lab.Captured) *evidence.Bundle {
	b := evidence.NewBundle()
	if len(c.PCAPNG) > 0 {
		b.Files[evidence.Packets] = c.PCAPNG
	}
	if len(c.Remarks) > 0 {
		b.Lack(evidence.Packets, strings.Join(c.Remarks, "; "))
	}
	return b
}

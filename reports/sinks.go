package reports

import (
	"errors"
	"fmt"
	"io"
)

// Wanted is a report that a run shall write: its format, and its file, "-" for standard output.
type Wanted struct {
	Format Format
	File   string
	Usual  bool // nobody named it
}

// Standard is what a person at a terminal looks at.
type Standard struct {
	Out, Err Stream
	Progress io.Writer // where the count of cases goes, nil when nobody looks at it
}

// Stream is standard output or standard error; Painted is it for text with colours, nil where there are none, and
// Columns how wide its terminal is, 0 where it is none.
type Stream struct {
	io.Writer
	Painted io.Writer
	Columns int
}

func (s *Standard) stream(fd int) Stream {
	if fd == 2 {
		return s.Err
	}
	return s.Out
}

// Sinks are the reports of one run, told side by side and in the order of its plan.
type Sinks struct {
	told    []Sink
	files   []written
	persons []talker // who look on
	say     func(format string, args ...any)
	order   inOrder
}

// talker is a sink for a person, to whom more can be said. Nothing depends on it: it may be lost.
type talker interface {
	Sink
	Say(format string, args ...any)
}

// written is a sink whose report may not be lost.
type written struct {
	Sink
	out *output
}

// Told is a person who looks on, and no report.
func Told(person *Console) *Sinks {
	return &Sinks{told: []Sink{person}, persons: []talker{person}, say: person.Say}
}

// Open opens the outputs of the reports that are wanted and makes their sinks. Where one cannot be written, that is
// found out before anything is changed. Then the reports that other runs left in these places are marked as unfinished,
// so that a run that is killed does not leave them as its own.
func Open(wanted []Wanted, std *Standard, o Options) (*Sinks, error) {
	outputs, err := openOutputs(wanted, std)
	if err != nil {
		return nil, err
	}
	for _, out := range outputs {
		if out.std == 0 {
			o.Files = append(o.Files, out.path)
		}
	}
	s := &Sinks{say: (&Console{Out: std.Err}).Say}
	for i, out := range outputs {
		if err := out.prepare(wanted[i].Format); err != nil {
			return nil, err
		}
		s.add(wanted[i].Format, out, std, o)
	}
	return s, nil
}

func (s *Sinks) add(f Format, out *output, std *Standard, o Options) {
	if out.std != 0 {
		stream := std.stream(out.std)
		o.Painted, o.Columns, o.Progress = stream.Painted, stream.Columns, std.Progress
	}
	sink := f.New(out, o)
	s.told = append(s.told, sink)
	person, ok := sink.(talker)
	if !ok || out.std == 0 {
		s.files = append(s.files, written{sink, out})
		return
	}
	if s.persons = append(s.persons, person); len(s.persons) == 1 {
		s.say = person.Say
	}
}

// openOutputs opens the outputs, each a place of its own. On standard output the console gives way to what somebody
// wants there.
func openOutputs(wanted []Wanted, std *Standard) ([]*output, error) {
	var outputs []*output
	for i, w := range wanted {
		out, err := openOutput(w.File, std)
		if err != nil {
			return nil, err
		}
		for j, other := range outputs {
			switch {
			case !out.same(other):
			case wanted[j].Usual && other.std == 1:
				outputs[j] = &output{path: "/dev/stderr", std: 2, stream: std.Err}
			default:
				return nil, fmt.Errorf("write the report %s: it is to be %s and %s",
					out.name(), wanted[j].Format.Name, wanted[i].Format.Name)
			}
		}
		outputs = append(outputs, out)
	}
	return outputs, nil
}

// prepare makes the folder of a file, and marks an old report there as unfinished.
func (o *output) prepare(f Format) error {
	if o.stream != nil {
		return nil
	}
	if err := makeFolder(o.path); err != nil || !o.isOld() {
		return err
	}
	mark := &output{}
	sink := f.New(mark, Options{})
	sink.Plan(nil)
	if err := sink.Finish(unfinished()); err != nil {
		return fmt.Errorf("write the report %s: %w", o.path, err)
	}
	return WriteFile(o.path, mark.text.Bytes())
}

// Say says something to the person who looks on, a line or several: on standard error if no console goes to a terminal.
func (s *Sinks) Say(format string, args ...any) { s.say(format, args...) }

// Plan tells what will run.
func (s *Sinks) Plan(suites []Suite) {
	s.order.plan(suites)
	for _, sink := range s.told {
		sink.Plan(suites)
	}
}

// Begin tells that a case begins.
func (s *Sinks) Begin(su Suite, c Case) {
	for _, sink := range s.told {
		sink.Begin(&su, &c)
	}
}

// End takes a case that has ended, and tells of it when it is its turn.
func (s *Sinks) End(su Suite, c Case) {
	s.order.end(&su, func() {
		for _, sink := range s.told {
			sink.End(&su, &c)
		}
	})
}

// Finish writes the reports, the persons' last: they name the others. What it cannot write is the error.
func (s *Sinks) Finish(r *Run) error {
	var errs []error
	for _, f := range s.files {
		err := f.Finish(r)
		if err != nil {
			err = f.out.error(err)
		} else {
			err = f.out.close()
		}
		errs = append(errs, err)
	}
	for _, person := range s.persons {
		errs = append(errs, person.Finish(r))
	}
	return errors.Join(errs...)
}

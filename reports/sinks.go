package reports

import (
	"errors"
	"fmt"
	"io"
)

// Wanted is a report to be written: its format, and its file, "-" for standard output.
type Wanted struct {
	Format Format
	File   string
	Usual  bool // written by default
}

// Standard are the standard streams of a command.
type Standard struct {
	Out, Err Stream
	Progress io.Writer // the terminal for the count of cases, nil if there is none
}

// Stream is standard output or standard error. Painted is the same stream for text with colours, nil without colours;
// Commanding is the same stream for commands to a CI runner, which are broken in other text; Columns is the width of
// its terminal, 0 if it is not a terminal.
type Stream struct {
	io.Writer
	Painted    io.Writer
	Commanding io.Writer
	Columns    int
}

func (s *Standard) stream(fd int) Stream {
	if fd == 2 {
		return s.Err
	}
	return s.Out
}

// Sinks are the reports of one run. All of them receive the cases in the order of the plan, except those that want them
// at once.
type Sinks struct {
	told    []Sink
	files   []written
	persons []talker // consoles on a standard stream
	say     func(format string, args ...any)
	order   inOrder
}

// talker is a sink for a user, which also prints other lines. Nothing depends on its output. Before it finishes, it
// learns which of the other reports were written.
type talker interface {
	Sink
	Say(format string, args ...any)
	Wrote(files []string)
}

// hasty is a sink that learns of a case when it ends, although earlier ones may still run.
type hasty interface {
	Sink
	AtOnce()
}

// written is a sink whose report must not be lost.
type written struct {
	Sink
	out *output
}

// Told is a console without any report.
func Told(person *Console) *Sinks {
	return &Sinks{told: []Sink{person}, persons: []talker{person}, say: person.Say}
}

// Open opens the outputs of the wanted reports and makes their sinks. If one cannot be written, Open returns an error
// before anything is changed. Then it marks existing reports in these places as unfinished, so that a killed run does
// not leave them as its own.
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
	if out.stream == nil {
		o.File = out.path
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

// openOutputs opens the outputs, which have to be different places. The default console moves to standard error if
// another report is wanted on standard output.
func openOutputs(wanted []Wanted, std *Standard) ([]*output, error) {
	var outputs []*output
	for i, w := range wanted {
		out, err := openOutput(w.File, std)
		if err != nil {
			return nil, err
		}
		if out.std != 0 && w.Format.Commands {
			out.stream = std.stream(out.std).Commanding
		}
		for j, other := range outputs {
			switch {
			case !out.same(other):
			case wanted[j].Usual && other.std == 1:
				outputs[j] = &output{path: "/dev/stderr", std: 2, stream: std.Err}
			default:
				return nil, fmt.Errorf("write the report %s: it cannot be both %s and %s",
					out.name(), wanted[j].Format.Name, wanted[i].Format.Name)
			}
		}
		outputs = append(outputs, out)
	}
	return outputs, nil
}

// prepare makes a file's folder, and marks an old report there as unfinished.
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

// Say prints one or more lines for the user: on standard error if no console is on a terminal.
func (s *Sinks) Say(format string, args ...any) { s.say(format, args...) }

// Plan announces the cases.
func (s *Sinks) Plan(suites []Suite) {
	s.order.plan(suites)
	for _, sink := range s.told {
		sink.Plan(suites)
	}
}

// Begin announces that a case begins.
func (s *Sinks) Begin(su Suite, c Case) {
	for _, sink := range s.told {
		sink.Begin(&su, &c)
	}
}

// End takes a case that has ended, and reports it when it is its turn.
func (s *Sinks) End(su Suite, c Case) {
	var patient []Sink
	for _, sink := range s.told {
		if _, ok := sink.(hasty); ok {
			sink.End(&su, &c)
		} else {
			patient = append(patient, sink)
		}
	}
	s.order.end(&su, func() {
		for _, sink := range patient {
			sink.End(&su, &c)
		}
	})
}

// Finish writes the reports, the consoles last because they name the others. The error joins those of all reports.
func (s *Sinks) Finish(r *Run) error {
	var errs []error
	var wrote []string
	for _, f := range s.files {
		err := f.Finish(r)
		if err != nil {
			err = f.out.error(err)
		} else if err = f.out.close(); err == nil && f.out.std == 0 {
			wrote = append(wrote, f.out.path)
		}
		errs = append(errs, err)
	}
	for _, person := range s.persons {
		person.Wrote(wrote)
		errs = append(errs, person.Finish(r))
	}
	return errors.Join(errs...)
}

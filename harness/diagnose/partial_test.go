package diagnose

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"testing"

	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
)

// A state may lack anything: a namespace went away while it was read, it was written by hand, a part could not be read.
// TestPartialStates removes parts of captured states, one at a time (each namespace, each link, the target of each
// pointer, each list), and gives one namespace the name of another. The diagnosis of the rest must not panic.
func TestPartialStates(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it diagnoses thousands of states")
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d captured states: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c struct {
				Query Query
				State *state.State
			}
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			for _, p := range partials(c.State) {
				judgePartial(t, p, c.State, c.Query)
			}
		})
	}
}

func judgePartial(t *testing.T, p partial, whole *state.State, q Query) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: from %s to %s: panic: %v\n%s", p.what, q.From, q.To, r, debug.Stack())
		}
	}()
	Review(p.state)
	Diagnose(p.state, q)
	Diagnose(p.state, Query{From: whole.Namespaces[0].Name, To: q.To, Size: 1400})
	state.Parity(whole, p.state)
	p.state.Nearest(q.From)
	drawing.Of(p.state, drawing.Options{}).Text()
}

// partial is a state, with the name of the part it lacks.
type partial struct {
	what  string
	state *state.State
}

// partials are copies of the state that each lack one thing.
func partials(whole *state.State) (all []partial) {
	without := func(what string, take func(*state.State)) {
		s := copied(whole)
		take(s)
		all = append(all, partial{what, s})
	}
	for i := range whole.Namespaces {
		name := whole.Namespaces[i].Name
		without("without namespace "+name, func(s *state.State) {
			s.Namespaces = append(s.Namespaces[:i], s.Namespaces[i+1:]...)
		})
		if i > 0 {
			without("with "+name+" called as the first", func(s *state.State) {
				s.Namespaces[i].Name = s.Namespaces[0].Name
			})
		}
		for j := range whole.Namespaces[i].Links {
			link := whole.Namespaces[i].Links[j].Name
			without("without "+link+" in "+name, func(s *state.State) {
				n := &s.Namespaces[i]
				n.Links = append(n.Links[:j], n.Links[j+1:]...)
			})
			without("without all that belongs to "+link+" in "+name, func(s *state.State) {
				l := s.Namespaces[i].Links[j]
				s.Namespaces[i].Links[j] = state.Link{
					Name: l.Name, Kind: l.Kind, Index: l.Index, Up: true, Carrier: true, MTU: l.MTU,
					Addresses: l.Addresses,
				}
			})
			fields(whole.Namespaces[i].Links[j], func(field string) {
				without(fmt.Sprintf("without %s of %s in %s", field, link, name), func(s *state.State) {
					reflect.ValueOf(&s.Namespaces[i].Links[j]).Elem().FieldByName(field).SetZero()
				})
			})
		}
		fields(whole.Namespaces[i], func(field string) {
			without("without "+field+" of "+name, func(s *state.State) {
				reflect.ValueOf(&s.Namespaces[i]).Elem().FieldByName(field).SetZero()
			})
		})
	}
	return all
}

// fields are the lists, maps and pointers of a struct that are not empty.
func fields(of any, f func(name string)) {
	v := reflect.ValueOf(of)
	for i := range v.NumField() {
		switch kind := v.Field(i).Kind(); {
		case kind != reflect.Slice && kind != reflect.Pointer && kind != reflect.Map, v.Field(i).IsNil():
		default:
			f(v.Type().Field(i).Name)
		}
	}
}

// copied is a copy of a state whose namespaces and links may be changed.
func copied(s *state.State) *state.State {
	c := *s
	c.Namespaces = slices.Clone(s.Namespaces)
	for i := range c.Namespaces {
		c.Namespaces[i].Links = slices.Clone(c.Namespaces[i].Links)
	}
	return &c
}

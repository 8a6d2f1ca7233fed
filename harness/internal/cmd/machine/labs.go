package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
)

// Labs is what this machine has of what labs need: a sandbox, features of its kernel, and the programs that a learner
// types.
type Labs struct {
	sandbox  Need
	features []Feature
	// failed is why the features could not be tried; nil if they were.
	failed error
}

// Need is something that a lab needs.
type Need struct {
	Name string `json:"name"`
	// Has is set if this machine has it.
	Has bool `json:"has"`
	// Untried is set if that is not known.
	Untried bool `json:"untried,omitempty"`
	// Says is what is there, or why there is nothing; Do what to do about that, "" if nothing is known.
	Says string `json:"says"`
	Do   string `json:"do,omitempty"`
	// Package is what a missing program is in, "" if that is not known.
	Package string `json:"package,omitempty"`
}

// LookAtLabs finds out what this machine has for these labs. It tries only the features that they require.
func LookAtLabs(ctx context.Context, labs ...*scenario.Scenario) *Labs {
	m := &Labs{sandbox: Need{Name: "sandbox", Has: true, Says: "possible"}}
	missing, err := sandbox.Possible()
	if err != nil {
		m.sandbox.Has, m.sandbox.Says = false, kernel.Explain(err).Error()
		var forbidden *sandbox.ForbiddenError
		if errors.As(err, &forbidden) {
			m.sandbox.Says, m.sandbox.Do = fmt.Sprintf("%v: %s", forbidden.Cause, forbidden.Why),
				forbidden.ForSandbox()
			if os.Geteuid() != 0 && forbidden.RootMay() {
				m.sandbox.Do += "; or start the lab with sudo"
			}
		}
		m.failed = errors.New("it could not be tried without a sandbox")
		return m
	}
	if remark := lacking(missing); remark != "" {
		m.sandbox.Says += "; " + remark
	}
	var words []string
	for _, sc := range labs {
		for _, word := range sc.Requires {
			if !strings.HasPrefix(word, "program:") && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	if len(words) > 0 {
		m.features, m.failed = Look(ctx, true, words)
	}
	return m
}

// Needs are all that a learner needs for a lab.
func (m *Labs) Needs(sc *scenario.Scenario) []Need {
	all := []Need{m.sandbox}
	for _, word := range sc.Requires {
		if !strings.HasPrefix(word, "program:") {
			all = append(all, m.feature(word))
		}
	}
	for _, name := range programsOf(sc) {
		all = append(all, programNeed(name))
	}
	return all
}

// Lacks are those of the Needs that this machine does not have.
func (m *Labs) Lacks(sc *scenario.Scenario) []Need {
	return slices.DeleteFunc(m.Needs(sc), func(n Need) bool { return n.Has })
}

// modules are the modules of the kernel that features are in, where they are called otherwise.
var modules = map[string]string{"vlan": "8021q", "netem": "sch_netem", "tbf": "sch_tbf", "nftables": "nf_tables"}

func (m *Labs) feature(word string) Need {
	i := slices.IndexFunc(m.features, func(f Feature) bool { return f.Name == word })
	switch {
	case m.failed != nil:
		return Need{Name: word, Untried: true, Says: m.failed.Error()}
	case i < 0:
		return Need{Name: word, Untried: true, Says: "it was not tried"}
	}
	f := m.features[i]
	n := Need{Name: word, Has: f.Presence == kernel.Present.String(), Says: f.Presence,
		Untried: f.Presence == kernel.Unknown.String()}
	if f.Reason != "" {
		n.Says += ": " + f.Reason
	}
	if f.Presence == kernel.Absent.String() {
		module := word
		if other := modules[word]; other != "" {
			module = other
		}
		n.Do = fmt.Sprintf("as root: modprobe %s; where the kernel does not have it, use a virtual machine", module)
	}
	return n
}

// programsOf are the programs that a learner of a lab needs: ip, those that it requires, and those of its commands that
// are not installed.
func programsOf(sc *scenario.Scenario) []string {
	names := []string{"ip"}
	add := func(more ...string) {
		for _, name := range more {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, word := range sc.Requires {
		if name, is := strings.CutPrefix(word, "program:"); is {
			add(name)
		}
	}
	for i := range sc.Steps {
		for _, b := range sc.Steps[i].Blocks {
			if len(b.Drivers) > 0 && !slices.Contains(b.Drivers, scenario.IPRoute2Driver) {
				continue
			}
			for _, cmd := range b.Commands {
				var lacking *scenario.Unavailable
				if errors.As(program.Installed(cmd), &lacking) {
					add(lacking.Programs...)
				}
			}
		}
	}
	return names
}

func programNeed(name string) Need {
	n := Need{Name: name}
	path, err := kernel.LookPath(name)
	switch {
	case err != nil:
		n.Says, n.Package = "the program is not installed", program.Package(filepath.Base(name))
	case name == "ip" && kernel.IPRoute2() == "":
		n.Says, n.Package = path+" is another program of this name", program.Package(name)
	default:
		n.Has, n.Says = true, path
	}
	return n
}

// Package finding is what a diagnosis says: a cause with its place, evidence and repair, and what the repair changes in
// a copy of the state. It imports state, the names of causes, the facts and the words; the packages of the diagnosis
// import it. It never changes the state it is given.
package finding

import (
	"fmt"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// Remark reports whether a review lists the cause without calling the network faulty: a healthy network may have it, or
// it goes away by itself.
func (c *Cause) Remark() bool { return c.Passes || c.Name.Remark() }

// Lines are the cause, its evidence, repair and advice, each line with its label; none without a cause.
func (c *Cause) Lines() []string {
	if c == nil {
		return nil
	}
	where := " in "
	if c.Link != "" {
		where = " on "
	}
	lines := []string{"cause:    " + c.Name.String() + where + c.Place() + ": " + c.Says}
	for _, e := range c.Evidence {
		lines = append(lines, "evidence: "+e)
	}
	for _, r := range c.Repair {
		lines = append(lines, "repair:   "+r)
	}
	for _, a := range c.Advice {
		lines = append(lines, "advice:   "+a)
	}
	return lines
}

// Cause is why a packet is stopped, or a remark of a review.
type Cause struct {
	Name  causes.Cause `json:"name"`
	Netns string       `json:"netns"`
	Link  string       `json:"link,omitempty"` // "" for a cause in the namespace as a whole
	// Reply is set if it stops the reply.
	Reply bool `json:"reply,omitempty"`
	// Passes is set if it goes away by itself, as when spanning tree has yet to let a port forward.
	Passes bool `json:"passes,omitempty"`
	// Part is set if it stops only some flows: by a route with several nexthops, others get through.
	Part bool `json:"part,omitempty"`
	// Says is the cause in one sentence.
	Says string `json:"says"`
	// Evidence are lines of the state that prove it, as ip or nft shows them.
	Evidence []string `json:"evidence,omitempty"`
	// Repair are commands that fix it, and what else is missing on the path then. They can be run as they are.
	Repair []string `json:"repair,omitempty"`
	// Advice is for a fix that is not known in full: a command with a word in capitals to fill in, or a sentence.
	Advice []string `json:"advice,omitempty"`
	// Changes are the effects of the repair on a state.
	Changes []Change `json:"-"`
}

// Place is the place of the cause in the words of a check: `X` in `M`, or `M`.
func (c *Cause) Place() string {
	if c.Link == "" {
		return c.Netns
	}
	return c.Link + " in " + c.Netns
}

// Includes reports whether a remark is about the same fault: in the same place it has the same name, or is less
// specific than any other cause, or is fixed by the cause's repair.
func (c *Cause) Includes(remark Cause) bool {
	if c.Netns != remark.Netns || c.Link != remark.Link {
		return false
	}
	fixed := len(remark.Repair) > 0 && !slices.ContainsFunc(remark.Repair, func(line string) bool {
		return !slices.Contains(c.Repair, line)
	})
	return c.Name == remark.Name || remark.Name.Masked() || fixed
}

func (c *Cause) Then(f Change) *Cause {
	c.Changes = append(c.Changes, f)
	return c
}

// New makes a cause on a link, or in the namespace if l is nil.
func New(name causes.Cause, n *state.Namespace, l *state.Link, format string, args ...any) *Cause {
	c := &Cause{Name: name, Netns: n.Name, Says: fmt.Sprintf(format, args...)}
	if l != nil {
		c.Link = l.Name
	}
	return c
}

func (c *Cause) Proof(lines ...string) *Cause {
	c.Evidence = append(c.Evidence, lines...)
	return c
}

func (c *Cause) Fix(commands ...string) *Cause {
	c.Repair = append(c.Repair, commands...)
	return c
}

func (c *Cause) Advise(lines ...string) *Cause {
	c.Advice = append(c.Advice, lines...)
	return c
}

// FixAs adds the repair and the advice of another cause.
func (c *Cause) FixAs(other *Cause) *Cause {
	return c.Fix(other.Repair...).Advise(other.Advice...)
}

package answer

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/scenario/started"
)

// command is a command by its meaning.
type command struct {
	netns string // "" is the host
	argv  []string
	// op is nil if the words are outside the grammar; err then tells which.
	op  operation.Operation
	err error
	// refused is set for a command of a scenario that is refused, by one of the programs at least.
	refused bool
}

// typed are the commands of a line of a shell; complete if nothing else runs.
func typed(line string) (all []command, complete bool) {
	const longest = 4096 // in bytes; nobody types more
	if len(line) > longest {
		return nil, false
	}
	found, complete := started.Commands(line)
	for _, one := range found {
		all = append(all, read(one))
	}
	return all, complete
}

// written are the commands of blocks, for whatever program they are, each once.
func written(blocks []scenario.Block) (all []command) {
	for _, b := range blocks {
		for _, c := range b.Commands {
			refused := c.Status.Refusal() || b.Errno != ""
			lines := []command{read(started.Command{Argv: c.Argv})}
			if _, program := lines[0].op.(operation.Run); program { // it may start others
				lines, _ = typed(c.Text)
			}
			for _, one := range lines {
				if at := slices.IndexFunc(all, one.same); at >= 0 {
					all[at].refused = all[at].refused || refused
					continue
				}
				one.refused = refused
				all = append(all, one)
			}
		}
	}
	return all
}

func read(from started.Command) command {
	c := command{netns: from.Netns, argv: from.Argv}
	parsed, err := operation.Parse(from.Argv)
	if err != nil {
		netns, left := operation.Enter(from.Argv)
		if netns != "" {
			c.netns = netns
		}
		c.argv, c.err = left, err
		return c
	}
	if parsed.Netns != "" {
		c.netns = parsed.Netns
	}
	c.op = parsed.Op
	return c
}

// same reports whether two commands mean the same, however they are spelt.
func (c command) same(other command) bool {
	if c.netns != other.netns {
		return false
	}
	if c.op == nil || other.op == nil {
		return c.op == nil && other.op == nil && slices.Equal(c.words(), other.words())
	}
	return reflect.TypeOf(c.op) == reflect.TypeOf(other.op) && maps.Equal(fields(c.op), fields(other.op))
}

// words are those of a command outside the grammar, its first ones in full.
func (c command) words() []string {
	if len(c.argv) > 1 {
		if object, verb, rest := operation.Subject(c.argv); verb != "" {
			return append([]string{object, verb}, rest...)
		}
	}
	return c.argv
}

// among reports whether a command means the same as one of a list.
func (c command) among(list []command) bool { return slices.ContainsFunc(list, c.same) }

// changes reports whether the command may change the network. One outside the grammar does if it does not say that it
// shows something.
func (c command) changes() bool {
	if c.op == nil {
		words := c.words()
		return len(words) > 1 && !slices.Contains([]string{"show", "list", "get", "help"}, words[1])
	}
	return operation.Mutates(operation.Command{Op: c.op})
}

// pings reports whether two commands ask the same: a ping from the same namespace to the same address.
func (c command) pings(other command) bool {
	a, ok := c.op.(operation.Ping)
	b, too := other.op.(operation.Ping)
	return ok && too && c.netns == other.netns && a.Dest == b.Dest && a.Source == b.Source
}

// unanswered reports whether the command, with this status, is a ping of an address that heard nothing or could not be
// sent.
func (c command) unanswered(status int) bool {
	ping, ok := c.op.(operation.Ping)
	if !ok || status != 1 && status != 2 {
		return false
	}
	_, err := netip.ParseAddr(ping.Dest)
	return err == nil
}

// fields are the parts of an operation that were written, by their path. Prefixes have two parts. Of a command that
// only shows something, options do not count.
func fields(op operation.Operation) map[string]string {
	if show, ok := op.(operation.Show); ok {
		show.Options = nil
		op = show
	}
	all := map[string]string{}
	collect(all, "", reflect.ValueOf(op))
	return all
}

func collect(all map[string]string, path string, v reflect.Value) {
	if v.IsZero() {
		return
	}
	switch value := v.Interface().(type) {
	case netip.Prefix:
		all[path+".addr"], all[path+".bits"] = value.Addr().String(), fmt.Sprint(value.Bits())
		return
	case netip.Addr:
		all[path] = value.String()
		return
	case net.HardwareAddr:
		all[path] = value.String()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			collect(all, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Pointer:
		if v.Elem().Kind() != reflect.Struct {
			all[path] = fmt.Sprint(v.Elem().Interface()) // written, even if it is 0
			return
		}
		all[path] = "written"
		collect(all, path, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			collect(all, fmt.Sprintf("%s.%d", path, i), v.Index(i))
		}
	default:
		all[path] = fmt.Sprint(v.Interface())
	}
}

// shape is how a wrong command differs from the right one that is nearest to it: for each part what became of it. It is
// "" if no right command is of the same kind, or if most of it differs, or if two are equally near and differ in
// different ways.
func shape(wrong command, right []command) string {
	if wrong.op == nil {
		if word, _ := missing(wrong, right); word != "" {
			return word + " is missing"
		}
		return ""
	}
	const most = 2 // parts that may differ
	best, fewest := "", most+1
	for _, r := range right {
		if r.op == nil || reflect.TypeOf(r.op) != reflect.TypeOf(wrong.op) {
			continue
		}
		if _, program := wrong.op.(operation.Run); program {
			continue // the words of another program have no parts
		}
		parts := differences(wrong, r, right)
		text := strings.Join(parts, " ")
		switch {
		case len(parts) == 0:
			return ""
		case len(parts) < fewest:
			best, fewest = text, len(parts)
		case len(parts) == fewest && text != best:
			best = ""
		}
	}
	return best
}

// differences are the parts in which a command differs from a right one, sorted.
func differences(wrong, right command, all []command) (parts []string) {
	a, b := withNetns(wrong), withNetns(right)
	for path, value := range a {
		if was, ok := b[path]; !ok {
			parts = append(parts, path+":added:"+value)
		} else if was != value {
			what := value
			if slices.ContainsFunc(all, func(c command) bool { return withNetns(c)[path] == value }) {
				what = "swapped"
			}
			parts = append(parts, path+":"+what)
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			parts = append(parts, path+":left out")
		}
	}
	slices.Sort(parts)
	return parts
}

func withNetns(c command) map[string]string {
	if c.op == nil {
		return nil
	}
	all := fields(c.op)
	if c.netns != "" {
		all["netns"] = c.netns
	}
	return all
}

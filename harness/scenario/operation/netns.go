package operation

import (
	"math"
	"strconv"
	"strings"
)

var netnsVerbs = newGrammar("list show=list lst=list list-id help add set delete identify pids exec monitor attach")

func parseNetns(in ipCommand, outer Command) (Command, error) {
	verb := "list"
	if in.verb != "" {
		var known bool
		if verb, known = netnsVerbs.find(in.verb); !known {
			return Command{}, netnsVerbs.unknown(in.verb)
		}
	}
	var err error
	switch verb {
	case "list", "list-id", "identify", "monitor":
		outer.Op, err = in.show("netns", verb)
		return outer, err
	case "help", "attach":
		return Command{}, &UnknownWord{Word: in.verb}
	}

	if in.options.all && (verb == "delete" || verb == "exec") {
		return parseAllNetns(verb, in, outer)
	}
	netns, err := netnsName(verb, in.words)
	if err != nil {
		return Command{}, err
	}
	switch verb {
	case "add":
		outer.Op = NetnsAdd{Name: netns}
	case "delete":
		outer.Op = NetnsDelete{Name: netns}
	case "pids":
		in.words.left = []string{netns}
		outer.Op, err = in.show("netns", verb)
	case "set":
		outer.Op, err = parseNetnsSet(netns, in.words)
	case "exec":
		if !in.words.more() {
			return Command{}, usage("exec", "a program must follow the name of the namespace")
		}
		return parseProgram(in.words.left, Command{Netns: netns, Exec: true})
	}
	if err != nil {
		return Command{}, err
	}
	return outer, nil
}

// parseAllNetns reads `ip -all netns del` and `ip -all netns exec …`.
func parseAllNetns(verb string, in ipCommand, outer Command) (Command, error) {
	if verb == "delete" {
		outer.Op = NetnsDeleteAll{}
		return outer, nil
	}
	if !in.words.more() {
		return Command{}, usage("exec", "a program must follow")
	}
	each, err := parseProgram(in.words.left, Command{})
	outer.Op = NetnsExecAll{Each: each}
	return outer, err
}

// netnsName reads the name of a namespace. It is the name of a file, so iproute2 refuses what cannot be one.
func netnsName(verb string, w *words) (string, error) {
	if !w.more() {
		return "", usage(verb, "the name of a namespace must follow")
	}
	netns := w.next()
	if netns == "" || netns == "." || netns == ".." || len(netns) > 255 || strings.Contains(netns, "/") {
		return "", usage(netns, "it cannot be the name of a namespace")
	}
	return netns, nil
}

func parseNetnsSet(netns string, w *words) (Operation, error) {
	value, err := w.value(netns)
	if err != nil {
		return nil, err
	}
	if value == "auto" {
		return NetnsSet{Name: netns, Auto: true}, nil
	}
	id, err := between(0, math.MaxInt32)("netns set", value)
	return NetnsSet{Name: netns, ID: id}, err
}

func (op NetnsAdd) args() []string    { return []string{"netns", "add", op.Name} }
func (op NetnsDelete) args() []string { return []string{"netns", "delete", op.Name} }

func (op NetnsDeleteAll) args() []string { return []string{"-all", "netns", "delete"} }

func (op NetnsExecAll) args() []string {
	return append([]string{"-all", "netns", "exec"}, op.Each.Argv()...)
}

func (op NetnsSet) args() []string {
	if op.Auto {
		return []string{"netns", "set", op.Name, "auto"}
	}
	return []string{"netns", "set", op.Name, strconv.Itoa(op.ID)}
}

package operation

import "slices"

// show is the operation of a command that changes nothing.
func (in ipCommand) show(object, verb string) (Operation, error) {
	return Show{Options: slices.Clip(in.options.shown), Object: object, Verb: verb, Args: in.words.rest()}, nil
}

// shown are the objects that an Operation can only show.
var shown = []string{"addrlabel", "ntable", "tunnel", "tcp_metrics", "netconf", "vrf", "mroute", "mrule", "macsec",
	"stats", "l2tp", "fou", "ila"}

var showVerbs = newGrammar("show list=show lst=show")

func parseOtherObject(object string, in ipCommand) (Operation, error) {
	if object == "monitor" {
		if in.verb != "" {
			in.words.left = append([]string{in.verb}, in.words.left...)
		}
		return in.show(object, "")
	}
	if !slices.Contains(shown, object) {
		return nil, &UnknownWord{Word: object}
	}
	if in.verb == "" {
		return in.show(object, "show")
	}
	if verb, ok := showVerbs.find(in.verb); ok {
		return in.show(object, verb)
	}
	return nil, &UnknownWord{Word: object}
}

func (op Show) args() []string {
	args := append(slices.Clone(op.Options), op.Object)
	if op.Verb != "" {
		args = append(args, op.Verb)
	}
	return append(args, op.Args...)
}

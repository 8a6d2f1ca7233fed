package operation

import "math"

var (
	neighbourVerbs = newGrammar("add change chg!=change replace delete get show lst=show list=show flush help")
	neighbourWords = newGrammar(`lladdr nud! proxy router! managed! extern_learn dev! protocol to! help`)
	flushedWords   = newGrammar("dev! master! vrf! nomaster! unused! nud! proxy! protocol to! help")
)

// neighbourStates are the states (nud).
var neighbourStates = named{NeighbourStates, math.MaxUint8}

func parseNeighbour(in ipCommand) (Operation, error) {
	if in.verb == "" {
		return in.show("neighbour", "show")
	}
	verb, known := neighbourVerbs.find(in.verb)
	switch {
	case !known:
		return nil, neighbourVerbs.unknown(in.verb)
	case verb == "add", verb == "change", verb == "replace":
		return parseNeighbourChange(Verb(verb), in.words)
	case verb == "delete":
		return parseNeighbourChange(Delete, in.words)
	case verb == "flush":
		return parseNeighbourFlush(in.words)
	case verb == "show", verb == "get":
		return in.show("neighbour", verb)
	}
	return nil, &UnknownWord{Word: in.verb}
}

func parseNeighbourChange(verb Verb, w *words) (Operation, error) {
	op := NeighbourChange{Verb: verb}
	address := func(word string) error {
		if op.Address.IsValid() {
			return neighbourWords.unknown(word)
		}
		if !looksLikeAddress(word) && !anyWords[word] {
			return neighbourWords.unknown(word)
		}
		var err error
		op.Address, err = w.address("this place", word)
		return err
	}
	after := func(keyword string) error {
		word, err := w.value(keyword)
		if err != nil {
			return err
		}
		return address(word)
	}
	err := neighbourWords.parse(w, actions{
		"lladdr": read(w, &op.LLAddr, hardwareAddress),
		"nud":    read(w, &op.State, neighbourStates.understand),
		"router": w.flag(&op.Router, true),
		"dev":    read(w, &op.Dev, name),
		"to":     after,
		"proxy": func(keyword string) error {
			op.Proxy = true
			return after(keyword)
		},
	}, address)
	switch {
	case err != nil:
		return nil, err
	case !op.Address.IsValid():
		return nil, usage(string(verb), "the address is missing")
	case op.Dev == "" && !op.Proxy:
		return nil, usage("dev", "a neighbour needs the link it is reached through")
	}
	return op, nil
}

func parseNeighbourFlush(w *words) (Operation, error) {
	if !w.more() {
		return nil, usage("flush", "the filter is missing")
	}
	op := NeighbourFlush{}
	hasTo := false
	to := func(word string) error {
		if hasTo {
			return flushedWords.unknown(word)
		}
		hasTo = true
		var err error
		op.To, err = w.destination(flushedWords, word)
		return err
	}
	err := flushedWords.parse(w, actions{
		"dev": read(w, &op.Dev, name),
		"nud": w.onceUnknown(read(w, &op.State, stateOrAll)),
		"to": func(keyword string) error {
			word, err := w.value(keyword)
			if err != nil {
				return err
			}
			return to(word)
		},
	}, to)
	if err != nil {
		return nil, err
	}
	op.Family = w.family
	return op, nil
}

func stateOrAll(keyword, value string) (string, error) {
	if value == "all" {
		return value, nil
	}
	return neighbourStates.understand(keyword, value)
}

func (op NeighbourChange) args() []string {
	out := argv{"neighbour", string(op.Verb)}
	out.flag("proxy", op.Proxy)
	out = append(out, op.Address.String())
	out.word("lladdr", op.LLAddr.String())
	out.word("dev", op.Dev)
	out.word("nud", op.State)
	out.flag("router", op.Router)
	return out
}

func (op NeighbourFlush) args() []string {
	var out argv
	out.family(op.Family, op.To.Addr())
	out = append(out, "neighbour", "flush")
	if op == (NeighbourFlush{Family: op.Family}) {
		return append(out, "all")
	}
	out.prefix("to", op.To)
	out.word("dev", op.Dev)
	out.word("nud", op.State)
	return out
}

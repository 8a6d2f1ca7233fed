package operation

import (
	"net"
	"net/netip"
)

// MulticastChange is `ip maddress add|del`: a link-layer address that the device receives besides its own.
type MulticastChange struct {
	Verb    Verb // Add or Delete
	Address net.HardwareAddr
	Dev     string
}

// TokenSet is `ip token set|del`: the lower half of the addresses that the link gets from router advertisements.
// Without a token it is the zero address.
type TokenSet struct {
	Token netip.Addr
	Dev   string
}

// TunChange is `ip tuntap add|del`: a persistent tun or tap device. Name is "" for a name that the kernel chooses.
type TunChange struct {
	Verb        Verb // Add or Delete
	Name        string
	Mode        string // tun or tap
	User, Group *uint32
	PI          bool // frames with a header for protocol information
	OneQueue    bool
	VNetHdr     bool
	MultiQueue  bool
}

var (
	changeVerbs    = newGrammar("add delete list=show show lst=show help")
	multicastWords = newGrammar("dev! address help")
	tokenVerbs     = newGrammar("list=show lst=show show set add=set delete get help")
	tokenWords     = newGrammar("dev! help")
	tunWords       = newGrammar("mode user group pi one_queue vnet_hdr multi_queue dev name help")
	tunModes       = newGrammar("tun tap")
)

func parseMulticast(in ipCommand) (Operation, error) {
	verb, op, err := in.changeOrShow("maddress", changeVerbs)
	if op != nil || err != nil {
		return op, err
	}
	w := in.words
	change := MulticastChange{Verb: verb}
	address := w.once(read(w, &change.Address, hardwareAddress))
	err = multicastWords.parse(w, actions{
		"dev":     w.once(read(w, &change.Dev, name)),
		"address": address,
	}, func(word string) error {
		w.left = append([]string{word}, w.left...)
		return address("address")
	})
	const ethernet = 6
	switch {
	case err != nil:
		return nil, err
	case change.Dev == "":
		return nil, usage("dev", "the device is missing")
	case len(change.Address) != ethernet:
		return nil, usage("address", "it must have %d bytes", ethernet)
	}
	return change, nil
}

// changeOrShow reads the verb of an object that is added and deleted; op is set if the verb shows it.
func (in ipCommand) changeOrShow(object string, verbs grammar) (change Verb, op Operation, err error) {
	verb, known := "show", true
	if in.verb != "" {
		verb, known = verbs.find(in.verb)
	}
	switch {
	case !known:
		return "", nil, verbs.unknown(in.verb)
	case verb == "show", verb == "get":
		op, err = in.show(object, verb)
		return "", op, err
	case verb == "help":
		return "", nil, &UnknownWord{Word: in.verb}
	case verb == "delete":
		return Delete, nil, nil
	}
	return Add, nil, nil
}

func parseToken(in ipCommand) (Operation, error) {
	verb, op, err := in.changeOrShow("token", tokenVerbs)
	if op != nil || err != nil {
		return op, err
	}
	w := in.words
	w.family = FamilyV6
	set := TokenSet{Token: netip.IPv6Unspecified()}
	has := verb == Delete
	err = tokenWords.parse(w, actions{"dev": w.onceUnknown(read(w, &set.Dev, name))}, func(word string) error {
		if has {
			return &UnknownWord{Word: word} // iproute2 does not look at it
		}
		has = true
		prefix, err := w.destination(tokenWords, word)
		set.Token = prefix.Addr()
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !has:
		return nil, usage("token", "the token is missing")
	case set.Dev == "":
		return nil, usage("dev", "the device is missing")
	}
	return set, nil
}

func parseTun(in ipCommand) (Operation, error) {
	verb, op, err := in.changeOrShow("tuntap", changeVerbs)
	if op != nil || err != nil {
		return op, err
	}
	w := in.words
	change := TunChange{Verb: verb}
	do := actions{
		"mode":        func(keyword string) error { return change.parseMode(w, keyword) },
		"pi":          w.flag(&change.PI, true),
		"one_queue":   w.flag(&change.OneQueue, true),
		"vnet_hdr":    w.flag(&change.VNetHdr, true),
		"multi_queue": w.flag(&change.MultiQueue, true),
		"dev":         w.once(read(w, &change.Name, name)),
		"name":        w.once(read(w, &change.Name, name)),
	}
	grammar := tunWords
	if verb == Add {
		do["user"], do["group"] = readTo(w, &change.User, owner), readTo(w, &change.Group, owner)
	} else {
		grammar = newGrammar("mode pi one_queue vnet_hdr multi_queue dev name help")
	}
	err = grammar.parse(w, do, func(word string) error {
		if change.Name != "" {
			return usage(word, "the device has the name %s already", change.Name)
		}
		change.Name = word
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case change.Mode == "":
		return nil, usage("mode", "it must be tun or tap")
	}
	return change, nil
}

func (op *TunChange) parseMode(w *words, keyword string) error {
	value, err := w.value(keyword)
	if err != nil {
		return err
	}
	mode, known := tunModes.find(value)
	switch {
	case !known:
		return usage(value, "mode takes tun or tap")
	case op.Mode != "" && op.Mode != mode:
		return usage(value, "the mode is %s already", op.Mode)
	}
	op.Mode = mode
	return nil
}

// owner reads the number of a user or a group. Of the names only root is the same everywhere.
func owner(_, value string) (uint32, error) {
	if value == "root" {
		return 0, nil
	}
	n, ok := number(value, 0, 1<<32-2)
	if !ok {
		return 0, &UnknownWord{Word: value}
	}
	return uint32(n), nil
}

func (op MulticastChange) args() []string {
	return []string{"maddress", string(op.Verb), "address", op.Address.String(), "dev", op.Dev}
}

func (op TokenSet) args() []string { return []string{"token", "set", op.Token.String(), "dev", op.Dev} }

func (op TunChange) args() []string {
	out := argv{"tuntap", string(op.Verb)}
	out.word("dev", op.Name)
	out.word("mode", op.Mode)
	out.uint32("user", op.User)
	out.uint32("group", op.Group)
	out.flag("pi", op.PI)
	out.flag("one_queue", op.OneQueue)
	out.flag("vnet_hdr", op.VNetHdr)
	out.flag("multi_queue", op.MultiQueue)
	return out
}

package operation

import "strings"

var (
	addressVerbs = newGrammar(
		"add change chg!=change replace delete show list=show lst=show flush save showdump restore help")
	addressWords = newGrammar(
		`peer! remote!=peer broadcast brd!=broadcast anycast! scope! dev! label! metric priority=metric
		preference=metric valid_lft preferred_lft home! nodad! mngtmpaddr! noprefixroute! optimistic!
		autojoin! local! help`)
	addressFlushWords = newGrammar(
		`to! scope! up! dynamic! permanent! secondary! temporary! primary! deprecated! tentative!
		-dynamic! -permanent! -secondary! -temporary! -primary! -deprecated! -tentative! mngtmpaddr!
		home! nodad! dadfailed!
		noprefixroute! autojoin! label! group! master! vrf! nomaster! type! dev! help`)
)

func parseAddress(in ipCommand) (Operation, error) {
	if in.verb == "" {
		return in.show("address", "show")
	}
	verb, known := addressVerbs.find(in.verb)
	switch {
	case !known:
		return nil, addressVerbs.unknown(in.verb)
	case verb == "add", verb == "change", verb == "replace":
		return parseAddressChange(Verb(verb), in.words)
	case verb == "delete":
		return parseAddressChange(Delete, in.words)
	case verb == "flush":
		return parseAddressFlush(in.words)
	case verb == "show", verb == "save", verb == "showdump":
		return in.show("address", verb)
	}
	return nil, &UnknownWord{Word: in.verb}
}

func parseAddressChange(verb Verb, w *words) (Operation, error) {
	op := AddressChange{Verb: verb}
	hasLocal := false
	local := func(word string) error {
		if hasLocal {
			return addressWords.unknown(word)
		}
		hasLocal = true
		var err error
		op.Prefix, err = w.destination(addressWords, word)
		op.AnyLength = op.Verb == Delete && op.Prefix.Addr().Is4() && !strings.Contains(word, "/")
		return err
	}
	err := addressWords.parse(w, actions{
		"peer":          w.once(read(w, &op.Peer, w.prefix)),
		"broadcast":     w.once(read(w, &op.Broadcast, w.broadcast)),
		"anycast":       w.once(read(w, &op.Anycast, w.address)),
		"scope":         w.once(read(w, &op.Scope, scopes.understand)),
		"dev":           read(w, &op.Dev, name),
		"label":         read(w, &op.Label, name),
		"metric":        readTo(w, &op.Metric, unsigned32),
		"valid_lft":     w.once(readTo(w, &op.ValidLft, lifetime)),
		"preferred_lft": w.once(readTo(w, &op.PreferredLft, lifetime)),
		"home":          w.flag(&op.HomeAddress, true),
		"nodad":         w.flag(&op.NoDAD, true),
		"mngtmpaddr":    w.flag(&op.MngTmpAddr, true),
		"noprefixroute": w.flag(&op.NoPrefixRoute, true),
		"optimistic":    w.flag(&op.Optimistic, true),
		"autojoin":      w.flag(&op.AutoJoin, true),
		"local": func(keyword string) error {
			word, err := w.value(keyword)
			if err != nil {
				return err
			}
			return local(word)
		},
	}, local)
	if err == nil {
		err = op.check()
	}
	if err != nil {
		return nil, err
	}
	return op, nil
}

// broadcast reads an address, or + or -, which stand for the prefix with all host bits set or cleared.
func (w *words) broadcast(keyword, value string) (string, error) {
	if value == "+" || value == "-" {
		return value, nil
	}
	addr, err := w.address(keyword, value)
	return addr.String(), err
}

// lifetime reads seconds or forever.
func lifetime(keyword, value string) (uint32, error) {
	if value == "forever" {
		return Forever, nil
	}
	return unsigned32(keyword, value)
}

// check refuses what iproute2 refuses to send.
func (op AddressChange) check() error {
	valid, preferred := Forever, Forever
	if op.ValidLft != nil {
		valid = *op.ValidLft
	}
	if op.PreferredLft != nil {
		preferred = *op.PreferredLft
	}
	switch {
	case valid == 0:
		return usage("valid_lft", "an address must be valid for at least one second")
	case valid < preferred:
		return usage("preferred_lft", "it is longer than valid_lft; the default is forever")
	case op.Broadcast != "" && op.Prefix.Addr().Is6():
		return usage(op.Broadcast, "only an IPv4 address has a broadcast address")
	case op.AutoJoin && !op.Prefix.Addr().IsMulticast():
		return usage("autojoin", "it is for multicast addresses")
	}
	return nil
}

func parseAddressFlush(w *words) (Operation, error) {
	if !w.more() {
		return nil, usage("flush", "the filter is missing")
	}
	op := AddressFlush{Family: w.family}
	err := addressFlushWords.parse(w, actions{
		"to":    read(w, &op.To, w.prefix),
		"scope": read(w, &op.Scope, scopeOrAll),
		"label": read(w, &op.Label, name),
		"up":    w.flag(&op.Up, true),
		"dev":   w.once(read(w, &op.Dev, name)),
	}, func(word string) error {
		if word == "" || op.Dev != "" {
			return addressFlushWords.unknown(word)
		}
		op.Dev = word
		return nil
	})
	if err != nil {
		return nil, err
	}
	op.Family = w.family
	return op, nil
}

func scopeOrAll(keyword, value string) (string, error) {
	if value == "all" {
		return "", nil
	}
	return scopes.understand(keyword, value)
}

func (op AddressChange) args() []string {
	out := argv{"address", string(op.Verb)}
	switch {
	case op.AnyLength:
		out = append(out, op.Prefix.Addr().String())
	case op.Prefix.IsValid():
		out = append(out, op.Prefix.String())
	}
	out.prefix("peer", op.Peer)
	out.word("broadcast", op.Broadcast)
	out.addr("anycast", op.Anycast)
	out.word("label", op.Label)
	out.word("scope", op.Scope)
	out.word("dev", op.Dev)
	out.uint32("metric", op.Metric)
	out.lifetime("valid_lft", op.ValidLft)
	out.lifetime("preferred_lft", op.PreferredLft)
	out.flag("home", op.HomeAddress)
	out.flag("nodad", op.NoDAD)
	out.flag("mngtmpaddr", op.MngTmpAddr)
	out.flag("noprefixroute", op.NoPrefixRoute)
	out.flag("optimistic", op.Optimistic)
	out.flag("autojoin", op.AutoJoin)
	return out
}

func (out *argv) lifetime(keyword string, seconds *uint32) {
	if seconds != nil && *seconds == Forever {
		*out = append(*out, keyword, "forever")
		return
	}
	out.uint32(keyword, seconds)
}

func (op AddressFlush) args() []string {
	var out argv
	out.family(op.Family, op.To.Addr())
	out = append(out, "address", "flush")
	if op == (AddressFlush{Family: op.Family}) {
		return append(out, "scope", "all")
	}
	out.word("dev", op.Dev)
	out.prefix("to", op.To)
	out.word("scope", op.Scope)
	out.word("label", op.Label)
	out.flag("up", op.Up)
	return out
}

package operation

func parseRouteFlush(w *words) (Operation, error) {
	if !w.more() {
		return nil, usage("flush", "the filter is missing")
	}
	var op RouteFlush
	r := &op.Filter
	hasDestination := false
	destination := func(word string) error {
		if hasDestination {
			return routeFlushWords.unknown(word)
		}
		hasDestination = true
		if word == "all" || word == "any" {
			return nil
		}
		return r.setDestination(w, word)
	}
	to := func(keyword string) error {
		word, err := w.filterPrefix(keyword)
		if err != nil {
			return err
		}
		return destination(word)
	}
	err := routeFlushWords.parse(w, actions{
		"to": to, "exact": to,
		"cached":   w.flag(&op.Cache, true),
		"table":    read(w, &r.Table, tableOrAll),
		"tos":      readTo(w, &r.TOS, typeOfService),
		"protocol": read(w, &r.Proto, protocolOrAll),
		"scope":    read(w, &r.Scope, scopeOrAll),
		"type":     read(w, &r.Type, routeType),
		"dev":      read(w, &r.Dev, name),
		"metric":   readTo(w, &r.Metric, unsigned32),
		"via":      read(w, &r.Via, w.gateway),
		"src":      read(w, &r.Src, w.address),
		"from": func(keyword string) error {
			word, err := w.filterPrefix(keyword)
			if err == nil {
				r.From, err = w.destination(routeFlushWords, word)
			}
			return err
		},
	}, destination)
	if err != nil {
		return nil, err
	}
	r.Family = w.family
	return op, nil
}

// filterPrefix reads a prefix that a route must have exactly. No Operation expresses a filter for shorter or longer
// prefixes (root, match).
func (w *words) filterPrefix(keyword string) (string, error) {
	word, err := w.value(keyword)
	if err != nil || keyword == "exact" {
		return word, err
	}
	switch how, _ := newGrammar("root match exact").find(word); how {
	case "root", "match":
		return "", &UnknownWord{Word: word}
	case "exact":
		return w.value(how)
	}
	return word, nil
}

func tableOrAll(keyword, value string) (string, error) {
	if value == "all" {
		return value, nil
	}
	return tables.understand(keyword, value)
}

func protocolOrAll(keyword, value string) (string, error) {
	if value == "all" {
		return "", nil
	}
	return protos.understand(keyword, value)
}

func routeType(keyword, value string) (string, error) {
	full, ok := routeTypes.find(value)
	if !ok {
		return "", usage(value, "%s takes a type of route", keyword)
	}
	return full, nil
}

func (op RouteFlush) args() []string {
	r := op.Filter
	var out argv
	out.family(r.Family, r.To.Addr(), r.From.Addr(), r.Via, r.Src)
	out = append(out, "route", "flush")
	if r.To.IsValid() || r.Default {
		out = append(out, r.destination())
	}
	out.flag("cache", op.Cache)
	out.word("type", r.Type)
	out = append(out, r.args()...)
	if len(out) == 0 || out[len(out)-1] == "flush" {
		out = append(out, "all")
	}
	return out
}

package operation

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

var (
	routeVerbs = newGrammar(
		`list=show show lst=show get add change chg!=change replace prepend append test delete flush save
		restore showdump help`)
	routeWords = newGrammar(
		`src! as! via! from! tos! dsfield=tos expires! metric priority=metric preference!=metric scope! mtu! hoplimit!
		advmss! reordering rtt! rto_min! window cwnd initcwnd initrwnd features quickack congctl rttvar ssthresh realms
		onlink! nexthop! nhid! protocol table vrf dev! oif!=dev pref encap! ttl-propagate!
		fastopen_no_cookie! to! help`)
	nexthopWords    = newGrammar("via! dev! weight! onlink! realms encap! as! nexthop!")
	routeFlushWords = newGrammar(
		`table vrf cached cloned=cached tos! dsfield=tos protocol scope type dev! oif!=dev iif! mark!
		metric priority=metric preference!=metric via! src! realms from to! root match exact help`)
	// shownRouteWords and shownNexthopWords are those that a route can have when it is shown: no command takes the last
	// two, which the kernel sets.
	shownRouteWords   = slices.Concat(routeWords, newGrammar("linkdown! dead!"))
	shownNexthopWords = slices.Concat(nexthopWords, newGrammar("linkdown! dead!"))
	// routeTypes are tried after routeWords.
	routeTypes = newGrammar(
		"local! nat! broadcast brd!=broadcast anycast multicast prohibit unreachable blackhole xresolve unicast throw!")
	// destinationWords may be written in place of a destination; a misspelt word is compared with them.
	destinationWords = slices.Concat(routeWords, routeTypes, newGrammar("default!"))
)

func parseRouteCommand(in ipCommand) (Operation, error) {
	if in.verb == "" {
		return in.show("route", "show")
	}
	verb, known := routeVerbs.find(in.verb)
	switch {
	case !known:
		return nil, routeVerbs.unknown(in.verb)
	case verb == "delete":
		return parseRouteChange(Delete, in.words)
	case verb == "add", verb == "change", verb == "replace", verb == "append", verb == "prepend":
		return parseRouteChange(Verb(verb), in.words)
	case verb == "flush":
		return parseRouteFlush(in.words)
	case verb == "show", verb == "get", verb == "save", verb == "showdump":
		return in.show("route", verb)
	}
	return nil, &UnknownWord{Word: in.verb}
}

func parseRouteChange(verb Verb, w *words) (Operation, error) {
	route, err := parseRoute(w, false)
	if err == nil {
		err = route.Encap.unsayable()
	}
	for _, hop := range route.Nexthops {
		if err == nil {
			err = hop.Encap.unsayable()
		}
	}
	if err != nil {
		return nil, err
	}
	return RouteChange{Verb: verb, Route: route}, nil
}

// ParseRoute parses a route in the syntax of `ip route add`. The error is an *UnknownWord or a *UsageError.
func ParseRoute(list []string) (Route, error) { return parseStatedRoute(list, false) }

// ParseShownRoute is ParseRoute for a route as `ip route show` prints it: it may have the flags linkdown and dead.
func ParseShownRoute(list []string) (Route, error) {
	return parseStatedRoute(list, true)
}

// parseStatedRoute refuses the words that only a command may have, metrics besides the common ones unless a route is
// shown, and a destination that no route can have.
func parseStatedRoute(list []string, shown bool) (Route, error) {
	r, err := parseRoute(newWords(list, FamilyAny), shown)
	switch {
	case err != nil:
		return Route{}, err
	case r.VRF != "" && slices.Contains(list, "v"):
		return Route{}, &UnknownWord{Word: "v, which ip takes for vrf", Nearest: "via"}
	case r.VRF != "":
		return Route{}, &UnknownWord{Word: "vrf"}
	case r.Expires != nil:
		return Route{}, &UnknownWord{Word: "expires"}
	case len(r.Metrics) > 0 && !shown:
		return Route{}, &UnknownWord{Word: r.Metrics[0].Word}
	case r.To != r.To.Masked() && (shown || r.To.Addr().Is4()): // the kernel cuts them off an IPv6 destination
		return Route{}, fmt.Errorf("%s has bits behind its prefix length, which no route has: write %s", r.To,
			r.To.Masked())
	}
	return r, nil
}

func parseRoute(w *words, shown bool) (Route, error) {
	var r Route
	grammar := routeWords
	if shown {
		grammar = shownRouteWords
	}
	hasDestination := false
	destination := func(word string) error {
		if full, ok := routeTypes.find(word); ok {
			r.Type = full
			if full == "unicast" {
				r.Type = ""
			}
			var err error
			if word, err = w.value(full); err != nil {
				return err
			}
		}
		if hasDestination {
			return grammar.unknown(word)
		}
		hasDestination = true
		return r.setDestination(w, word)
	}
	does := actions{
		"to": func(keyword string) error {
			word, err := w.value(keyword)
			if err != nil {
				return err
			}
			return destination(word)
		},
		"src":    read(w, &r.Src, w.address),
		"via":    read(w, &r.Via, w.gateway),
		"from":   read(w, &r.From, w.prefix),
		"tos":    readTo(w, &r.TOS, typeOfService),
		"metric": readTo(w, &r.Metric, unsigned32),
		"scope":  read(w, &r.Scope, scopes.understand),
		"mtu": func(keyword string) error {
			if w.more() && w.left[0] == "lock" {
				w.next()
				r.MTULock = true
			}
			return readTo(w, &r.MTU, natural)(keyword)
		},
		"advmss":   r.unlocked(w, &r.AdvMSS),
		"window":   r.unlocked(w, &r.Window),
		"onlink":   w.flag(&r.OnLink, true),
		"protocol": read(w, &r.Proto, protos.understand),
		"table":    read(w, &r.Table, tables.understand),
		"dev":      read(w, &r.Dev, name),
		"pref":     read(w, &r.Pref, preferences.understand),
		"nexthop":  func(string) error { return r.parseNexthops(w, shown) },
		"nhid":     readTo(w, &r.NexthopID, unsigned32),
		"encap":    read(w, &r.Encap, w.encap),
		"vrf":      read(w, &r.VRF, name),
		"expires":  readTo(w, &r.Expires, unsigned32),
	}
	for keyword := range routeMetrics {
		if does[keyword] == nil {
			does[keyword] = r.metric(w)
		}
	}
	if shown {
		does["linkdown"], does["dead"] = w.flag(&r.LinkDown, true), w.flag(&r.Dead, true)
	}
	err := grammar.parse(w, does, destination)
	switch {
	case err != nil:
		return Route{}, err
	case !hasDestination:
		return Route{}, usage("route", "it has no destination")
	}
	r.Family = w.family
	return r, nil
}

func (r *Route) setDestination(w *words, word string) error {
	to, err := w.destination(destinationWords, word)
	if err != nil {
		return err
	}
	r.Default = !to.IsValid() || to == netip.PrefixFrom(netip.IPv4Unspecified(), 0) ||
		to == netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	r.To = to
	if r.Default {
		r.To = netip.Prefix{}
	}
	return nil
}

// gateway reads an address, or a family and an address of that family.
func (w *words) gateway(keyword, value string) (netip.Addr, error) {
	foreign := newWords(nil, FamilyAny)
	switch value {
	case "inet":
		foreign.family = FamilyV4
	case "inet6":
		foreign.family = FamilyV6
	default:
		return w.address(keyword, value)
	}
	value, err := w.value(keyword)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, err := foreign.address(keyword, value)
	if err == nil && w.family == FamilyAny {
		w.family = foreign.family
	}
	return addr, err
}

// parseNexthops reads from the word after the first nexthop to the end of the command.
func (r *Route) parseNexthops(w *words, shown bool) error {
	if !w.more() {
		return usage("nexthop", "a value must follow")
	}
	hop := &Nexthop{}
	next := func(keyword string) error {
		if !w.more() {
			return usage(keyword, "a value must follow")
		}
		r.Nexthops = append(r.Nexthops, *hop)
		*hop = Nexthop{}
		return nil
	}
	grammar := nexthopWords
	does := actions{
		"via":     read(w, &hop.Via, w.gateway),
		"dev":     read(w, &hop.Dev, name),
		"weight":  read(w, &hop.Weight, between(1, 256)),
		"onlink":  w.flag(&hop.OnLink, true),
		"nexthop": next,
		"encap":   read(w, &hop.Encap, w.encap),
	}
	if shown {
		grammar = shownNexthopWords
		does["linkdown"], does["dead"] = w.flag(&hop.LinkDown, true), w.flag(&hop.Dead, true)
	}
	err := grammar.parse(w, does, nil)
	r.Nexthops = append(r.Nexthops, *hop)
	return err
}

func (op RouteChange) args() []string {
	r := op.Route
	var out argv
	addrs := []netip.Addr{r.To.Addr(), r.From.Addr(), r.Via, r.Src}
	for _, hop := range r.Nexthops {
		addrs = append(addrs, hop.Via)
	}
	out.family(r.Family, addrs...)
	out = append(out, "route", string(op.Verb))
	out.flag(r.Type, r.Type != "")
	out = append(out, r.destination())
	return append(out, r.args()...)
}

// destination is `default`, the prefix, or `all` for a route without a destination.
func (r Route) destination() string {
	if r.To.IsValid() {
		return r.To.String()
	}
	return "default"
}

// args are the words after the destination.
func (r Route) args() []string {
	var out argv
	out.prefix("from", r.From)
	out.uint32("nhid", r.NexthopID)
	out.encap(r.Encap)
	out.gateway(r.Via, r.Family)
	out.word("dev", r.Dev)
	out.addr("src", r.Src)
	if r.TOS != nil {
		out.word("tos", formatTypeOfService(*r.TOS))
	}
	out.word("table", r.Table)
	out.word("vrf", r.VRF)
	out.uint32("metric", r.Metric)
	out.word("protocol", r.Proto)
	out.word("scope", r.Scope)
	if r.MTU != nil {
		out = append(out, "mtu")
		out.flag("lock", r.MTULock)
		out = append(out, strconv.Itoa(*r.MTU))
	}
	out.int("advmss", r.AdvMSS)
	out.int("window", r.Window)
	out.metrics(r.Metrics)
	out.uint32("expires", r.Expires)
	out.word("pref", r.Pref)
	out.hopFlags(r.OnLink, r.LinkDown, r.Dead)
	for _, hop := range r.Nexthops {
		out = append(out, "nexthop")
		out.encap(hop.Encap)
		out.gateway(hop.Via, r.Family)
		out.word("dev", hop.Dev)
		out.int("weight", nonZeroOrNil(hop.Weight))
		out.hopFlags(hop.OnLink, hop.LinkDown, hop.Dead)
	}
	return out
}

func (out *argv) hopFlags(onLink, linkDown, dead bool) {
	out.flag("onlink", onLink)
	out.flag("linkdown", linkDown)
	out.flag("dead", dead)
}

// gateway writes a gateway, with its family if that is not the route's.
func (out *argv) gateway(via netip.Addr, family Family) {
	switch {
	case !via.IsValid():
	case family == FamilyAny, family == familyOf(via):
		out.addr("via", via)
	case via.Is4():
		*out = append(*out, "via", "inet", via.String())
	default:
		*out = append(*out, "via", "inet6", via.String())
	}
}

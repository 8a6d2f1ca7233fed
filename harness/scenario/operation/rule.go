package operation

import (
	"math"
	"strconv"
	"strings"
)

var (
	ruleVerbs = newGrammar("list=show lst=show show save restore add delete flush help")
	ruleWords = newGrammar(
		`not! from! to! preference order=preference priority=preference tos! dsfield=tos fwmark! realms
		protocol tun_id table lookup!=table suppress_prefixlength sup_pl=suppress_prefixlength suppress_ifgroup
		sup_group=suppress_ifgroup dev!=iif iif! oif! l3mdev! uidrange! nat map-to ipproto! sport! dport! type! goto nop
		help`)
	ruleTypes = newGrammar("prohibit unreachable blackhole")
)

func parseRuleCommand(in ipCommand) (Operation, error) {
	if in.verb == "" {
		return in.show("rule", "show")
	}
	verb, known := ruleVerbs.find(in.verb)
	switch {
	case !known:
		return nil, ruleVerbs.unknown(in.verb)
	case verb == "add":
		return parseRuleChange(Add, in)
	case verb == "delete":
		return parseRuleChange(Delete, in)
	case verb == "flush":
		if in.words.more() {
			return nil, &UnknownWord{Word: in.words.next()}
		}
		return RuleFlush{Family: in.options.family}, nil
	case verb == "show", verb == "save":
		return in.show("rule", verb)
	}
	return nil, &UnknownWord{Word: in.verb}
}

func parseRuleChange(verb Verb, in ipCommand) (Operation, error) {
	if !in.words.more() {
		return nil, usage(string(verb), "the rule is missing")
	}
	rule, err := parseRule(in.words, in.options.family)
	if err != nil {
		return nil, err
	}
	return RuleChange{Verb: verb, Rule: rule}, nil
}

// ParseRule parses a rule in the syntax of `ip rule add`, with the family of the addresses in it. The error is an
// *UnknownWord or a *UsageError.
func ParseRule(list []string) (Rule, error) {
	if len(list) == 0 {
		return Rule{}, usage("", "the rule is empty")
	}
	rule, err := parseRule(newWords(list, FamilyAny), FamilyAny)
	if err != nil {
		return Rule{}, err
	}
	rule.Family = familyOf(rule.From.Addr())
	if rule.To.IsValid() {
		rule.Family = familyOf(rule.To.Addr())
	}
	return rule, nil
}

func parseRule(w *words, family Family) (Rule, error) {
	r := Rule{Family: family}
	action := func(word string) error {
		full, ok := ruleTypes.find(word)
		if !ok {
			return ruleWords.with("prohibit unreachable blackhole").unknown(word)
		}
		r.Type = full
		return nil
	}
	err := ruleWords.parse(w, actions{
		"not": w.flag(&r.Not, true),
		"from": func(keyword string) error {
			err := read(w, &r.From, w.prefix)(keyword)
			r.FromAll = err == nil && !r.From.IsValid()
			// Each address of a rule is read in the family of the options, not of the other addresses.
			w.family = family
			return err
		},
		"to": func(keyword string) error {
			err := read(w, &r.To, w.prefix)(keyword)
			w.family = family
			return err
		},
		"preference":            readTo(w, &r.Priority, unsigned32),
		"tos":                   readTo(w, &r.TOS, typeOfService),
		"fwmark":                func(keyword string) error { return r.parseMark(w, keyword) },
		"protocol":              read(w, &r.Protocol, protos.understand),
		"table":                 read(w, &r.Table, tables.understand),
		"suppress_prefixlength": readTo(w, &r.SuppressPrefixLength, between(0, math.MaxInt32)),
		"suppress_ifgroup":      readTo(w, &r.SuppressIfGroup, groupNumber),
		"iif":                   read(w, &r.IIf, name),
		"oif":                   read(w, &r.OIf, name),
		"l3mdev":                w.flag(&r.L3MDev, true),
		"uidrange":              read(w, &r.UIDRange, numberRange("-", false, math.MaxUint32)),
		"ipproto":               read(w, &r.IPProto, ipProtocol),
		"sport":                 read(w, &r.SPort, numberRange("-", true, math.MaxUint16)),
		"dport":                 read(w, &r.DPort, numberRange("-", true, math.MaxUint16)),
		"goto":                  readTo(w, &r.Goto, unsigned32),
		"type": func(keyword string) error {
			word, err := w.value(keyword)
			if err != nil {
				return err
			}
			return action(word)
		},
	}, action)
	switch {
	case err != nil:
		return Rule{}, err
	case r.L3MDev && r.Table != "":
		return Rule{}, usage("l3mdev", "it excludes a table")
	}
	return r, nil
}

// parseMark reads MARK or MARK/MASK.
func (r *Rule) parseMark(w *words, keyword string) error {
	value, err := w.value(keyword)
	if err != nil {
		return err
	}
	text, maskText, hasMask := strings.Cut(value, "/")
	mark, err := unsigned32(keyword, text)
	if err != nil {
		return err
	}
	r.Mark, r.Mask = &mark, nil
	if hasMask {
		mask, err := unsigned32(keyword, maskText)
		if err != nil {
			return err
		}
		r.Mask = &mask
	}
	return nil
}

// numberRange reads LOW-HIGH, or a single number if allowed. The kernel checks whether LOW is below HIGH.
func numberRange(separator string, single bool, high int64) func(keyword, value string) (string, error) {
	return func(keyword, value string) (string, error) {
		parts := strings.Split(value, separator)
		if len(parts) > 2 || len(parts) == 1 && !single {
			return "", usage(value, "%s takes a range such as 10%s20", keyword, separator)
		}
		for i, part := range parts {
			n, err := between(0, high)(keyword, part)
			if err != nil {
				return "", err
			}
			parts[i] = strconv.Itoa(n)
		}
		return strings.Join(parts, separator), nil
	}
}

var ipProtocols = named{IPProtocols, math.MaxUint8}

func ipProtocol(keyword, value string) (string, error) { return ipProtocols.understand(keyword, value) }

func (op RuleChange) args() []string {
	r := op.Rule
	var out argv
	out.family(r.Family)
	out = append(out, "rule", string(op.Verb))
	out.flag("not", r.Not)
	if r.FromAll {
		out = append(out, "from", "all")
	}
	out.prefix("from", r.From)
	out.prefix("to", r.To)
	if r.TOS != nil {
		out.word("tos", formatTypeOfService(*r.TOS))
	}
	if r.Mark != nil {
		mark := "0x" + strconv.FormatUint(uint64(*r.Mark), 16)
		if r.Mask != nil {
			mark += "/0x" + strconv.FormatUint(uint64(*r.Mask), 16)
		}
		out.word("fwmark", mark)
	}
	out.word("iif", r.IIf)
	out.word("oif", r.OIf)
	out.word("ipproto", r.IPProto)
	out.word("sport", r.SPort)
	out.word("dport", r.DPort)
	out.word("uidrange", r.UIDRange)
	out.word("lookup", r.Table)
	out.flag("l3mdev", r.L3MDev)
	out.uint32("goto", r.Goto)
	out.int("suppress_prefixlength", r.SuppressPrefixLength)
	out.uint32("suppress_ifgroup", r.SuppressIfGroup)
	out.word("protocol", r.Protocol)
	out.uint32("priority", r.Priority)
	out.flag(r.Type, r.Type != "")
	if len(out) > 0 && out[len(out)-1] == string(op.Verb) {
		// A rule without selectors, written as `to all`.
		out = append(out, "to", "all")
	}
	return out
}

func (op RuleFlush) args() []string {
	var out argv
	out.family(op.Family)
	return append(out, "rule", "flush")
}
